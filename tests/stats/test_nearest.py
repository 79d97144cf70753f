"""The nearest rows are those of brute force in double precision, and among equal distances the lowest."""

from collections.abc import Callable

import numpy as np
import pytest

from mlx.core.ordered_map import in_order
from mlx.core.workers import open_workers
from mlx.stats import nearest, nearest_pairs, tiles
from mlx.stats.nearest import nearest_neighbors

DRAWN: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "spread, single precision": lambda g: g.standard_normal((700, 12), dtype=np.float32),
    "ties": lambda g: g.integers(0, 3, size=(700, 4)).astype(float),
    "all equal": lambda _: np.zeros((300, 5)),
    "nearly equal": lambda g: 1 + 1e-9 * g.normal(size=(700, 12)),
    "tight clusters": lambda g: np.eye(5, 12).repeat(140, axis=0) + 1e-7 * g.normal(size=(700, 12)),
    "sorted": lambda g: np.sort(g.normal(size=(700, 1)), axis=0),
    "huge": lambda g: 1e200 * g.normal(size=(300, 3)),
    "tiny": lambda g: 1e-200 * g.normal(size=(300, 3)),
    "one far away": lambda g: np.vstack([g.normal(size=(300, 3)), [[1e9, 0, 0]]]),
}


def brute_force(queries: np.ndarray, reference: np.ndarray, k: int, *, themselves: bool) -> tuple[np.ndarray, ...]:
    unit = float(2.0 ** np.frexp(np.abs(reference).max() or 1.0)[1])
    gaps = queries[:, None].astype(float) / unit - reference[None].astype(float) / unit
    squares = (gaps**2).sum(axis=2)
    if themselves:
        np.fill_diagonal(squares, np.inf)
    rows = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return rows, np.sqrt(np.take_along_axis(squares, rows, axis=1)) * unit


@pytest.mark.parametrize("tile", [64, 4096])
@pytest.mark.parametrize("kind", DRAWN)
def test_the_rows_are_those_of_brute_force(kind: str, tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "TILE", tile)
    monkeypatch.setattr(nearest, "FIRST_TILE", tile // 2)
    rows = DRAWN[kind](np.random.default_rng(0))
    others = rows[::3] + rows[:1]
    for queries, themselves in ((rows, True), (others, False)):
        found = nearest_neighbors(rows, 7, queries=None if themselves else queries)
        expected, distances = brute_force(queries, rows, 7, themselves=themselves)
        np.testing.assert_array_equal(found.rows, expected)
        np.testing.assert_allclose(found.distances, distances, rtol=1e-14)


@pytest.mark.parametrize("kind", ["spread, single precision", "tight clusters", "sorted", "one far away", "tiny"])
def test_tiles_that_are_compared_once_find_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_pairs, "FEWEST", (100, 1))
    monkeypatch.setattr(nearest_pairs, "ROWS_A_NEIGHBOR", 1)
    monkeypatch.setattr(nearest_pairs, "SIDE", 128)
    monkeypatch.setattr(nearest_pairs, "ROWS", 50)
    monkeypatch.setattr(nearest_pairs, "MOST_SHARE", 0.9)
    rows = DRAWN[kind](np.random.default_rng(0))
    expected, _ = brute_force(rows, rows, 7, themselves=True)
    for many in (nearest.MANY, 0.15, 0):  # some rows, or all, have too many candidates
        monkeypatch.setattr(nearest, "MANY", many)
        np.testing.assert_array_equal(nearest_neighbors(rows, 7).rows, expected)
    pairs = nearest_pairs.candidate_pairs(nearest.Search(rows, 7, None), 8, in_order)
    assert pairs is not None or "spread" not in kind  # of others, every row is compared with all


def test_crowded_queries_are_narrowed_down_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "SPARE", -50)
    rows = DRAWN["spread, single precision"](np.random.default_rng(1))
    found = nearest_neighbors(rows, 7)
    np.testing.assert_array_equal(found.rows, brute_force(rows, rows, 7, themselves=True)[0])


def test_all_rows_may_be_asked_for_and_no_more() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3))
    assert nearest_neighbors(rows, 40, queries=rows).rows.shape == (40, 40)
    assert nearest_neighbors(rows, 39).rows.shape == (40, 39)
    with pytest.raises(ValueError, match="k: expected 1 to 39, found 40"):
        nearest_neighbors(rows, 40)


def test_workers_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "QUERIES", 100)
    rows = DRAWN["ties"](np.random.default_rng(0))
    with open_workers("threads:2") as workers:
        found = nearest_neighbors(rows, 5, map=workers.map)
    np.testing.assert_array_equal(found.rows, nearest_neighbors(rows, 5).rows)
