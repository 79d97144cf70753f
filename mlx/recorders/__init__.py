"""Single files to copy into the environment of another framework; they import nothing of mlx."""
