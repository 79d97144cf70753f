"""A model that is known by its recorded outputs alone."""
