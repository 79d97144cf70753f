"""Correlation of similarity with entropy over samples, with jackknife intervals and permutation p-values."""
