"""The tables of a study from arrays: which questions are answered, in which order cells stand, and what is missing."""

import numpy as np
import pytest

from mlx.results.comparison import Metric
from mlx.results.study import CELLS, DIFFERENCES, VARIANCE, CellDifference, Question
from mlx.stats.resampled_t import corrected_resampled_t
from mlx.stats.seed_differences import difference_over_seeds
from mlx.stats.seeds_by_samples import mean_over_seeds
from mlx.stats.status import OK, Reason
from mlx.studies.infer import infer
from mlx.studies.ranking import rank_cells
from mlx.studies.values import MetricValues, Repeats, Varies
from mlx.studies.verdicts import verdicts


def values_of(losses: np.ndarray, metric: Metric = Metric.LOG_LOSS) -> MetricValues:
    means = losses.mean(axis=1)
    return MetricValues(metric, means, losses - means[:, None], is_proportion=metric is Metric.ACCURACY)


@pytest.fixture(scope="module")
def losses() -> dict[str, np.ndarray]:
    """(5 seeds, 300 samples) of three cells: the second as good as the first, the third much worse."""
    rng = np.random.default_rng(0)
    hard = rng.exponential(size=300)
    cells = {name: hard + rng.normal(0, 0.05, (5, 1)) + rng.normal(0, 0.5, (5, 300)) for name in ("a", "b", "c")}
    return cells | {"c": cells["c"] + 1}


def test_the_runs_of_a_cell_answer_two_questions(losses: dict[str, np.ndarray]) -> None:
    found = infer({name: {Metric.LOG_LOSS: values_of(one)} for name, one in losses.items()}, "a")
    rows = {(row.cell, row.question): row for row in found.cells}
    assert set(rows) == {(name, question) for name in losses for question in (Question.TEST_SET, Question.RECIPE)}
    recipe, expected = rows["b", Question.RECIPE], mean_over_seeds(losses["b"])
    assert (recipe.low, recipe.high) == pytest.approx((expected.interval.low, expected.interval.high))
    assert rows["b", Question.TEST_SET].high - rows["b", Question.TEST_SET].low < recipe.high - recipe.low
    assert (recipe.n_seeds, recipe.n_samples, recipe.status) == (5, 300, OK)


def test_pairs_are_compared_on_the_same_samples_and_ranked_with_ties(losses: dict[str, np.ndarray]) -> None:
    found = infer({name: {Metric.LOG_LOSS: values_of(one)} for name, one in losses.items()}, "b")
    pairs = {(row.first, row.second): row for row in found.differences}
    assert list(pairs) == [("b", "a"), ("b", "c"), ("a", "c")]
    row = pairs["b", "c"]
    expected = difference_over_seeds(values_of(losses["b"]).table, values_of(losses["c"]).table)
    assert (row.difference, row.p) == pytest.approx((expected.difference, expected.p))
    assert row.baseline
    assert not pairs["a", "c"].baseline
    assert row.p_holm >= row.p_holm_baseline >= row.p
    assert np.isnan(pairs["a", "c"].p_holm_baseline)
    places = {one.cell: (one.best, one.worst, one.tied) for one in found.rankings[Metric.LOG_LOSS]}
    assert places == {"a": (1, 2, ("b",)), "b": (1, 2, ("a",)), "c": (3, 3, ())}
    components = next(row for row in found.variance if (row.cell, row.against) == ("c", "b"))
    assert components.estimate == row.difference
    assert components.detectable < components.detectable_at_upper_seed


def test_a_verdict_never_contradicts_the_interval_beside_it() -> None:
    rng, decided = np.random.default_rng(7), set()
    for gaps in rng.uniform(0, 0.25, (25, 3)):
        hard = rng.exponential(size=200)
        cells = {str(k): values_of(hard + gap + rng.normal(0, 0.5, (4, 200))) for k, gap in enumerate((0.0, *gaps))}
        found = infer({name: {Metric.LOG_LOSS: one} for name, one in cells.items()}, "0")
        for row, verdict in zip(found.differences, verdicts(found, 0.95), strict=True):
            shown = verdict.outcome in {"better", "worse"}
            assert shown == (not row.low_holm <= 0 <= row.high_holm)
            assert (row.low_holm, row.high_holm) == (row.low, row.high) or row.confidence_holm > row.confidence
            assert f"{100 * row.confidence_holm:.4g} % interval" in verdict.sentence
            decided.add((shown, not row.low <= 0 <= row.high))
    assert (False, True) in decided  # what 95 % alone would show


def test_equal_cells_differ_by_exactly_nothing() -> None:
    one = np.random.default_rng(8).random((3, 50))
    first, second = values_of(one), values_of(one[[1, 2, 0]])
    (row,) = infer({"a": {Metric.LOG_LOSS: first}, "b": {Metric.LOG_LOSS: second}}).differences
    assert row.difference == 0
    assert infer({"a": {Metric.LOG_LOSS: values_of(one[[0, 0, 0]])}}).cells[0].sd == 0


def test_runs_that_agree_answer_for_other_samples_alone() -> None:
    right = np.random.default_rng(1).random((2, 200)) < [[0.8], [0.9]]
    cells = {
        name: {Metric.ACCURACY: values_of(np.tile(row, (4, 1)).astype(float), Metric.ACCURACY)}
        for name, row in zip("ab", right, strict=True)
    }
    found = infer(cells)
    assert {row.question for row in (*found.cells, *found.differences)} == {Question.MODEL}
    assert found.cells[0].status == Reason.SEEDS_AGREE()


@pytest.mark.parametrize("varies", [Varies.SPLIT, Varies.DATA])
def test_splits_and_data_of_a_seed_leave_the_differences_by_seed(varies: Varies) -> None:
    first, second = np.random.default_rng(2).normal([[0.8], [0.9]], 0.05, (2, 5))
    cells = {name: {Metric.ACCURACY: MetricValues(Metric.ACCURACY, one)} for name, one in (("a", first), ("b", second))}
    (row,) = infer(cells, "a", Repeats(varies, 0.25)).differences
    corrected = corrected_resampled_t(second - first, 0.25)
    if varies is Varies.SPLIT:
        assert (row.p, row.low, row.status) == (corrected.p, corrected.interval.low, Reason.APPROXIMATE())
    else:
        assert row.p < corrected.p


def test_what_is_missing_says_why() -> None:
    two = np.random.default_rng(3).random((2, 2, 50))
    found = infer({name: {Metric.LOG_LOSS: values_of(one)} for name, one in zip("ab", two, strict=True)})
    assert {str(row.status) for row in found.cells} == {"no interval (three seeds needed)"}
    assert str(found.differences[0].status) == "no p and no interval (three seeds needed)"
    undefined = MetricValues(Metric.ROC_AUC, np.array([0.7, np.nan, 0.8]), why=Reason.NO_ERRORS())
    found = infer({name: {Metric.ROC_AUC: undefined} for name in "ab"})
    assert {str(row.status) for row in found.cells} == {"no interval (no errors)"}
    assert str(found.differences[0].status) == "no p and no interval (no errors)"


@pytest.mark.parametrize("repeats", [Repeats(), Repeats(Varies.SPLIT, 0.25), Repeats(Varies.DATA)])
def test_intervals_end_at_the_bounds_of_the_metric(repeats: Repeats) -> None:
    right = np.random.default_rng(9).random((2, 3, 200)) < [[[0.5], [0.99], [0.98]], [[0.02], [0.5], [0.03]]]
    cells = {
        name: {metric: values_of(one.astype(float), metric) for metric in (Metric.ACCURACY, Metric.BRIER, Metric.R2)}
        for name, one in zip("ab", right, strict=True)
    }
    found = infer(cells, repeats=repeats)
    accurate, brier, r2 = ([row for row in found.cells if row.metric is metric] for metric in cells["a"])
    assert {(row.high if row.cell == "a" else row.low) for row in accurate} == {1, 0}
    assert {row.low for row in brier if row.cell == "b"} == {0}
    assert {row.high for row in r2 if row.cell == "a"} == {1}
    assert all(row.high > 1 for row in brier if row.cell == "a")
    assert all(row.low < 0 for row in r2 if row.cell == "b")
    assert all("ended at the bound" in row.method for row in accurate)
    whole = {row.metric: (row.low, row.high) for row in found.differences}
    assert (whole[Metric.ACCURACY][0], whole[Metric.R2][0] < -1) == (-1, True)


def test_a_test_that_is_not_made_ties() -> None:
    pair = CellDifference(first="a", second="b", metric=Metric.ACCURACY, question=Question.MODEL, difference=0.1)
    first, second = rank_cells({"a": 0.8, "b": 0.9}, [pair])
    assert (first.cell, first.rank, first.best, first.worst, first.tied) == ("b", 1, 1, 2, ("a",))
    assert (second.cell, second.rank, second.best, second.worst) == ("a", 2, 1, 2)


def test_the_tables_are_written_and_read_back(losses: dict[str, np.ndarray], tmp_path) -> None:  # type: ignore[no-untyped-def]
    import pandas as pd

    found = infer({name: {Metric.LOG_LOSS: values_of(one)} for name, one in losses.items()}, "a")
    for schema, rows in ((CELLS, found.cells), (DIFFERENCES, found.differences), (VARIANCE, found.variance)):
        path = tmp_path / schema.file
        schema.frame(rows).to_csv(path, index=False)
        assert repr(schema.rows(path, pd.read_csv(path, keep_default_na=True))) == repr(rows)
