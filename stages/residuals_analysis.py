"""The DVC stage `residuals-analysis`."""

from pathlib import Path
from runpy import run_path

if __name__ == "__main__":
    run_path(str(Path(__file__).with_name("beside.py")))

    from mlx.core.stage import run_stage
    from mlx.pipeline.residuals_analysis import residuals_analysis

    run_stage(residuals_analysis)
