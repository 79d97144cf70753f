"""Correlation of similarity with entropy over pairs of samples, without visiting the pairs, and Mantel tests."""
