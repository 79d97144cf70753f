"""A model that a user's function makes."""
