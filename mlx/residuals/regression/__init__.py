"""Residuals of a regression: summary, classical tests, leverage."""
