"""Groups are never divided, the future never trains, given parts are kept, and what a split leaks is counted."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mlx.core.array_types import Array
from mlx.core.errors import DataError, SettingsError
from mlx.preprocessing.known_rows import KnownRows
from mlx.preprocessing.overlap import notes_of, overlaps_of
from mlx.preprocessing.settings import SplitSettings
from mlx.preprocessing.split import Split, split_rows

NAMES = [f"c{i}" for i in range(10)]


def covers(split: Split, n: int) -> bool:
    return sorted(np.concatenate(list(split.parts().values())).tolist()) == list(range(n))


def random_table(rng: np.random.Generator) -> tuple[Array, list[str], Array]:
    """Classes, their names, and groups of very different sizes, as numbers or text."""
    n, k = int(rng.integers(10, 3000)), int(rng.integers(1, 6))
    n_groups = int(rng.integers(3, max(4, n // int(rng.integers(1, 8)))))
    weights = rng.pareto(1, n_groups) + 0.01
    groups = rng.choice(n_groups, size=n, p=weights / weights.sum())
    groups[:3] = [0, 1, 2]
    values = np.array([f"g{g}" for g in groups], dtype=object) if rng.random() < 0.5 else groups
    return rng.integers(0, k, n), NAMES[:k], values


@pytest.mark.parametrize("seed", range(60))
def test_a_group_split_of_a_random_table_never_divides_a_group(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, names, groups = random_table(rng)
    known = KnownRows({"patient": groups}, {"patient": "group"})
    size = float(rng.uniform(0.05, 0.5))
    settings = SplitSettings(method="group", test_size=size, val_size=0.1, stratify=bool(rng.random() < 0.7), seed=seed)
    split = split_rows(y, names, settings, known)
    assert covers(split, len(y))
    sides = [set(groups[rows].tolist()) for rows in split.parts().values()]
    assert len(set.union(*sides)) == sum(map(len, sides))
    assert min(map(len, sides)) >= 1
    assert overlaps_of(known, split)["patient"].divided == 0


def test_a_group_split_keeps_sizes_and_classes_as_far_as_the_groups_allow() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3000), rng.integers(1, 8, 3000))
    y = (rng.random(len(groups)) < np.linspace(0.05, 0.6, 3000)[groups]).astype(int)
    split = split_rows(y, ["a", "b"], SplitSettings(method="group"), KnownRows({"g": groups}, {"g": "group"}))
    for rows, share in ((split.test, 0.2), (split.val, 0.1), (split.train, 0.7)):
        assert abs(len(rows) / len(y) - share) < 0.005
        assert abs(y[rows].mean() - y.mean()) < 0.02


def test_few_large_groups_go_where_they_fit_best() -> None:
    groups = np.repeat(np.arange(6), [70, 10, 5, 5, 5, 5])
    settings = SplitSettings(method="group", stratify=False)
    split = split_rows(np.zeros(100), [], settings, KnownRows({"g": groups}, {"g": "group"}))
    assert [len(rows) for rows in split.parts().values()] == [70, 10, 20]


@pytest.mark.parametrize("seed", range(40))
def test_a_time_split_of_a_random_table_never_trains_on_the_future(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 500))
    days = rng.integers(0, int(rng.integers(4, 2 * n)), n)
    days[:3] = [0, 1, 2]
    when: Array = np.datetime64("2020-01-01") + days if rng.random() < 0.5 else days / 7
    split = split_rows(np.zeros(n), [], SplitSettings(method="time"), KnownRows({"visit": when}, {"visit": "order"}))
    assert covers(split, n)
    assert when[split.train].max() < when[split.val].min()
    assert when[split.val].max() < when[split.test].min()


def test_a_time_split_has_the_sizes_asked_for_where_no_time_occurs_twice() -> None:
    when = np.random.default_rng(0).permutation(100)
    known = KnownRows({"visit": when}, {"visit": "order"})
    split = split_rows(np.zeros(100), [], SplitSettings(method="time", test_size=25, val_size=0.1), known)
    assert sorted(when[split.test]) == list(range(75, 100))
    assert sorted(when[split.val]) == list(range(65, 75))


def test_a_column_names_the_parts_in_any_case_and_validation_is_drawn_where_it_names_none() -> None:
    part = np.array((["Train"] * 8 + ["TEST"] * 2) * 10, dtype=object)
    y = np.arange(100) % 2
    known = KnownRows({"set": part}, {"set": "part"})
    split = split_rows(y, ["a", "b"], SplitSettings(method="column"), known)
    np.testing.assert_array_equal(split.test, np.flatnonzero(part == "TEST"))
    assert [len(rows) for rows in split.parts().values()] == [72, 8, 20]
    assert [name for name, _ in split.idle] == ["test_size"]
    part[part == "TEST"] = ["validation", "test"] * 10
    split = split_rows(y, ["a", "b"], SplitSettings(method="column"), known)
    np.testing.assert_array_equal(split.val, np.flatnonzero(part == "validation"))
    assert [name for name, _ in split.idle] == ["test_size", "val_size"]


def test_published_parts_are_kept_and_auto_takes_them() -> None:
    y = np.arange(70) % 7
    known = KnownRows(parts=np.repeat(np.array(["train", "test"], dtype=object), [60, 10]))
    split = split_rows(y, NAMES[:7], SplitSettings(val_size=14), known)
    assert (split.method, len(split.val)) == ("published", 14)
    np.testing.assert_array_equal(split.test, np.arange(60, 70))
    assert notes_of(split, SplitSettings(), {}) == [
        "split.test_size: 0.2 has no effect, as the source has a test part of its own"
    ]
    assert split_rows(y, NAMES[:7], SplitSettings(method="random"), known).method == "random"


def test_a_column_of_another_method_has_no_effect_and_is_named() -> None:
    settings = SplitSettings(method="random", group="patient", order="visit")
    assert notes_of(split_rows(np.zeros(20), [], settings), settings, {}) == [
        "split.group: patient has no effect, as split.method is random",
        "split.order: visit has no effect, as split.method is random",
    ]


def test_groups_stay_whole_when_validation_is_drawn_from_a_published_training_part() -> None:
    groups = np.repeat(np.arange(20), 5)
    parts = np.repeat(np.array(["train", "test"], dtype=object), [80, 20])
    known = KnownRows({"patient": groups}, {"patient": "group"}, parts)
    split = split_rows(np.zeros(100), [], SplitSettings(group="patient"), known)
    assert split.method == "published"
    assert not set(groups[split.train]) & set(groups[split.val])


@pytest.mark.parametrize(
    ("settings", "method"),
    [({}, "random"), ({"group": "patient"}, "group"), ({"order": "visit"}, "time"), ({"part": "set"}, "column"),
     ({"group": "duplicates"}, "group"), ({"method": "Time"}, "time")],
)  # fmt: skip
def test_auto_is_random_unless_a_column_is_named(settings: dict[str, Any], method: str) -> None:
    n = 60
    columns = {"patient": np.arange(n) // 3, "visit": np.arange(n), "set": np.resize(["train", "test"], n)}
    known = KnownRows(columns, {"patient": "group", "visit": "order", "set": "part"})
    assert split_rows(np.zeros(n), [], SplitSettings(**settings), known).method == method


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("method", ["random", "group"])
def test_the_folds_test_every_row_once(method: str, k: int) -> None:
    rng = np.random.default_rng(k)
    y, groups = rng.integers(0, 3, 300), rng.integers(0, 40, 300)
    known = KnownRows({"g": groups}, {"g": "group"})
    folds = [split_rows(y, NAMES[:3], SplitSettings(method=method), known, fold=(i, k)) for i in range(k)]
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(300))
    for fold in folds:
        assert covers(fold, 300)
        assert abs(len(fold.test) - 300 / k) < (1.5 if method == "random" else 25)
        if method == "group":
            assert overlaps_of(known, fold)["g"].divided == 0


def test_there_are_no_more_folds_than_rows() -> None:
    with pytest.raises(DataError, match="expected at most as many folds as samples, 20, found 21"):
        split_rows(np.zeros(20), [], SplitSettings(), KnownRows(), fold=(0, 21))


def test_a_fold_by_time_trains_on_what_is_earlier() -> None:
    when = np.random.default_rng(0).integers(0, 90, 200)
    known = KnownRows({"t": when}, {"t": "order"})
    folds = [split_rows(np.zeros(200), [], SplitSettings(method="time"), known, fold=(i, 4)) for i in range(4)]
    for before, after in pairwise(folds):
        assert when[before.test].max() < when[after.test].min()
    assert all(when[fold.val].max() < when[fold.test].min() for fold in folds)
    assert all(when[fold.train].max() < when[fold.val].min() for fold in folds)
    assert len(folds[-1].test) + len(folds[-1].val) + len(folds[-1].train) == 200


def test_the_folds_of_a_given_test_part_validate_every_other_row_once() -> None:
    parts = np.resize(np.array(["train", "train", "train", "val", "test"], dtype=object), 100)
    folds = [split_rows(np.zeros(100), [], SplitSettings(), KnownRows(parts=parts), fold=(i, 4)) for i in range(4)]
    assert all(fold.test.tolist() == np.flatnonzero(parts == "test").tolist() for fold in folds)
    assert sorted(np.concatenate([fold.val for fold in folds])) == np.flatnonzero(parts != "test").tolist()


def test_a_group_on_both_sides_of_a_random_split_is_counted_and_named() -> None:
    groups = np.repeat(np.arange(50), 4)
    known = KnownRows({"patient": groups}, {"patient": "group"}, duplicates=np.arange(200) // 2)
    split = split_rows(np.zeros(200), [], SplitSettings(), known)
    found = overlaps_of(known, split)
    elsewhere = set(groups[split.train]) | set(groups[split.val])
    assert found["patient"].test_rows == sum(g in elsewhere for g in groups[split.test])
    first, second = notes_of(split, SplitSettings(), found)
    assert f"of 50 groups of column 'patient', so that {found['patient'].test_rows} of 40 test samples" in first
    assert f"{found['duplicates'].test_rows} of 40 test samples equal a sample in train or val" in second


def test_rows_without_a_group_are_a_group_each_and_counted() -> None:
    groups = np.repeat(np.array(["a", "b", "c", "d", "e", None], dtype=object), [10] * 5 + [70])
    known = KnownRows({"patient": groups}, {"patient": "group"})
    settings = SplitSettings(method="group")
    split = split_rows(np.zeros(120), [], settings, known)
    assert covers(split, 120)
    assert all(sum((groups[rows] == g).any() for rows in split.parts().values()) == 1 for g in "abcde")
    assert all((groups[rows] == None).any() for rows in split.parts().values())  # noqa: E711
    found = overlaps_of(known, split)
    assert found["patient"].as_dict() == {"groups": 5, "divided": 0, "test_rows": 0, "missing": 70}
    assert notes_of(split, settings, found) == [
        "70 rows without a value of column 'patient' are each a group of their own; rows that belong together need the "
        "same value"
    ]


@pytest.mark.parametrize(
    ("settings", "known", "message"),
    [
        ({"method": "group"}, KnownRows(), "expected a column with the role group, found none; set dataset.params"),
        ({"method": "time"}, KnownRows(), "expected a column with the role order, found none"),
        ({"method": "published"}, KnownRows(), "expected a source with a test part of its own, found none"),
        ({"group": "age"}, KnownRows(features=["age", "sex"]), "expected a column that is no feature, found 'age'"),
        ({"group": "patiant"}, KnownRows({"patient": np.arange(9)}), "found 'patiant'; did you mean 'patient'?"),
        ({"order": "t"}, KnownRows({"t": np.array([1.0, np.nan] * 5)}), "none in row 1 from 0 (5 in all)"),
        ({"order": "t"}, KnownRows({"t": np.array([0, 1] * 5)}), "at least three different values, one for each part"),
        ({"part": "s"}, KnownRows({"s": np.array(["train", "tset"] * 5)}), "found 'tset'; did you mean 'test'?"),
        ({"part": "s"}, KnownRows({"s": np.array(["train", "val"] * 5)}), "expected rows of the part test, found only"),
        ({"group": "g"}, KnownRows({"g": np.array([0, 1] * 5)}), "at least 3 groups, one for each of test, val, train"),
        ({"test_size": 9}, KnownRows(), "found 10 samples divided into 0 train, 1 val, 9 test"),
        ({"method": "group"}, KnownRows({"a": np.arange(10), "b": np.arange(10)}, {"a": "group", "b": "group"}),
         "one of the columns with the role group (a, b), found none"),
    ],
)  # fmt: skip
def test_what_a_method_lacks_is_named(settings: dict[str, Any], known: KnownRows, message: str) -> None:
    with pytest.raises((SettingsError, DataError)) as error:
        split_rows(np.zeros(10), [], SplitSettings(**settings), known)
    assert message in str(error.value)


def test_the_same_seed_divides_groups_alike_and_another_one_otherwise() -> None:
    rng = np.random.default_rng(0)
    known = KnownRows({"g": rng.integers(0, 5000, 20_000)}, {"g": "group"})
    y = rng.integers(0, 3, 20_000)
    first, again, other = (split_rows(y, NAMES[:3], SplitSettings(method="group", seed=s), known) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)
