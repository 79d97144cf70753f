"""The DVC stage `extract-representations`."""

from mlx.core.stage import run_stage
from mlx.pipeline.extract_representations import extract_representations

if __name__ == "__main__":
    run_stage(extract_representations)
