"""Cosine similarity of samples to their classes and neighbors, in O(n·d)."""
