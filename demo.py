"""The demonstration: `python demo.py` is `mlx demo`, and takes its flags."""

import sys

from mlx.cli import main

if __name__ == "__main__":
    main(["demo", *sys.argv[1:]])
