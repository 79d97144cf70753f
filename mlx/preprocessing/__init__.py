"""Splits the samples into train, validation and test, makes features of columns, and scales: arrays in, arrays out."""
