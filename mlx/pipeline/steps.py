"""The steps of the pipeline, in the order in which data flows."""

from collections.abc import Callable

from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.report import report
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.pipeline.train import train

STEPS: tuple[Callable[..., str], ...] = (
    generate_data,
    preprocess_split,
    train,
    extract_representations,
    evaluate,
    residuals_analysis,
    report,
)
