"""Runs a trained model over samples and yields its outputs and representations."""

from mlx.representations.extract import extract
from mlx.representations.settings import RepresentationsSettings

__all__ = ["RepresentationsSettings", "extract"]
