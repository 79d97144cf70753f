"""The DVC stage `generate-data`."""

from pathlib import Path
from runpy import run_path

if __name__ == "__main__":
    run_path(str(Path(__file__).with_name("beside.py")))

    from mlx.core.stage import run_stage
    from mlx.pipeline.generate_data import generate_data

    run_stage(generate_data)
