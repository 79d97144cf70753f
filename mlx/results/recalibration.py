"""Recalibration: what it does to the metrics of a test set, and to its reliability."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np

from mlx.core.array_types import Array
from mlx.results import columns
from mlx.results.evaluation_tables import ReliabilityBins
from mlx.results.schema import ArraySchema, Column, RowSchema
from mlx.stats.calibrators import Calibrator
from mlx.stats.interval import NAN
from mlx.stats.status import OK


class RecalibratedMetric(StrEnum):
    """What is measured before and after recalibration, as in ``evaluation.json``."""

    ACCURACY = "accuracy"
    LOG_LOSS = "log_loss"
    BRIER = "brier"
    ECE = "ece"
    RMSCE_DEBIASED = "rmsce_debiased"


NAME_OF_CALIBRATOR = Column(
    "text", "none, temperature, vector or isotonic; fitted to one half of the validation samples"
)


@dataclass(frozen=True, kw_only=True)
class RecalibrationEffect:
    """One metric of the test samples before and after one calibrator."""

    calibrator: Annotated[Calibrator, NAME_OF_CALIBRATOR]
    chosen: Annotated[bool, Column("flag", "whether it has the lowest `cv_brier`; of equal ones, the simplest")]
    metric: Annotated[RecalibratedMetric, Column("text", "the metric, as in `evaluation.json`")]
    before: Annotated[float, Column("number", "of the predictions as they are; missing where it is infinite")] = NAN
    after: Annotated[float, Column("number", "of the recalibrated ones; missing where it is infinite")] = NAN
    difference: Annotated[float, Column("number", "after less before; of losses and errors, below 0 is better")] = NAN
    low: Annotated[
        float, Column("number", "lower end of the interval of the difference, for this fitted calibrator")
    ] = NAN
    high: columns.High = NAN
    method: Annotated[str, Column("text", "how the interval was obtained")] = ""
    p: Annotated[float, Column("share", "p-value of no difference")] = NAN
    p_holm: Annotated[float, Column("share", "p adjusted over the calibrators by Holm's method")] = NAN
    cv_brier: Annotated[
        float, Column("number", "Brier score on validation samples, each predicted by a calibrator fitted to others")
    ] = NAN
    temperature: Annotated[float, Column("number", "divisor of the logits, of temperature scaling")] = NAN
    n_validation: Annotated[int, Column("count", "validation samples that it is fitted to")]
    n: Annotated[int, Column("count", "test samples")]
    status: columns.RowStatus = OK


RECALIBRATION = RowSchema(
    "recalibration.csv",
    RecalibrationEffect,
    "One row per calibrator and metric; no row without recorded validation samples.",
    key=("calibrator", "metric"),
)


@dataclass(frozen=True)
class RecalibratedReliability(ReliabilityBins):
    """Confidence bins of equal width after each calibrator, (n_calibrators · n_bins,) each."""

    calibrator: Annotated[Array, NAME_OF_CALIBRATOR]

    def of(self, calibrator: Calibrator) -> ReliabilityBins:
        """Return the bins of one calibrator."""
        rows = np.asarray(self.calibrator) == calibrator
        return ReliabilityBins(*(getattr(self, name)[rows] for name in ReliabilityBins.__dataclass_fields__))


RECALIBRATED_RELIABILITY = ArraySchema(
    "reliability_recalibrated.csv",
    RecalibratedReliability,
    "One row per calibrator and confidence bin of equal width; no row without recorded validation samples.",
    key=("calibrator", "bin"),
)


@dataclass(frozen=True)
class Recalibration:
    """What recalibration does to a test set.

    Attributes
    ----------
    effects
        One a calibrator and metric, ``none`` first.
    reliability
        Bins of each calibrator that could be fitted, ``none`` first.
    """

    effects: tuple[RecalibrationEffect, ...]
    reliability: RecalibratedReliability

    @property
    def chosen(self) -> Calibrator:
        """The calibrator with the lowest cross-validated Brier score."""
        return next(one.calibrator for one in self.effects if one.chosen)

    @property
    def calibrators(self) -> tuple[Calibrator, ...]:
        """Those that could be fitted."""
        return tuple(Calibrator(name) for name in dict.fromkeys(self.reliability.calibrator))
