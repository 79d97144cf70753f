"""Scores of failure, fitted on training samples alone, and what they add to the softmax."""
