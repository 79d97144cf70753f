"""Similarity against entropy in one layer: estimate, interval and p-value, pooled, within class, by class."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.checks import Floats, Integers
from mlx.residuals.bootstrap import Replicates, class_replicates, pooled_replicates
from mlx.residuals.correlation import SIMILARITY_TOLERANCE, entropy_tolerance, is_constant, midranks
from mlx.residuals.families import benjamini_hochberg, holm
from mlx.residuals.interval import MIN_CLASS_SIZE, bootstrap_interval, no_interval
from mlx.residuals.permutation import permutation_p_value, permuted_products
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.residuals.tables import STATISTICS
from mlx.residuals.units import UnitRows

MIN_SAMPLES = 4


@dataclass(frozen=True)
class Association:
    """One correlation of similarity with entropy; NaN where ``status`` says why it is missing.

    Attributes
    ----------
    scope
        ``"pooled"``, ``"within class"`` or ``"class"``.
    label
        The class of scope ``"class"``, otherwise None.
    statistic
        ``"pearson"`` or ``"spearman"``.
    estimate
        In [−1, 1]; negative: samples far from their classmates are those the model is unsure of.
    low, high
        Ends of the interval.
    p
        Two-sided permutation p-value.
    n
        Samples that entered.
    status
        ``"ok"``, or what is missing and why.
    p_holm, p_bh
        p adjusted within its family; see `adjusted`.
    """

    scope: str
    label: int | None
    statistic: str
    estimate: float
    low: float
    high: float
    p: float
    n: int
    status: str
    p_holm: float = float("nan")
    p_bh: float = float("nan")

    @property
    def family(self) -> str:
        """Tests of one family are adjusted together, a layer at a time: all classes of one statistic."""
        return f"{self.statistic} {'per class' if self.scope == 'class' else self.scope}"


@dataclass(frozen=True)
class Layer:
    """What the tests of one layer start from.

    Attributes
    ----------
    units
        Directions of the representation, n_samples rows.
    similarity
        (n_samples,), mean similarity to the samples predicted alike; NaN where undefined.
    entropy
        (n_samples,), in nats.
    y_pred
        (n_samples,), predicted labels.
    """

    units: UnitRows
    similarity: Floats
    entropy: Floats
    y_pred: Integers

    def members(self, label: int) -> Integers:
        """Rows predicted as ``label`` that have a direction."""
        return np.flatnonzero((self.y_pred == label) & (self.units.norms > 0))


def associate_class(layer: Layer, label: int, settings: ResidualsSettings) -> list[Association]:
    """Correlate similarity with entropy among the samples predicted as ``label``.

    H is permuted, and samples are resampled, among themselves.
    """
    rows = layer.members(label)
    if not (layer.y_pred == label).any():
        return _missing("class", label, 0, "never predicted")
    similarity, entropy = layer.similarity[rows], layer.entropy[rows]
    obstacle = _obstacle(similarity, entropy)
    if obstacle:
        return _missing("class", label, rows.size, obstacle)
    scores = _standard_scores(similarity, entropy, [slice(None)])
    generator = stream(settings.seed, Stream.CLASS_PERMUTATION, label)
    permuted = permuted_products(*scores, settings.n_permutations, generator)
    generator = stream(settings.seed, Stream.CLASS_BOOTSTRAP, label)
    replicates = class_replicates(layer.units, rows, entropy, settings.n_bootstrap, generator)
    return _results("class", label, scores, permuted, replicates, rows.size, settings)


def associate_all(layer: Layer, settings: ResidualsSettings) -> list[Association]:
    """Correlate over all samples: as they are, and within predicted class.

    The former asks whether unsure samples have dissimilar classmates, and mixes in differences between
    classes; the latter centres (or ranks and centres) both sides by class and permutes H within class.
    """
    rows = np.flatnonzero(~np.isnan(layer.similarity))
    rows = rows[np.argsort(layer.y_pred[rows], kind="stable")]
    similarity, entropy = layer.similarity[rows], layer.entropy[rows]
    obstacle = _obstacle(similarity, entropy)
    if obstacle:
        return [r for scope in ("pooled", "within class") for r in _missing(scope, None, rows.size, obstacle)]
    labels, starts = np.unique(layer.y_pred[rows], return_index=True)
    classes = np.split(rows, starts[1:])
    sizes = np.array([part.size for part in classes])
    class_size = float((sizes**2).sum() / rows.size)
    generator = stream(settings.seed, Stream.POOLED_BOOTSTRAP)
    pooled, within = pooled_replicates(layer.units, classes, layer.entropy, settings.n_bootstrap, generator)
    scores = _standard_scores(similarity, entropy, [slice(None)])
    generator = stream(settings.seed, Stream.POOLED_PERMUTATION)
    permuted = permuted_products(*scores, settings.n_permutations, generator)
    results = _results("pooled", None, scores, permuted, pooled, class_size, settings)
    spans = [slice(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    obstacle = _obstacle_within(similarity, entropy, spans)
    if obstacle:
        return results + _missing("within class", None, rows.size, obstacle)
    scores = _standard_scores(similarity, entropy, spans)
    permuted = _permuted_within(scores, labels, spans, settings)
    return results + _results("within class", None, scores, permuted, within, class_size, settings)


def _permuted_within(
    scores: tuple[Floats, Floats], labels: Integers, spans: list[slice], settings: ResidualsSettings
) -> Floats:
    x, y = scores
    permuted = np.zeros((len(x), settings.n_permutations))
    for label, span in zip(labels, spans, strict=True):
        generator = stream(settings.seed, Stream.WITHIN_PERMUTATION, int(label))
        permuted += permuted_products(x[:, span], y[:, span], settings.n_permutations, generator)
    return permuted


def adjusted(results: Sequence[Association]) -> list[Association]:
    """Fill in the p-values adjusted within each family, by Holm and by Benjamini–Hochberg."""
    p_values = np.array([result.p for result in results])
    holm_p, bh_p = np.full(p_values.shape, np.nan), np.full(p_values.shape, np.nan)
    families = np.array([result.family for result in results])
    for family in set(families.tolist()):
        of_family = families == family
        holm_p[of_family] = holm(p_values[of_family])
        bh_p[of_family] = benjamini_hochberg(p_values[of_family])
    return [
        replace(result, p_holm=float(by_holm), p_bh=float(by_bh))
        for result, by_holm, by_bh in zip(results, holm_p, bh_p, strict=True)
    ]


def _obstacle(similarity: Floats, entropy: Floats) -> str:
    if similarity.size < MIN_SAMPLES:
        return f"too few samples (n < {MIN_SAMPLES})"
    return _obstacle_within(similarity, entropy, [slice(None)])


def _obstacle_within(similarity: Floats, entropy: Floats, spans: list[slice]) -> str:
    if all(is_constant(similarity[span], SIMILARITY_TOLERANCE) for span in spans):
        return "constant similarity"
    tie = entropy_tolerance(entropy)
    return "constant entropy" if all(is_constant(entropy[span], tie) for span in spans) else ""


def _standard_scores(similarity: Floats, entropy: Floats, spans: list[slice]) -> tuple[Floats, Floats]:
    """Values and midranks, centred in each span and scaled to length 1: two (2, n) whose products are r."""
    tie = entropy_tolerance(entropy)
    x, y = np.empty((2, similarity.size)), np.empty((2, similarity.size))
    for span in spans:
        x[0, span], y[0, span] = similarity[span], entropy[span]
        # Ranks as shares of the class, so that a large class doesn't outweigh by its larger ranks.
        share = similarity[span].size + 1
        x[1, span] = midranks(similarity[span], SIMILARITY_TOLERANCE) / share
        y[1, span] = midranks(entropy[span], tie) / share
        for scores in (x, y):
            scores[:, span] -= scores[:, span].mean(axis=1, keepdims=True)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return x, y


def _results(
    scope: str,
    label: int | None,
    scores: tuple[Floats, Floats],
    permuted: Floats,
    replicates: Replicates,
    class_size: float,
    settings: ResidualsSettings,
) -> list[Association]:
    results = []
    x, y = scores
    for row, statistic in enumerate(STATISTICS):
        estimate = float(np.clip(x[row] @ y[row], -1.0, 1.0))
        p = permutation_p_value(estimate, permuted[row])
        fewest = MIN_CLASS_SIZE[scope][statistic]
        if class_size < fewest:
            interval = no_interval(f"{'n' if scope == 'class' else 'mean class size'} < {fewest}")
        else:
            drawn = getattr(replicates, statistic)
            interval = bootstrap_interval(statistic, estimate, drawn, settings.confidence)
        found = (estimate, interval.low, interval.high, p, x.shape[1], interval.status)
        results.append(Association(scope, label, statistic, *found))
    return results


def _missing(scope: str, label: int | None, n: int, status: str) -> list[Association]:
    nan = float("nan")
    return [Association(scope, label, statistic, nan, nan, nan, nan, n, status) for statistic in STATISTICS]
