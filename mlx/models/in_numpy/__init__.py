"""Models written out in NumPy, to be read and learnt from."""
