"""Runs a trained model over samples and yields its outputs and representations."""

from mlx.representations.extract import extract
from mlx.representations.settings import RepresentationsSettings
from mlx.representations.training_sample import sample_rows

__all__ = ["RepresentationsSettings", "extract", "sample_rows"]
