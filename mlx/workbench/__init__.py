"""Classes for notebooks, by the functions that the pipeline runs."""

from mlx.workbench.analysis import ResidualsAnalyzer
from mlx.workbench.data import DataGenerator, ImageDataGenerator
from mlx.workbench.models import ModelSelector, TrainingPipeline
from mlx.workbench.pictures import VisualizationAnalyzer

__all__ = [
    "DataGenerator",
    "ImageDataGenerator",
    "ModelSelector",
    "ResidualsAnalyzer",
    "TrainingPipeline",
    "VisualizationAnalyzer",
]
