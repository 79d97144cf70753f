"""The DVC stage `extract-representations`."""

from pathlib import Path
from runpy import run_path

if __name__ == "__main__":
    run_path(str(Path(__file__).with_name("beside.py")))

    from mlx.core.stage import run_stage
    from mlx.pipeline.extract_representations import extract_representations

    run_stage(extract_representations)
