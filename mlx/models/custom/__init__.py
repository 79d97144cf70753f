"""A model of the user's own, from a function."""
