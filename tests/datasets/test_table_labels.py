"""Targets of one's own tables: codes of classes keep the form that they are written in, numbers stay numbers."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from own_data import everything, features_of, opened, refused

COUNT = np.arange(40)
NOISE = np.random.default_rng(0).normal(size=40).round(3)


def csv_file(folder, words):
    path = folder / "t.csv"
    rows = [f"{x},{word}" for x, word in zip(NOISE, np.resize(np.array(words, object), 40), strict=True)]
    path.write_text("\n".join(["x,y", *rows]) + "\n")
    return path


def parquet_file(folder, values):
    frame = pd.DataFrame({"x": NOISE})
    frame["y"] = values
    frame.to_parquet(folder / "t.parquet", index=False)
    return folder / "t.parquet"


@pytest.mark.parametrize(
    "words",
    [
        ["001", "01", "1"],
        ["1E5", "2B1", "300"],
        ["1E5", "1E6", "100000"],
        ["+1", "-1"],
        ["NA", "None", "null", "a"],
        ["inf", "-inf", "1"],
        ["True", "true", "1"],
        ["0x10", "16"],
        ["1_000", "1000"],
        ["007", "7", "07"],
        ["99999999999999999999", "99999999999999999998"],
        ["00", "0"],
        ["-0", "0"],
        ["\u0661", "1"],
    ],
    ids=str,
)
def test_codes_of_classes_keep_their_form(tmp_path, words):
    dataset = opened(csv_file(tmp_path, words), target="y")
    assert (dataset.task, dataset.class_names) == ("classification", tuple(sorted(words)))
    read = np.array(dataset.class_names)[everything(dataset)[1]]
    assert read.tolist() == np.resize(words, 40).tolist()
    for values in (np.resize(words, 40), pd.Categorical(np.resize(words, 40))):
        assert opened(parquet_file(tmp_path, values), target="y").class_names == dataset.class_names
    np.savez(tmp_path / "a.npz", X=NOISE[:, np.newaxis], y=np.resize(words, 40))
    assert opened(tmp_path / "a.npz").class_names == dataset.class_names


@pytest.mark.parametrize(
    ("words", "task", "names"),
    [
        (["0", "1", "10", "2"], "auto", ("0", "1", "2", "10")),
        ([" 0", " 1"], "auto", ("0", "1")),
        (["-1", "1"], "auto", ("-1", "1")),
        (["9223372036854775808", "18446744073709551615"], "auto", ("9223372036854775808", "18446744073709551615")),
        (["-9223372036854775808", "1"], "auto", ("-9223372036854775808", "1")),
        (["0.0", "1.0"], "classification", ("0", "1")),
        (["1.0", "1.00"], "classification", ("1.0", "1.00")),
        (["250.1", "250.10", "003"], "classification", ("003", "250.1", "250.10")),
        (["1,5", "2"], "classification", ("1,5", "2")),
    ],
)
def test_integers_are_sorted_as_numbers_and_stated_names_kept(tmp_path, words, task, names):
    dataset = opened(csv_file(tmp_path, [f'"{word}"' for word in words]), target="y", task=task)
    assert (dataset.task, dataset.class_names) == ("classification", names)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["0.0", "1.0"], [0, 1]),
        (["1e-05", "2"], [1e-5, 2]),
        (["0.5", "1E5"], [0.5, 1e5]),
        (["+1.5", "-1.5"], [1.5, -1.5]),
        ([" 1.5", "2.5 "], [1.5, 2.5]),
    ],
)
def test_targets_with_a_fraction_are_numbers_and_it_is_said(tmp_path, words, values):
    dataset = opened(csv_file(tmp_path, words), target="y")
    assert dataset.task == "regression"
    assert everything(dataset)[1].tolist() == np.resize(values, 40).tolist()
    assert dataset.inferred.startswith("taken for a regression (numbers of floating type")
    assert dataset.inferred.endswith("if they are classes, set dataset.params.task: classification")


def test_names_that_only_differ_by_blanks_are_refused(tmp_path):
    for words in (["a", "a "], [" 1", "1"], ["007", "007 "], ["1", "1\u200b"]):
        refused(csv_file(tmp_path, words), "differ by more than blanks and .* in column 'y'.* in row 2", target="y")
    assert opened(csv_file(tmp_path, [" 1", "1"]), target="y", task="regression").task == "regression"


def test_a_word_for_missing_values_as_a_class_is_warned_of(tmp_path):
    dataset = opened(csv_file(tmp_path, ["0", "1", "NA"]), target="y")
    assert dataset.class_names == ("0", "1", "NA")
    assert "'NA', taken for the name of a class; if it means a missing value" in dataset.notes[0]
    assert not opened(csv_file(tmp_path, ["0", "1"]), target="y").notes


@pytest.mark.parametrize(
    ("values", "task", "read"),
    [
        ([Decimal("1.50") + k % 12 for k in range(40)], "regression", 1.5 + COUNT % 12),
        ([Decimal(k % 3) for k in range(40)], "classification", COUNT % 3),
        ([b"dog", b"cat"] * 20, "classification", (COUNT + 1) % 2),
        (np.array([2**63, 2**63 + 1] * 20, np.uint64), "classification", COUNT % 2),
        (pd.array([True, False] * 20, "boolean"), "classification", (COUNT + 1) % 2),
        (pd.array([5, 7] * 20, "Int8"), "classification", COUNT % 2),
        (pd.Categorical(np.array([30, 4])[COUNT % 2]), "classification", (COUNT + 1) % 2),
        (NOISE.astype(np.float32), "regression", NOISE.astype(np.float32)),
        (["1", "10", "2", "2"] * 10, "classification", np.resize([0, 1, 2, 2], 40)),
    ],
    ids=lambda value: str(getattr(value, "dtype", type(value[0]).__name__)) if not isinstance(value, str) else "",
)
def test_the_types_of_a_parquet_file_are_kept_to(tmp_path, values, task, read):
    dataset = opened(parquet_file(tmp_path, values), target="y")
    assert dataset.task == task
    np.testing.assert_array_equal(everything(dataset)[1], read)


def test_unsigned_and_large_integers_beside_gaps_are_exact(tmp_path):
    for dtype, low in (("UInt64", 2**63), ("Int64", 2**53)):
        values = pd.array([low, low + 1, None, low] * 10, dtype)
        dataset = opened(parquet_file(tmp_path, values), target="y")
        assert dataset.class_names == (str(low), str(low + 1))
        assert dataset.n_samples == 30


def test_truth_beside_gaps_stays_truth(tmp_path):
    values = pd.array([True, False, None, True] * 10, "boolean")
    dataset = opened(parquet_file(tmp_path, values), target="y")
    assert dataset.class_names == ("False", "True")
    assert dataset.inferred.startswith("taken for a classification (true and false)")
    dataset = opened(csv_file(tmp_path, ["True", "False", "", "True"]), target="y")
    assert dataset.class_names == ("False", "True")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([[1], [2]] * 20, "list"),
        (pd.to_datetime(["2024-01-01", "2024-01-02"] * 20), "dates or times"),
        ([datetime.date(2024, 1, 1)] * 40, "dates or times"),
        ([datetime.timedelta(days=1)] * 40, "timedelta"),
        ([{"a": 1}, {"a": 2}] * 20, "dict"),
        (["2024-01-01", "2024-01-02"] * 20, "dates or times"),
        ([b"\xff\xfe", b"a"] * 20, "other bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lists_dates_and_other_objects_are_refused_as_target_and_as_feature(tmp_path, values, found):
    path = parquet_file(tmp_path, values)
    refused(path, f"in column 'y'.*found {found}", target="y")
    pd.DataFrame({"x": values, "y": COUNT % 2}).to_parquet(path)
    if found.startswith("date"):
        assert opened(path, target="y").features[0].kind == "date"
        return
    refused(path, f"in column 'x'.*found {found}", target="y")


def test_decimals_and_bytes_are_features(tmp_path):
    frame = pd.DataFrame({"x": [Decimal("1.50") + k for k in range(40)], "z": [b"b", b"a"] * 20, "y": COUNT % 2})
    frame.to_parquet(tmp_path / "t.parquet")
    dataset = opened(tmp_path / "t.parquet", target="y")
    assert features_of(dataset) == ["x", "z"]
    assert everything(dataset)[0][:2].tolist() == [[1.5, 1], [2.5, 0]]
