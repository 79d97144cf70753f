"""Splits are disjoint, cover everything, keep the classes' shares, and say when they can't."""

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.preprocessing.settings import SplitSettings
from mlx.preprocessing.split import split_rows


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize(("n", "k"), [(30, 3), (1000, 5), (997, 10), (211, 20)])
def test_parts_are_disjoint_cover_all_rows_and_have_the_sizes_asked_for(n: int, k: int, stratify: bool) -> None:
    y = np.random.default_rng(0).permutation(np.arange(n) % k)
    settings = SplitSettings(stratify=stratify)
    parts = split_rows(y, [f"c{i}" for i in range(k)], settings).parts()
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(n))
    assert len(parts["test"]) == round(n * 0.2)
    assert len(parts["val"]) == round(n * 0.1)
    assert all((np.diff(rows) > 0).all() for rows in parts.values())


def test_every_class_has_its_share_of_each_part_to_within_a_sample() -> None:
    rng = np.random.default_rng(1)
    y = rng.permutation(np.repeat(np.arange(4), [500, 300, 150, 47]))
    parts = split_rows(y, list("abcd"), SplitSettings()).parts()
    for rows, share in ((parts["test"], 0.2), (parts["val"], 0.1), (parts["train"], 0.7)):
        expected = np.bincount(y) * share
        assert (np.abs(np.bincount(y[rows], minlength=4) - expected) <= 1.0 + 1e-9).all()


def test_a_rare_class_is_in_every_part() -> None:
    y = np.repeat([0, 1, 2], [500, 490, 3])
    for rows in split_rows(y, list("abc"), SplitSettings()).parts().values():
        assert (y[rows] == 2).sum() == 1


def test_the_seed_decides_and_nothing_else() -> None:
    y = np.arange(200) % 4
    first, again, other = (split_rows(y, list("abcd"), SplitSettings(seed=s)).test for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_regression_target_is_split_without_classes() -> None:
    parts = split_rows(np.linspace(0, 1, 50), [], SplitSettings(stratify=True)).parts()
    assert [len(rows) for rows in parts.values()] == [35, 5, 10]


@pytest.mark.parametrize(
    ("counts", "settings", "message"),
    [
        ([50, 2], {}, "expected at least 3 samples of each class, one for each part, found 2 of class 'b'"),
        ([50, 50, 0], {}, "found 0 of class 'c'"),
        ([2, 1], {}, "found 3 samples divided into 2 train, 0 val, 1 test"),
        ([9] * 10, {"val_size": 0.05}, "the val part to hold a sample of each of 10 classes, found a part of 4"),
        ([10] * 10, {"test_size": 0.5, "val_size": 0.45}, "expected the train part to hold a sample of each of 10"),
    ],
)  # fmt: skip
def test_what_cannot_be_divided_is_refused_with_class_and_counts(
    counts: list[int], settings: dict[str, float], message: str
) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    with pytest.raises(DataError, match=message):
        split_rows(y, list("abcdefghij")[: len(counts)], SplitSettings(**settings))


def test_random_class_sizes_are_always_divided_or_refused() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        counts = rng.integers(3, 12, size=rng.integers(1, 8))
        y = np.repeat(np.arange(len(counts)), counts)
        test, val = rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.35)
        settings = SplitSettings(test_size=test, val_size=val)
        try:
            parts = split_rows(y, list("abcdefgh")[: len(counts)], settings).parts()
        except DataError:
            continue
        for rows in parts.values():
            assert (np.bincount(y[rows], minlength=len(counts)) >= 1).all()
