"""The DVC stage `report`."""

from mlx.core.stage import run_stage
from mlx.pipeline.report import report

if __name__ == "__main__":
    run_stage(report)
