"""How each training sample was learned: its outcomes over the epochs, as sums that a training carries along.

The outcomes of an epoch are those of its training steps: with dropout and augmentation, each batch before its own
step. Swayamdipta et al. (2020) name confidence, variability and correctness; Toneva et al. (2019) forgetting events;
Pleiss et al. (2020) the area under the margin.
"""

from dataclasses import dataclass, fields

import numpy as np

from mlx.core.array_types import Array, Counts, Flags, Floats
from mlx.models import SampleOutcomes


@dataclass(frozen=True)
class Dynamics:
    """The outcomes of n training samples over the epochs so far.

    Attributes
    ----------
    epochs
        Number of epochs.
    confidence
        (n,), mean probability of the true class.
    squares
        (n,), sum of squared deviations of that probability from its mean.
    n_correct
        (n,), epochs in which the sample was right.
    forgetting
        (n,), how often it was right in an epoch and wrong in the next.
    area_under_margin
        (n,), mean margin.
    last_correct
        (n,), whether it was right in the last epoch.
    learned
        (n,), first epoch, from 1, in which it was right; 0 for never.
    """

    epochs: int
    confidence: Floats
    squares: Floats
    n_correct: Counts
    forgetting: Counts
    area_under_margin: Floats
    last_correct: Flags
    learned: Counts

    @classmethod
    def before(cls, n: int) -> "Dynamics":
        """Return the state before the first epoch of `n` samples."""
        counts = np.zeros(n, np.int64)
        values = np.zeros(n)
        return cls(0, values, values, counts, counts, values, np.zeros(n, bool), counts)

    @classmethod
    def of_state(cls, epochs: int, values: Array) -> "Dynamics":
        """Return the dynamics after so many epochs whose `state` is `values`."""
        kinds = [getattr(cls.before(0), one.name).dtype for one in fields(cls)[1:]]
        return cls(epochs, *(row.astype(kind) for row, kind in zip(values, kinds, strict=True)))

    def state(self) -> Floats:
        """Return all but the number of epochs as one array (7, n): a file writes one faster than seven."""
        return np.stack([np.asarray(getattr(self, one.name), np.float64) for one in fields(self)[1:]])

    def after(self, outcomes: SampleOutcomes) -> "Dynamics":
        """Return the dynamics after one more epoch with these `outcomes` of samples 0 to n − 1."""
        epoch = self.epochs + 1
        deviation = outcomes.p_true - self.confidence
        confidence = self.confidence + deviation / epoch
        correct = outcomes.correct
        return Dynamics(
            epochs=epoch,
            confidence=confidence,
            squares=self.squares + deviation * (outcomes.p_true - confidence),
            n_correct=self.n_correct + correct,
            forgetting=self.forgetting + (self.last_correct & ~correct),
            area_under_margin=self.area_under_margin + (outcomes.margin - self.area_under_margin) / epoch,
            last_correct=correct,
            learned=np.where((self.learned == 0) & correct, epoch, self.learned),
        )

    @property
    def variability(self) -> Floats:
        """Standard deviation (n,) of the probability of the true class, with divisor the number of epochs."""
        return np.sqrt(self.squares / max(1, self.epochs))

    @property
    def correctness(self) -> Floats:
        """Share (n,) of epochs in which the sample was right."""
        return np.asarray(self.n_correct / max(1, self.epochs))


def dynamics_columns(dynamics: Dynamics | None, index: Array) -> dict[str, Array]:
    """Return the columns of ``dynamics.parquet``, by sample; without rows where no epochs were recorded.

    A sample that was never right was never learned: it has no forgetting events and no epoch, but a status.
    """
    found = Dynamics.before(0) if dynamics is None else dynamics
    never = found.learned == 0
    return {
        "index": np.asarray(index if dynamics else index[:0], np.int64),
        "confidence": found.confidence,
        "variability": found.variability,
        "correctness": found.correctness,
        "forgetting_events": np.ma.masked_array(found.forgetting, never),
        "area_under_margin": found.area_under_margin,
        "epoch_learned": np.ma.masked_array(found.learned, never),
        "status": np.where(never, NEVER_LEARNED, "ok"),
    }


NEVER_LEARNED = "never learned"
