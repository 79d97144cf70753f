"""Does geometry add to the softmax? One weighted sum of both, whose weights are fitted on validation samples.

The weights are those of a logistic model of errors on the half of validation that fits. On the test samples, the sum
is then a score like any other: its AUROC less that of the maximum probability says whether geometry ranks errors
better, and a likelihood-ratio test of its geometric part whether this carries any information on errors beside the
maximum probability. Fitted on folds of the test samples instead, pure noise would be called worse in half of all cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import chdtrc, expit

from mlx.core.array_types import Flags, Floats
from mlx.core.scale import unit_sized
from mlx.results.failure_scores import MAXIMUM_PROBABILITY
from mlx.stats.status import OK, Reason, Status

MIN_TO_FIT = 5
"""Fewest errors, and correct predictions, that weights are fitted to: one a fold."""

SHARES = (0.0, 0.1, 0.3, 1.0)
"""By what scores of geometry may be multiplied, the simplest first."""

MOST_STEPS, SEPARATED = 50, 1e-6
"""Newton's steps, and the log loss a sample below which a model separates errors from correct predictions."""

LEAST = 1e-300
"""Probabilities below this count as it, so that their log odds are finite."""


@dataclass(frozen=True)
class Combination:
    """A weighted sum of scores.

    Attributes
    ----------
    names
        Of the scores, the maximum probability first.
    center, scale
        (n_scores,), median and interquartile range (or else range) on the validation samples: a score s enters as
        asinh((s − center)/scale).
    weights
        (n_scores,), with the share of `SHARES` that validation chooses; those of geometry are 0 where it chooses none.
    full_weights
        (n_scores,), with the whole of geometry.
    """

    names: tuple[str, ...]
    center: Floats
    scale: Floats
    weights: Floats
    full_weights: Floats

    def __call__(self, scores: Mapping[str, Floats]) -> Floats:
        """Sum of the scores (n,); higher means more likely wrong."""
        return np.asarray(_transformed(scores, self.names, self.center, self.scale) @ self.weights)

    def geometry(self, scores: Mapping[str, Floats]) -> Floats:
        """What geometry adds to the sum with the full weights (n,)."""
        columns = _transformed(scores, self.names, self.center, self.scale)[:, 1:]
        return np.asarray(columns @ self.full_weights[1:])


def fit_combination(scores: Mapping[str, Floats], error: Flags) -> Combination | Status:
    """Fit the weights of scores to which predictions are wrong, with an L2 penalty of ½‖w‖² on the sum of log losses.

    Scores of geometry enter multiplied by a share: a small one is a stronger penalty, and 0 leaves them out. The
    smallest share is chosen whose cross-validated log loss is within one standard error of the lowest (Breiman et al.
    1984), so that geometry that is noise mostly gets no weight.

    Parameters
    ----------
    scores
        By name, (n,) of validation samples, the maximum probability among them; finite.
    error
        (n,), whether each prediction is wrong.
    """
    if min(int(error.sum()), int((~error).sum())) < MIN_TO_FIT:
        return Reason.FEW_TO_FIT(MIN_TO_FIT)
    names = (MAXIMUM_PROBABILITY, *(name for name in scores if name != MAXIMUM_PROBABILITY))
    if len(names) == 1:
        return Reason.NO_SCORE_TO_ADD()
    columns = np.stack([_column(scores, name) for name in names], axis=1)
    low, center, high = np.quantile(columns, [0.25, 0.5, 0.75], axis=0)
    widest = np.ptp(columns, axis=0)
    scale = np.where(high > low, high - low, np.where(widest > 0, widest, 1.0))
    columns = _transformed(scores, names, center, scale)
    weights = [_weights(columns, error, share) for share in (_chosen_share(columns, error), 1.0)]
    return Combination(names, center, scale, *weights)


def _shares(columns: Floats, share: float) -> Floats:
    return np.asarray(columns * np.where(np.arange(columns.shape[1]) > 0, share, 1.0))


def _weights(columns: Floats, error: Flags, share: float) -> Floats:
    """Weights (n_scores,) of the columns as they are, fitted with geometry multiplied by a share."""
    weights: Floats = _shares(_fitted(columns, error, share).coef_, share)[0]
    return weights


def _fitted(columns: Floats, error: Flags, share: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(tol=1e-8, max_iter=1000).fit(_shares(columns, share), error)


def _chosen_share(columns: Floats, error: Flags) -> float:
    from sklearn.model_selection import StratifiedKFold

    losses = np.empty((len(SHARES), error.size))
    for rest, fold in StratifiedKFold(MIN_TO_FIT, shuffle=True, random_state=0).split(columns, error):
        for place, share in enumerate(SHARES):
            decision = _fitted(columns[rest], error[rest], share).decision_function(_shares(columns[fold], share))
            losses[place, fold] = np.logaddexp(0, np.where(error[fold], -decision, decision))
    best = int(losses.mean(axis=1).argmin())
    excess = losses - losses[best]
    within = excess.mean(axis=1) <= excess.std(axis=1, ddof=1) / np.sqrt(error.size)
    return SHARES[int(np.flatnonzero(within)[0])]


def _column(scores: Mapping[str, Floats], name: str) -> Floats:
    return log_odds(scores[name]) if name == MAXIMUM_PROBABILITY else scores[name]


def log_odds(doubt: Floats) -> Floats:
    """Log odds of 1 − max p (n,), which spread where it is near 0."""
    doubt = np.clip(doubt, LEAST, None)
    return np.asarray(np.log(doubt) - np.log1p(-np.minimum(doubt, 1 - 1e-15)))


def _transformed(scores: Mapping[str, Floats], names: tuple[str, ...], center: Floats, scale: Floats) -> Floats:
    columns = np.stack([_column(scores, name) for name in names], axis=1)
    return np.asarray(np.arcsinh((columns - center) / scale))


@dataclass(frozen=True)
class LikelihoodRatio:
    """A nested likelihood-ratio test.

    Attributes
    ----------
    statistic
        Twice the gain in log-likelihood; χ² with 1 degree of freedom if nothing is gained.
    p
        Its p-value.
    status
        `OK`, or why both are missing.
    """

    statistic: float
    p: float
    status: Status = OK


def likelihood_ratio(error: Flags, base: Floats, added: Floats) -> LikelihoodRatio:
    """Test whether `added` says anything of errors beside `base`, by two logistic models of the same samples.

    Parameters
    ----------
    error, base, added
        (n,), both kinds of the first; neither score was fitted on these samples.
    """
    nothing = float("nan")
    columns = np.stack([_standard(base), _standard(added)], axis=1)
    if not columns[:, 1].any():
        return LikelihoodRatio(nothing, nothing, Reason.CONSTANT("score"))
    losses = [_log_likelihood(columns[:, :k], error) for k in (1, 2)]
    if losses[1] == 0:
        return LikelihoodRatio(nothing, nothing, Reason.SEPARATED())
    statistic = max(0.0, 2 * (losses[1] - losses[0]))
    return LikelihoodRatio(statistic, float(chdtrc(1, statistic)))


def _standard(values: Floats) -> Floats:
    values = unit_sized(values)
    spread = values.std()
    return np.asarray((values - values.mean()) / spread if spread > 0 else np.zeros_like(values))


def _log_likelihood(columns: Floats, error: Flags) -> float:
    """Largest log-likelihood of a logistic model with an intercept, by Newton's steps; 0 if they separate the kinds."""
    design = np.column_stack([np.ones(len(columns)), columns])
    coefficients, reached = np.zeros(design.shape[1]), -np.inf
    for _ in range(MOST_STEPS):
        decision = design @ coefficients
        likelihood = -float(np.logaddexp(0, np.where(error, -decision, decision)).sum())
        if likelihood > -SEPARATED * error.size:
            return 0.0
        if likelihood - reached <= 1e-12 * abs(likelihood):
            break
        reached, share = likelihood, expit(decision)
        curvature = design.T @ (design * (share * (1 - share))[:, None])
        coefficients = coefficients + np.linalg.lstsq(curvature, design.T @ (error - share), rcond=None)[0]
    return max(likelihood, reached)
