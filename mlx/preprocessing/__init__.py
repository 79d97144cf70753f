"""Splits the samples into train, validation and test, and scales them: arrays in, arrays out."""
