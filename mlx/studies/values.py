"""A metric of the runs of one cell, as it is measured; all inference of a study starts from these."""

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

import numpy as np

from mlx.core.array_types import Floats
from mlx.results.comparison import Metric
from mlx.results.study import Question
from mlx.stats.seeds_by_samples import SeedsBySamples
from mlx.stats.status import OK, Status

NO_SAMPLES = np.empty((0, 0))


class Varies(StrEnum):
    """What a seed of the study sets, beside the training."""

    TRAINING = "training"
    SPLIT = "split"
    DATA = "data"


@dataclass(frozen=True)
class Repeats:
    """What differs between the runs of a cell.

    Attributes
    ----------
    varies
        Whether all runs share their test samples, each has another split of the same data, or data of its own.
    ratio
        Test samples over training samples, where the split changes; 1/(K − 1) of K folds.
    """

    varies: Varies = Varies.TRAINING
    ratio: float = float("nan")

    @property
    def question(self) -> Question:
        """What an interval over the runs is about."""
        return {
            Varies.TRAINING: Question.RECIPE,
            Varies.SPLIT: Question.SPLITS,
            Varies.DATA: Question.DATA,
        }[self.varies]


@dataclass(frozen=True)
class MetricValues:
    """A metric of the runs of a cell.

    Attributes
    ----------
    metric
        What was measured.
    estimates
        (n_runs,), one a run, in the order of the seeds; NaN where undefined.
    influence
        (n_runs, n_samples), n times the change of each estimate by the weight of a test sample, each row with mean 0.
        For a mean: the losses less their mean. Without columns where the runs do not share their test samples; they
        may be 0 where ``why`` is not `OK`.
    why
        Why no interval is given, of the first run with a reason; `OK` where one may be.
    bias
        (n_runs,), how much higher an estimate may be than what it estimates, of a metric that noise pushes up (ECE);
        None for others. Such a metric has a conservative interval, and no tests of differences.
    is_proportion
        Whether it is the share of independent samples that are right, which has Wilson's interval for one model.
    agree
        Whether all runs predict the same.
    n_carrying
        Samples that carry most of the variance of a run by the samples, the fewest of all runs; infinite where all do.
    samples
        What identifies the test samples; differences are of values with the same alone.
    """

    metric: Metric
    estimates: Floats
    influence: Floats = field(default_factory=lambda: NO_SAMPLES)
    why: Status = OK
    bias: Floats | None = None
    is_proportion: bool = False
    agree: bool = False
    n_carrying: float = inf
    samples: str = ""

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return int(self.estimates.size)

    @property
    def n_samples(self) -> int:
        """Number of test samples that the runs share; 0 if they do not."""
        return int(self.influence.shape[1])

    @property
    def mean(self) -> float:
        """Mean over the runs; NaN where one is undefined."""
        return float(self.estimates.mean()) if self.n_runs else float("nan")

    @property
    def table(self) -> SeedsBySamples:
        """The runs by samples; only where `why` is `OK` and there are samples."""
        return SeedsBySamples(self.estimates, self.influence)

    @property
    def is_one_model(self) -> bool:
        """Whether there is one run, or all agree, so that they answer for other samples only."""
        return self.n_runs == 1 or self.agree or (self.why.is_ok and self.n_samples > 1 and self.table.agree)
