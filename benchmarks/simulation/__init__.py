"""Designs, targets, counts and tables of ``benchmarks/inference.py``."""
