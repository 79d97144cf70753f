"""Similarity against entropy where samples come in groups: tests by sign flips, correlations without each group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, TypeAlias

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit
from mlx.residuals.association.layer import Layer, effective_entropies, least_class_size
from mlx.residuals.association.permutation import correlations, group_of
from mlx.residuals.association.resampling import (
    LARGEST_BOOTSTRAP,
    NOTHING,
    Both,
    OwnSums,
    group_bootstrap,
    leave_groups_out,
)
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.lift import lift
from mlx.residuals.similarity.own_part import own_part
from mlx.residuals.streams import Stream, stream
from mlx.results.questions import CORRELATIONS, Statistic
from mlx.results.tests import TestResult
from mlx.stats.correlation import SIMILARITY_TOLERANCE, in_own_unit, merge_entropies, midranks
from mlx.stats.correlation_intervals import group_jackknife_interval
from mlx.stats.groups import Groups, sign_flip_tests
from mlx.stats.influence import rank_products
from mlx.stats.permutation import PermutationTest, permutations_for
from mlx.stats.status import Reason, no_interval

SIGN_FLIPS = "sign flips of groups"


def influences(layer: Layer, parts: Sequence[Integers]) -> Floats:
    """Products of similarity and entropy, each centered within its part, and their rank version: (2, n_samples).

    Rows are those of the parts, one after another. Entropies are in the unit of the part where they are largest.
    """
    scaled = [in_own_unit(layer.entropy[rows]) for rows in parts]
    unit = max(exponent for _, exponent in scaled)
    found = []
    for rows, (entropy, exponent) in zip(parts, scaled, strict=True):
        similarity, own = layer.similarity[rows], in_unit(entropy, unit - exponent)
        by_value = (similarity - similarity.mean()) * (own - own.mean())
        # Midranks have mean (n + 1)/2; as shares, a large class does not dominate by its larger ranks.
        ranks = midranks(similarity, SIMILARITY_TOLERANCE), midranks(merge_entropies(layer.entropy[rows]))
        centered = [rank / (rows.size + 1) - 0.5 for rank in ranks]
        found.append(np.stack([by_value, rank_products(centered[0], centered[1])]))
    return np.concatenate(found, axis=1)


def associate_by_group(
    layer: Layer,
    groups: Groups,
    classes: Mapping[int, Integers],
    asked: tuple[list[TestResult], list[TestResult], Mapping[int, list[TestResult]]],
    settings: ResidualsSettings,
    n_layers: int,
    map: OrderedMap = in_order,
) -> tuple[list[TestResult], list[TestResult], dict[int, list[TestResult]]]:
    """Correlate similarity with entropy by group: over all samples, within class, and in every class.

    Parameters
    ----------
    layer, groups
        Similarity and entropy of n_samples, and which of these belong together.
    classes
        Rows of every class in which there is a similarity, by label.
    asked
        The tests before they are made, of each of the three; of classes those to make.
    settings
        Seed, replicates, permutations and confidence.
    n_layers
        Layers whose tests are adjusted together.
    map
        How all classes together, and each of them, are tested.
    """
    parts, n_correlations = list(classes.values()), len(CORRELATIONS) * n_layers
    limit = permutations_for(2 * n_correlations, least=settings.n_permutations)
    of_class = permutations_for(len(asked[2]) * n_correlations, least=settings.n_permutations)
    tasks: list[_Task] = [(0, parts, asked[:2], limit)]
    tasks += [(1 + label, [classes[label]], (tests,), of_class) for label, tests in asked[2].items()]
    (pooled, within), *each = map(_Associate(layer, groups, settings), tasks)
    return pooled, within, dict(zip(asked[2], (tests for (tests,) in each), strict=True))


_Task: TypeAlias = tuple[int, list[Integers], Sequence[list[TestResult]], int]
"""Label of the random streams, rows of the classes, tests over all of them and perhaps within, and permutations."""


@dataclass(frozen=True)
class _Associate:
    """Makes the tests of some classes: over all of them and, where asked for, within."""

    doing: ClassVar[str] = "testing by group"
    layer: Layer
    groups: Groups
    settings: ResidualsSettings

    def __call__(self, task: _Task) -> list[list[TestResult]]:
        label, parts, asked, limit = task
        seed, level = self.settings.seed, self.settings.confidence
        resampled = _resampled(self.layer, parts, self.groups, self.settings, label)
        keys = [(Stream.POOLED_PERMUTATION, 0), (Stream.POOLED_PERMUTATION, 1)]
        if label:
            keys = [(Stream.CLASS_PERMUTATION, label - 1)]
        together = [[np.concatenate(parts)], parts]
        return [
            _results(tests, self.layer, rows, self.groups, found, limit, stream(seed, *key), level)
            for tests, rows, found, key in zip(asked, together, resampled, keys, strict=False)
        ]


Resampled = tuple[Both, Both]
"""Pearson's and Spearman's correlation without each group, and of groups drawn again."""


def _results(
    asked: list[TestResult],
    layer: Layer,
    parts: Sequence[Integers],
    groups: Groups,
    resampled: Resampled,
    n_permutations: int,
    generator: np.random.Generator,
    level: float,
) -> list[TestResult]:
    """Return the tests of one scope, centered within its parts."""
    found = []
    estimates, squares = correlations([group_of(layer, rows) for rows in parts])
    why = groups.take(np.concatenate(parts)).why_too_few
    tests = sign_flipped(layer, parts, groups, n_permutations, generator) if why.is_ok else [NOT_MADE] * len(asked)
    # A class counts as many samples as groups; of several, the mean over samples.
    sizes = np.array([groups.take(rows).count for rows in parts])
    size = float(sizes @ sizes) / sizes.sum()
    carried = effective_entropies(layer, list(parts), groups.take(np.concatenate(parts)))
    for one, r, square, test, without, drawn in zip(asked, estimates, squares, tests, *resampled, strict=True):
        if np.isnan(r):
            found.append(replace(one, status=Reason.SIDE_TIED("entropies" if square > 0 else "similarities")))
            continue
        made, fewest = replace(one, estimate=float(r)), least_class_size(one)
        if not why.is_ok:
            found.append(replace(made, status=Reason.NO_TEST(why)))
            continue
        if size < fewest:
            made = replace(made, status=no_interval(Reason.FEW_GROUPS_IN_CLASS(fewest)))
        else:
            effective = carried if one.statistic == Statistic.PEARSON else np.inf
            made = made.with_interval(group_jackknife_interval(float(r), without, drawn, level, effective=effective))
        found.append(made.with_p(test.p, SIGN_FLIPS, test.n_permutations))
    return found


NOT_MADE = PermutationTest(float("nan"), 0)


def sign_flipped(
    layer: Layer, parts: Sequence[Integers], groups: Groups, n_permutations: int, generator: np.random.Generator
) -> list[PermutationTest]:
    """Test Pearson's and Spearman's correlation over the parts, each centered, by sign flips of ``groups``."""
    return sign_flip_tests(influences(layer, parts), groups.take(np.concatenate(parts)), n_permutations, generator)


def _resampled(
    layer: Layer, parts: list[Integers], groups: Groups, settings: ResidualsSettings, label: int
) -> tuple[Resampled, Resampled]:
    """Correlations without each group, and of replicates that draw groups: over all samples, and within part."""
    blocks = stream(settings.seed, Stream.JACKKNIFE, label)
    draws = partial(stream, settings.seed, Stream.BOOTSTRAP, label)
    n_replicates = settings.n_bootstrap if sum(rows.size for rows in parts) <= LARGEST_BOOTSTRAP else 0
    without, drawn = resampled_by_group(layer, parts, groups, n_replicates, blocks, draws)
    return (without[0], drawn[0]), (without[1], drawn[1])


def resampled_by_group(
    layer: Layer,
    parts: list[Integers],
    groups: Groups,
    n_replicates: int,
    blocks: np.random.Generator,
    draws: Callable[[int], np.random.Generator],
) -> tuple[tuple[Both, Both], tuple[Both, Both]]:
    """Correlations without each group, and of ``n_replicates`` that draw groups: over all samples and within part.

    ``blocks`` divides very many groups into blocks, ``draws`` gives the generator of a chunk of replicates.
    """
    rows = np.concatenate(parts)
    lifted = lift(layer.units)
    part = own_part(lifted, layer.y_pred, groups)
    own, of_rows, entropy = OwnSums(part.similarity(lifted), part.sizes), groups.take(rows), layer.entropy[rows]
    without = leave_groups_out(layer.units, parts, entropy, of_rows, own, blocks)
    if not n_replicates:
        return without, ((NOTHING, NOTHING), (NOTHING, NOTHING))
    return without, group_bootstrap(layer.units, parts, entropy, of_rows, own, n_replicates, draws)
