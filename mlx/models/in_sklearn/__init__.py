"""Models that scikit-learn fits."""
