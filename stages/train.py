"""The DVC stage `train`."""

from mlx.core.stage import run_stage
from mlx.pipeline.train import train

if __name__ == "__main__":
    run_stage(train)
