"""The DVC stage `evaluate`."""

from mlx.core.stage import run_stage
from mlx.pipeline.evaluate import evaluate

if __name__ == "__main__":
    run_stage(evaluate)
