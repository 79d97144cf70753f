"""What every step needs and that rarely changes: errors, settings, artifacts, checks, paths."""
