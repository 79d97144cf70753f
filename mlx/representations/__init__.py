"""Runs a trained model over samples, and hands on what it says and how it represents them."""

from mlx.representations.extract import extract
from mlx.representations.settings import RepresentationsSettings

__all__ = ["RepresentationsSettings", "extract"]
