"""Classes and functions for notebooks, by the functions that the pipeline runs."""

from mlx.workbench.analysis import ResidualsAnalyzer
from mlx.workbench.analyzed import Analysis
from mlx.workbench.data import DataGenerator, ImageDataGenerator
from mlx.workbench.models import ModelSelector, TrainingPipeline
from mlx.workbench.pictures import VisualizationAnalyzer
from mlx.workbench.recorded import analyze

__all__ = [
    "Analysis",
    "DataGenerator",
    "ImageDataGenerator",
    "ModelSelector",
    "ResidualsAnalyzer",
    "TrainingPipeline",
    "VisualizationAnalyzer",
    "analyze",
]
