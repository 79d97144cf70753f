"""The DVC stage `preprocess-split`."""

from mlx.core.stage import run_stage
from mlx.pipeline.preprocess_split import preprocess_split

if __name__ == "__main__":
    run_stage(preprocess_split)
