"""Models implemented in NumPy, for reading and teaching."""
