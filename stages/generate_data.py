"""The DVC stage `generate-data`."""

from mlx.core.stage import run_stage
from mlx.pipeline.generate_data import generate_data

if __name__ == "__main__":
    run_stage(generate_data)
