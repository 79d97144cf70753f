"""The DVC stage `residuals-analysis`."""

from mlx.core.stage import run_stage
from mlx.pipeline.residuals_analysis import residuals_analysis

if __name__ == "__main__":
    run_stage(residuals_analysis)
