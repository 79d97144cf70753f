"""The shape of a representation: spread of classes, dimension, likeness of layers, projections."""
