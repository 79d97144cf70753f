"""What the residuals of a regression look like together: the numbers of ``residuals.json``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE
from mlx.results.issues import IssueKind
from mlx.stats.status import OK, Status

if TYPE_CHECKING:
    pass

NAN = float("nan")

ISSUES_OF_REGRESSION = (IssueKind.DUPLICATE, IssueKind.LEAK, IssueKind.OUTLIER)
"""The kinds of issues that samples without a class can have."""


@dataclass(frozen=True, kw_only=True)
class RegressionSummary:
    """What the residuals look like together; a number is None where a status says why.

    Attributes
    ----------
    n, n_duplicates
        Samples, and how many of them have the representation and output of an earlier one, where there are
        representations.
    groups, n_groups
        Name and number of the groups that p-values and intervals go by; None where all samples are independent.
    confidence
        Level of the intervals.
    residual_mean, residual_sd, rmse
        In units of y; a mean of 0 is unbiased.
    skewness, excess_kurtosis
        0 for a normal distribution.
    jarque_bera, normality_p
        Test of normality, and its p-value.
    spread_spearman
        Rank correlation of the absolute residual with the prediction, with its interval, p-value, and
        permutations drawn for that; 0 where errors are equally large everywhere.
    breusch_pagan, white, durbin_watson, ljung_box
        As in `mlx.residuals.regression.classical_tests`.
    status
        What is missing of the above and why.
    n_training, n_coefficients
        Training samples of a linear regression, and the rank of its training design.
    leverage_mean, leverage_max, leverage_status
        Of the samples.
    prediction_coverage, prediction_status
        Share of targets inside of their prediction intervals, which is the level of confidence for a model whose
        assumptions hold.
    n_leaked, n_issues_duplicate, n_issues_leak, n_issues_outlier
        Test samples that are in another part of the data, too, and those with an issue of each kind; None where they
        were not looked for.
    of_intervals
        Scalars of the prediction intervals of equal width for the first alpha: coverage, width, and the group that is
        covered worst, with their statuses; empty without recorded validation samples.
    """

    n: int
    n_duplicates: int | None = None
    groups: str | None = None
    n_groups: int | None = None
    confidence: float
    residual_mean: float | None = None
    residual_sd: float | None = None
    rmse: float | None = None
    skewness: float | None = None
    excess_kurtosis: float | None = None
    jarque_bera: float | None = None
    normality_p: float | None = None
    spread_spearman: float | None = None
    spread_spearman_low: float | None = None
    spread_spearman_high: float | None = None
    spread_spearman_p: float | None = None
    spread_spearman_permutations: int | None = None
    breusch_pagan: float | None = None
    breusch_pagan_p: float | None = None
    white: float | None = None
    white_p: float | None = None
    durbin_watson: float | None = None
    ljung_box: float | None = None
    ljung_box_p: float | None = None
    ljung_box_lags: int | None = None
    status: tuple[Status, ...] = ()
    n_training: int | None = None
    n_coefficients: int | None = None
    leverage_mean: float | None = None
    leverage_max: float | None = None
    leverage_status: Status = OK
    prediction_coverage: float | None = None
    prediction_status: Status = OK
    n_leaked: int | None = None
    n_issues_duplicate: int | None = None
    n_issues_leak: int | None = None
    n_issues_outlier: int | None = None
    of_intervals: Mapping[str, float | int | str | None] = field(default_factory=dict)

    def as_metrics(self) -> dict[str, float | int | str | None]:
        """Return the scalars that apply to these samples, as JSON; one that is null has a status of its own."""
        found = {one.name: _scalar(getattr(self, one.name)) for one in fields(self) if one.name != OF_INTERVALS}
        found = {name: value for name, value in found.items() if value is not None or name not in OPTIONAL}
        missing = [name for name, value in found.items() if value is None]
        return {**found, **self.of_intervals} | {
            f"{name.removesuffix('_low').removesuffix('_high')}_status": self._why_missing(name) for name in missing
        }

    def _why_missing(self, name: str) -> str:
        if name.startswith(("leverage", "n_training", "n_coefficients")):
            return str(self.leverage_status)
        return str(_scalar(self.prediction_status if name.startswith("prediction") else self.status))

    @classmethod
    def from_metrics(cls, path: Path, metrics: Mapping[str, Any]) -> "RegressionSummary":
        """Return the summary whose scalars were read from `path`.

        Raises
        ------
        ArtifactError
            A key is missing, or a status is not one of this version.
        """
        try:
            names = [one.name for one in fields(cls) if one.name in metrics or one.name not in OPTIONAL]
            of_intervals = {name: value for name, value in metrics.items() if name.startswith(INTERVAL_KEYS)}
            return cls(**{name: _read(name, metrics[name]) for name in names}, of_intervals=of_intervals)
        except KeyError as error:
            found = ", ".join(metrics)[:200]
            raise ArtifactError(f"{path}: expected a key {error}, found {found}{REMAKE}") from None
        except ValueError as error:
            raise ArtifactError(
                f"{path}: expected numbers and statuses of this version, found {error}{REMAKE}"
            ) from None


OF_INTERVALS = "of_intervals"
INTERVAL_KEYS = ("set_", "worst_covered")
"""What the keys of prediction intervals begin with; they are those of the sets of a classifier."""

OPTIONAL = {
    "n_duplicates",
    "groups",
    "n_groups",
    "n_leaked",
    *(f"n_issues_{kind}" for kind in ISSUES_OF_REGRESSION),
    OF_INTERVALS,
}
"""Keys that are absent where nothing was counted, or no groups are named."""


def _read(name: str, value: Any) -> Any:
    if name == "status":
        return () if value == str(OK) else tuple(map(Status.parse, str(value).split("; ")))
    if name.endswith("_status"):
        return Status.parse(str(value))
    if isinstance(value, str) and name != "groups":
        raise ValueError(f"text '{value[:60]}' for {name}")
    return value


def _scalar(value: float | str | tuple[Status, ...] | Status | None) -> float | int | str | None:
    if isinstance(value, tuple):
        return "; ".join(dict.fromkeys(map(str, value))) or str(OK)
    if isinstance(value, Status):
        return str(value)
    return value if value is None or isinstance(value, str) or np.isfinite(value) else None
