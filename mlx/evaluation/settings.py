"""The ``evaluation`` section of a configuration."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlx.core.settings import Settings

FittedName = Literal["temperature", "vector", "isotonic"]


def _each_once(names: list[FittedName]) -> list[FittedName]:
    if len(set(names)) < len(names):
        raise ValueError(f"expected each calibrator once, found {', '.join(names)}")
    return names


class EvaluationSettings(Settings):
    """How predictions are evaluated; no setting changes what the model predicted.

    Attributes
    ----------
    n_bins
        Confidence bins of the reliability tables, of the calibration errors and of the Brier score's parts.
    curve_points
        At most so many points a curve in the ROC and precision–recall tables. Areas are computed from
        the whole curve, so this sets only how finely it is drawn.
    seed
        Seed of the labels that are drawn; the same seed gives the same bytes.
    n_bootstrap
        Sets of labels drawn from the probabilities, whose calibration errors are those of a calibrated model
        (``ece_if_calibrated``, ``ece_p``). Intervals need no resampling.
    confidence
        Confidence level of the intervals.
    groups
        Which test samples belong together and are not independent, such as those of one subject: the name of a
        factor or of a column with a role, or ``duplicates`` for exact duplicates, as in ``residuals.groups``.
        Intervals and p-values then go by group, or are missing.
    recalibration
        Calibrators that are fitted to one half of the validation samples and measured on the test samples: some of
        ``temperature``, ``vector`` and ``isotonic``; an empty list for none.
    """

    n_bins: int = Field(default=10, ge=2, le=10_000)
    curve_points: int = Field(default=200, ge=10, le=1_000_000)
    seed: int = Field(default=42, ge=0, lt=2**32)
    n_bootstrap: int = Field(default=1000, ge=100, le=1_000_000)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    groups: str | None = Field(default=None, min_length=1)
    recalibration: Annotated[list[FittedName], AfterValidator(_each_once)] = Field(
        ["temperature", "vector", "isotonic"]
    )
