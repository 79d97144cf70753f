"""Samples to look at: wrong labels, duplicates, leaks, outliers and confident mistakes."""

from mlx.residuals.issues.analysis import find_issues
from mlx.residuals.issues.parts import EqualSamples, Part, TrainingEvidence

__all__ = ["EqualSamples", "Part", "TrainingEvidence", "find_issues"]
