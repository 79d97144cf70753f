"""`python -m mlx`."""

from mlx.cli import main

if __name__ == "__main__":
    main()
