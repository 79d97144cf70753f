"""Tables as everyone has them: what stands for a missing number, copies of the target, names with blanks."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_data import everything, features_of, opened, refused

from mlx.datasets.custom.written_cells import MISSING
from mlx.datasets.custom.written_numbers import means_missing

N = 60
RNG = np.random.default_rng(3)
KIND = RNG.permutation(np.array(["a", "b", "c"] * 20))
NUMBERS = RNG.normal(size=N).round(3)


@pytest.mark.parametrize("gap", [" ", "   ", "\u00a0", "NAN", "Nan", "na", "none", "Null", "#n/a"])
@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_blank_cells_and_spellings_of_nothing_between_numbers_are_missing(tmp_path, gap, end):
    texts = [gap if k == 7 else f"{value}" for k, value in enumerate(NUMBERS)]
    table = pd.DataFrame({"x": texts, "y": KIND})
    path = tmp_path / f"t.{end}"
    table.to_csv(path, index=False) if end == "csv" else table.to_parquet(path)
    read, _ = everything(opened(path, target="y"))
    np.testing.assert_array_equal(read[:, 0], np.where(np.arange(N) == 7, np.nan, NUMBERS))


@pytest.mark.parametrize("word", ["?", "-", ".", "missing", "Total", "#VALUE!"])
def test_other_words_between_numbers_are_named_with_ways_out_that_work(tmp_path, word):
    path = tmp_path / "t.csv"
    table = pd.DataFrame({"x": [word if k == 7 else f"{value}" for k, value in enumerate(NUMBERS)], "y": KIND})
    table.to_csv(path, index=False)
    refused(path, "found '.*' in row 8 below the header.*leave the cell empty", target="y")
    table.assign(x=table["x"].replace(word, "")).to_csv(path, index=False)
    assert np.isnan(everything(opened(path, target="y"))[0][7, 0])


def test_what_a_csv_takes_for_missing_is_missing_between_numbers_of_any_table():
    assert all(map(means_missing, MISSING))


@pytest.mark.parametrize("kind", [pa.null(), pa.float64(), pa.string(), pa.int64(), pa.bool_()], ids=str)
def test_a_column_without_values_is_left_out_and_said(tmp_path, kind):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": NUMBERS, "z": pa.nulls(N, kind), "y": KIND}), path)
    dataset = opened(path, target="y")
    assert features_of(dataset) == ["x"]
    assert dataset.notes == (f"{path}: left out column 'z', as it has no value",)
    refused(path, "column 'z' can't be a feature, as it has no value; leave the col", target="y", features=["x", "z"])


def test_a_target_without_values_is_named(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({"x": NUMBERS, "y": [None] * N}).to_csv(path, index=False)
    refused(path, "expected values in column 'y', the target, found none", target="y")


CODES = {"a": 5, "b": 7, "c": 1}


@pytest.mark.parametrize(
    ("column", "target", "copy"),
    [
        (KIND, [CODES[k] for k in KIND], True),  # the names beside the codes, as in many iris.csv
        ([CODES[k] for k in KIND], KIND, True),
        ([CODES[k] / 2 for k in KIND], KIND, True),
        (KIND == "a", np.where(KIND == "a", "yes", "no"), True),
        (KIND, [CODES[k] * 1.0 for k in KIND], True),
        (NUMBERS, NUMBERS, True),  # a regression
        (np.where(np.arange(N) % 3, NUMBERS, np.nan), NUMBERS, True),
        ([CODES[k] if i % 3 else None for i, k in enumerate(KIND)], KIND, True),
        ([CODES[k] if i % 3 == 0 else None for i, k in enumerate(KIND)], KIND, False),  # known of few
        ([CODES[k] if k != "c" else 5 for k in KIND], KIND, False),  # says less than the target
        ([f"{k}{i % 2}" for i, k in enumerate(KIND)], KIND, False),  # a finer kind, which may be known before
        (NUMBERS, 2 * NUMBERS, False),
        (["a", *KIND[1:-1], "b"], KIND if KIND[0] != "a" else np.roll(KIND, 1), False),
    ],
)
def test_a_column_that_says_the_target_in_other_words_is_warned_of(tmp_path, column, target, copy, capsys):
    path = tmp_path / "t.csv"
    pd.DataFrame({"other": RNG.normal(size=N), "z": column, "y": target}).to_csv(path, index=False)
    opened(path, target="y")
    line = "column 'z' has one value for each value of the target 'y', as a copy of it"
    said = capsys.readouterr().err
    assert (line in said) == copy
    assert "'other'" not in said
    opened(path, target="y", features=["other", "z"])  # whoever names the columns means them
    assert "copy of it" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "target"), [("x, z, y", "y"), (" x , z , y ", "y"), ("x,z, y", " y"), ("x,z,e\u0301", "\u00e9")]
)
def test_a_column_is_found_whatever_blanks_and_encoding_its_name_has(tmp_path, header, target):
    path = tmp_path / "t.csv"
    rows = [f"{k % 5}, {k * k % 7}, {['001', '01', 'None'][k % 3]}" for k in range(N)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    dataset = opened(path, target=target, features=["z", "x"])
    np.testing.assert_array_equal(everything(dataset)[0][:5], [[k * k % 7, k % 5] for k in range(5)])
    assert [name.strip() for name in dataset.class_names] == ["001", "01", "None"]  # as targets are read
    path = tmp_path / "t.parquet"
    names = header.split(",")
    pd.DataFrame({names[0]: NUMBERS, names[1]: NUMBERS, names[2]: KIND}).to_parquet(path)
    assert opened(path, target=target).class_names == ("a", "b", "c")


@pytest.mark.slow
def test_as_many_columns_as_genes_are_read(tmp_path):
    values = RNG.normal(size=(12, 5000)).round(3)
    path = tmp_path / "t.csv"
    pd.DataFrame(values, columns=[f"g{k}" for k in range(5000)]).assign(y=["a", "b"] * 6).to_csv(path, index=False)
    np.testing.assert_array_equal(everything(opened(path, target="y"))[0], values)
