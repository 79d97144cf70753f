"""Estimates how long evaluation and residuals analysis take, from sizes, for a dry run."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx.config import ExperimentConfig
from mlx.residuals.association.resampling import LARGEST_BOOTSTRAP
from mlx.residuals.geometry.projection import MAX_EMBEDDED
from mlx.residuals.layers.layer_analysis import MAX_RANKED
from mlx.residuals.similarity.classmates import LARGEST_SEARCH
from mlx.stats.cyclic_shifts import FEWEST

LONG = 600.0
"""A dry run warns of a longer time, in seconds."""

# Seconds on one core at 2.6 GHz, measured with 200 to 4000 test samples; another machine differs by a small factor.
PERMUTED = 1.5e-7  # a test sample up to `FEWEST`, a permutation, a layer; less where tests stop early
PERMUTED_WITHIN = 6e-8  # the same beyond these, for what is permuted given whether predictions are right
PERMUTED_FACTOR = 5e-9  # the same for each generating factor, in the first layer
PERMUTED_REGRESSION = 5e-8
DRAWN_POOLED, DRAWN_OF_CLASSES = 2e-7, 1e-7  # a test sample, a bootstrap replicate, a layer
DRAWN_REGRESSION = 7e-8
DRAWN_EVALUATION = 6e-9
RANKED_PAIR = 1e-7  # a pair of samples, a layer
SEARCHED_VALUE = 3e-11  # a pair of samples, a feature
EMBEDDED = 5e-3  # a sample that t-SNE places


@dataclass(frozen=True)
class Part:
    """The seconds of one part of the work, and the key to which they are proportional; None without such a key."""

    seconds: float
    key: str | None = None


def analysis_parts(
    config: ExperimentConfig, *, n_test: int, n_classes: int, widths: list[int], n_factors: int
) -> list[Part]:
    """Return the parts of the evaluation and residuals analysis of `n_test` samples.

    There are 0 classes for a regression; `widths` are those of the layers that are analyzed, and `n_factors` are known
    of each sample.
    """
    permutations, replicates = config.residuals.n_permutations, config.residuals.n_bootstrap
    layers = len(widths)
    if not n_classes:
        return [
            Part(PERMUTED_REGRESSION * n_test * permutations, "residuals.n_permutations"),
            Part(DRAWN_REGRESSION * n_test * replicates, "residuals.n_bootstrap"),
        ]
    drawn = DRAWN_POOLED * (n_test <= LARGEST_BOOTSTRAP)
    drawn += DRAWN_OF_CLASSES * (n_test / n_classes <= LARGEST_BOOTSTRAP)
    permuted = layers * (PERMUTED * min(n_test, FEWEST) + PERMUTED_WITHIN * max(0, n_test - FEWEST))
    permuted += PERMUTED_FACTOR * n_factors * n_test
    return [
        Part(permuted * permutations, "residuals.n_permutations"),
        Part(drawn * layers * n_test * replicates, "residuals.n_bootstrap"),
        Part(DRAWN_EVALUATION * n_test * config.evaluation.n_bootstrap, "evaluation.n_bootstrap"),
        *_without_resampling(config, n_test, widths),
    ]


def _without_resampling(config: ExperimentConfig, n_test: int, widths: list[int]) -> Iterator[Part]:
    yield Part(len(widths) * RANKED_PAIR * min(n_test, MAX_RANKED) ** 2)
    yield Part(sum(widths) * SEARCHED_VALUE * min(n_test, LARGEST_SEARCH) ** 2)
    if "tsne" in config.residuals.projections:
        yield Part(EMBEDDED * min(n_test, MAX_EMBEDDED))


def describe_time(parts: list[Part]) -> tuple[str, list[str]]:
    """Return how long all `parts` take, as a fact, and a warning if that is long."""
    total = sum(part.seconds for part in parts)
    fact = f"analysis: about {duration(total)} after the training"
    longest = max(parts, key=lambda part: part.seconds)
    if total <= LONG:
        return fact, []
    if longest.key is None:
        return fact, [f"the analysis takes about {duration(total)}, as there are many test samples"]
    share = duration(longest.seconds)
    return fact, [f"the analysis takes about {duration(total)}, of which {share} depend on {longest.key}; lower it"]


def duration(seconds: float) -> str:
    """Return a time to one or two digits, in a readable unit."""
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.{0 if seconds >= 10 * size else 1}f} {unit}"
    return f"{max(1.0, seconds):.0f} s"
