"""The shape of a representation: spread of classes, dimension, alignment of layers, projections."""
