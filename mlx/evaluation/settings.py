"""The ``evaluation`` section of a configuration."""

from pydantic import Field

from mlx.core.settings import Settings


class EvaluationSettings(Settings):
    """How the tables of the evaluation are drawn up; no setting changes what the model predicted.

    Attributes
    ----------
    n_bins
        Equal-width confidence bins of the reliability table and of the expected calibration error.
    curve_points
        At most so many points a curve in the ROC and precision–recall tables. Areas are computed from
        the whole curve, so this sets only how finely it is drawn.
    """

    n_bins: int = Field(default=10, ge=2, le=10_000)
    curve_points: int = Field(default=200, ge=10, le=1_000_000)
