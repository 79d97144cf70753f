"""Samples to look at: what was planted is found, and nothing else is named without a count of what is expected."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import softmax

from mlx.core.array_types import Array
from mlx.core.ordered_map import in_order
from mlx.core.workers import open_workers
from mlx.residuals.issues import EqualSamples, Part, TrainingEvidence, find_issues
from mlx.residuals.issues.analysis import Issues
from mlx.residuals.issues.neighbors import nearest
from mlx.results.issues import Issue, IssueKind, IssueMethod
from mlx.stats.proportions import wilson_interval

NAMES = ["a", "b", "c"]
SIZES = {"test": 150, "val": 120, "train": 400}


def recorded(seed: int = 0, d: int = 6) -> tuple[dict[str, Part], Array]:
    """Parts of three classes, and the inputs of all raw rows, of which the representation is a rotation."""
    generator = np.random.default_rng(seed)
    n = sum(SIZES.values())
    y = generator.integers(3, size=n)
    inputs = 2 * np.eye(3, d)[y] + generator.normal(size=(n, d))
    turned = inputs @ np.linalg.qr(generator.normal(size=(d, d)))[0]
    logits = 2 * inputs[:, :3]
    order = generator.permutation(n)
    ends = np.cumsum(list(SIZES.values()))
    rows = {split: np.sort(order[end - size : end]) for (split, size), end in zip(SIZES.items(), ends, strict=True)}
    parts = {
        split: Part(split, at, y[at], logits[at].argmax(axis=1), turned[at], softmax(logits[at], axis=1), logits[at])
        for split, at in rows.items()
    }
    return parts, inputs


def found_in(parts: dict[str, Part], **known: Any) -> Issues:
    return find_issues(list(parts.values()), NAMES, seed=1, confidence=0.95, **known)


def of_kind(found: Issues, kind: IssueKind, method: IssueMethod | None = None) -> list[Issue]:
    return [row for row in found.found.issues if row.kind is kind and method in {None, row.method}]


def test_planted_duplicates_across_parts_are_all_found_and_no_other() -> None:
    parts, _ = recorded()
    rows = {split: part.index for split, part in parts.items()}
    group = np.arange(sum(SIZES.values()))
    pairs = [("test", 3, "train", 5), ("test", 9, "val", 0), ("val", 7, "train", 2), ("test", 1, "test", 0),
             ("train", 8, "train", 1)]  # fmt: skip
    for later, i, earlier, j in pairs:
        group[rows[later][i]] = group[rows[earlier][j]]
    found = found_in(parts, equal=EqualSamples(group, rows))
    exact = [row for row in found.found.issues if row.method is IssueMethod.EQUAL_INPUTS]
    assert {(row.index, row.related_index) for row in exact} == {
        (rows[later][i], rows[earlier][j]) for later, i, earlier, j in pairs
    }
    assert {row.index for row in exact if row.kind is IssueKind.LEAK} == {
        rows["test"][3], rows["test"][9], rows["val"][7]
    }  # fmt: skip
    assert all(row.expected == 0 for row in found.found.issue_counts if row.method is IssueMethod.EQUAL_INPUTS)
    test = parts["test"]
    kept = np.delete(test.y_pred == test.y_true, [3, 9])
    assert found.headline["n_leaked"] == 2
    assert found.headline["accuracy_without_leaks"] == kept.mean()
    ends = wilson_interval(int(kept.sum()), kept.size)
    assert found.headline["accuracy_without_leaks_low"] == ends.low


def test_without_known_inputs_equal_representations_and_outputs_are_duplicates() -> None:
    parts, _ = recorded()
    assert not [row for row in found_in(parts).found.issues if row.method is IssueMethod.EQUAL_OUTPUTS]
    test, train = parts["test"], parts["train"]
    for name in ("layer", "logits", "probabilities"):
        getattr(test, name)[4] = getattr(train, name)[6]
    (row,) = [row for row in found_in(parts).found.issues if row.method is IssueMethod.EQUAL_OUTPUTS]
    assert (row.kind, row.index, row.related_index) == (IssueKind.LEAK, test.index[4], train.index[6])


@pytest.mark.parametrize("confirmed", [True, False])
def test_near_duplicates_are_found_and_confirmed_in_the_inputs(confirmed: bool) -> None:
    parts, inputs = recorded(d=8)
    test, train = parts["test"], parts["train"]
    planted = np.arange(20)
    noise = 0.01 * np.random.default_rng(1).normal(size=(20, 8))
    test.layer[planted] = train.layer[planted] + noise
    if confirmed:
        inputs[test.index[planted]] = inputs[train.index[planted]] + noise
    found = found_in(parts, read_inputs=lambda rows: inputs[rows])
    near = of_kind(found, IssueKind.LEAK, IssueMethod.NEAR)
    expected = {(test.index[i], train.index[i]) for i in planted}
    assert {(row.index, row.related_index) for row in near} == (expected if confirmed else set())
    assert found.headline["n_leaked"] == (20 if confirmed else 0)
    unknown = of_kind(found_in(parts), IssueKind.LEAK, IssueMethod.NEAR)
    assert expected <= {(row.index, row.related_index) for row in unknown}
    assert all("not confirmed in the inputs" in row.why and row.score < row.threshold for row in unknown)


def test_outliers_are_beyond_the_quantile_of_the_training_samples() -> None:
    parts, _ = recorded()
    parts["test"].layer[[5, 8]] += 40
    found = found_in(parts)
    far = of_kind(found, IssueKind.OUTLIER)
    assert {row.index for row in far if row.score > 20} == set(parts["test"].index[[5, 8]])
    counts = {row.split: row for row in found.found.issue_counts if row.kind is IssueKind.OUTLIER}
    assert counts["test"].expected == pytest.approx(0.01 * 150)
    assert counts["val"].expected == pytest.approx(0.01 * 120)
    train, k = parts["train"].layer, 20
    distances = np.sort(np.linalg.norm(train[:, None] - train, axis=2), axis=1)[:, k]
    assert counts["test"].threshold == pytest.approx(float(np.quantile(distances, 0.99)), rel=1e-10)


def test_wrong_labels_stand_out_from_the_number_of_flawless_ones() -> None:
    parts, _ = recorded()
    clean = {row.split: row for row in found_in(parts).found.issue_counts if row.kind is IssueKind.LABEL}
    for split in ("test", "val"):
        parts[split].y_true[:25] = (parts[split].y_true[:25] + 1) % 3
    found = found_in(parts)
    noisy = {row.split: row for row in found.found.issue_counts if row.kind is IssueKind.LABEL}
    for split in ("test", "val"):
        assert clean[split].n_issues < clean[split].expected + 12
        assert noisy[split].n_issues > clean[split].n_issues + 10
    labels = of_kind(found, IssueKind.LABEL)
    assert all(row.suggested_label is not None and row.score >= row.threshold - 1e-6 for row in labels)


def test_test_labels_change_no_threshold_but_their_own() -> None:
    parts, _ = recorded()
    before = found_in(parts)
    parts["test"].y_true[:] = (parts["test"].y_true + 1) % 3
    after = found_in(parts)
    for one, other in zip(before.found.issue_counts, after.found.issue_counts, strict=True):
        np.testing.assert_equal(other.threshold, one.threshold)
        if one.split != "test" or one.kind is not IssueKind.LABEL:
            np.testing.assert_equal(other.expected, one.expected)


def test_training_labels_are_ranked_by_margin_without_cross_fitting_and_flagged_with_it() -> None:
    parts, _ = recorded()
    train = parts["train"]
    margins = np.arange(400.0)[::-1].copy()
    evidence = TrainingEvidence(margin_index=train.index, area_under_margin=margins)
    found = found_in(parts, evidence=evidence)
    ranked = of_kind(found, IssueKind.LABEL, IssueMethod.AREA_UNDER_MARGIN)
    assert [row.index for row in ranked] == train.index[[399, 398, 397, 396]].tolist()
    assert all(np.isnan(row.threshold) and row.split == "train" for row in ranked)
    evidence = TrainingEvidence(train.index, train.y_true, train.probabilities, train.logits)
    found = found_in(parts, evidence=evidence)
    assert not of_kind(found, IssueKind.LABEL, IssueMethod.AREA_UNDER_MARGIN)
    assert {row.split for row in of_kind(found, IssueKind.LABEL)} >= {"train"}


def test_the_test_part_alone_gets_what_can_be_known_of_it() -> None:
    parts, _ = recorded()
    found = found_in({"test": parts["test"]})
    statuses = {(row.kind, row.method): str(row.status) for row in found.found.issue_counts}
    assert statuses[IssueKind.OUTLIER, IssueMethod.NEIGHBOR_DISTANCE] == "no recorded training samples"
    assert statuses[IssueKind.CONFIDENTLY_WRONG, IssueMethod.CONFIDENCE] == "no recorded validation samples"
    assert "not recalibrated" in statuses[IssueKind.LABEL, IssueMethod.CONFIDENT_LEARNING]
    assert of_kind(found, IssueKind.LABEL)


def test_a_regression_has_no_labels_and_mistakes_to_look_at() -> None:
    parts, _ = recorded()
    values = {
        split: Part(split, part.index, part.layer[:, 0], part.layer[:, 1], part.layer) for split, part in parts.items()
    }
    found = find_issues(list(values.values()), (), seed=1, confidence=0.95)
    assert {row.kind for row in found.found.issue_counts} == {IssueKind.DUPLICATE, IssueKind.LEAK, IssueKind.OUTLIER}
    assert "accuracy_without_leaks" not in found.headline


@pytest.mark.slow
@pytest.mark.parametrize("kind", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_processes_find_the_same_neighbors(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlx.residuals.issues.neighbors.BLOCK_BYTES", 100_000)
    counts = np.random.default_rng(0).poisson(0.3, (500, 20)).astype(float)
    rows = kind(counts)
    with open_workers("processes:2") as workers:
        for queries, same in ((rows, True), (rows[:200], False)):
            serial, spread = (nearest(queries, rows, 3, same=same, map=each) for each in (in_order, workers.map))
            for one, other in zip(serial, spread, strict=True):
                np.testing.assert_array_equal(one, other)
    away = np.linalg.norm(counts[:, None] - counts, axis=2)
    np.fill_diagonal(away, np.inf)
    np.testing.assert_allclose(nearest(rows, rows, 3, same=True)[0], np.sort(away, axis=1)[:, :3], atol=1e-12)
