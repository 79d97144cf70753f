"""One's own tables: their columns as features, and what is wrong with them."""

import numpy as np
import pandas as pd
import pytest
from own_data import everything, factors_of, features_of, opened, refused
from pydantic import ValidationError

from mlx.core.errors import SettingsError

TABLE = pd.DataFrame(
    {
        "size": [1.5, 2.5, 0.5, 3.5] * 5,
        "legs": [2, 4, 6, 8] * 5,
        "wild": [True, False] * 10,
        "home": ["sea", "air", "land", "air"] * 5,
        "kind": ["NA", "None", "ox", "ox"] * 5,
        "mass": [0.25, 1.0, 2.0, 3.0] * 5,
    }
)


def table_file(folder, end="csv", table=TABLE):
    path = folder / f"t.{end}"
    table.to_csv(path, index=False) if end == "csv" else table.to_parquet(path)
    return path


@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_columns_of_numbers_and_text_become_features(tmp_path, end):
    dataset = opened(table_file(tmp_path, end), target="kind", features=["size", "legs", "wild", "home"])
    read, y = everything(dataset)
    assert [(c.name, c.kind) for c in dataset.features] == [
        ("size", "numeric"), ("legs", "numeric"), ("wild", "boolean"), ("home", "categorical")
    ]  # fmt: skip
    assert dataset.features[3].categories == ["air", "land", "sea"]
    assert [(c.name, c.use, c.kind) for c in dataset.columns[4:]] == [
        ("kind", "target", "categorical"), ("mass", "left out", "numeric")
    ]  # fmt: skip
    assert read[:2].tolist() == [[1.5, 2, 1, 2], [2.5, 4, 0, 0]]
    assert dataset.class_names == ("NA", "None", "ox")  # words that elsewhere mean a missing value
    assert y[:4].tolist() == [0, 1, 2, 2]


def test_a_float_target_is_a_regression(tmp_path):
    dataset = opened(table_file(tmp_path), target="mass", features=["home", "size"])
    _, y = everything(dataset)
    assert dataset.task == "regression"
    assert y[:4].tolist() == [0.25, 1, 2, 3]


def test_categorical_columns_of_a_parquet_file_are_read(tmp_path):
    table = TABLE.astype({"home": "category", "kind": "category", "legs": "Int64"})
    read, _ = everything(opened(table_file(tmp_path, "parquet", table), target="kind"))
    np.testing.assert_array_equal(read, everything(opened(table_file(tmp_path), target="kind"))[0])


def with_gap(column, value=np.nan, row=3):
    table = TABLE.astype({"legs": float}) if column == "legs" else TABLE.copy()
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize("end", ["csv", "parquet"])
@pytest.mark.parametrize(("column", "value"), [("size", np.nan), ("size", np.inf), ("legs", np.nan), ("home", None)])
def test_a_missing_value_is_a_gap(tmp_path, end, column, value):
    path = table_file(tmp_path, end, with_gap(column, value))
    dataset = opened(path, target="mass", features=["size", "legs", "home"])
    assert np.argwhere(np.isnan(everything(dataset)[0])).tolist() == [[3, features_of(dataset).index(column)]]
    assert {c.name: c.gaps for c in dataset.features} == {name: name == column for name in features_of(dataset)}
    infinite = [f"{path}: column 'size' has infinite numbers in 1 rows, which count as missing"]
    assert list(dataset.notes) == (infinite if value == np.inf else [])


def test_rows_without_a_target_are_left_out_with_their_factors(tmp_path):
    pd.DataFrame({"row": range(20)}).to_csv(tmp_path / "m.csv", index=False)
    path = table_file(tmp_path, "csv", with_gap("mass"))
    dataset = opened(path, target="mass", features=["size"], metadata=str(tmp_path / "m.csv"))
    assert factors_of(dataset)["row"].tolist() == [*range(3), *range(4, 20)]
    assert dataset.notes == (f"{path}: left out 1 of 20 rows, in which the target 'mass' has no value",)


def test_integers_beside_a_gap_are_classes_still(tmp_path):
    path = table_file(tmp_path, "csv", with_gap("legs"))
    dataset = opened(path, target="legs", features=["size"])
    assert (dataset.task, dataset.class_names) == ("classification", ("2", "4", "6", "8"))


@pytest.mark.parametrize(
    ("params", "instead"),
    [
        ({"missing": "mean"}, "preprocessing.missing: impute, which is the default"),
        ({"missing": "drop"}, "preprocessing.missing: drop"),
        ({"missing": "error"}, "preprocessing.missing: reject"),
        ({"missing": 3}, r"preprocessing.missing \(impute, drop or reject\)"),
        ({"encoding": "onehot"}, "preprocessing.columns: {categorical: {encoder: onehot}}, which is the default"),
        ({"encoding": "ordinal"}, "preprocessing.columns: {categorical: {encoder: ordinal}}"),
    ],
)
def test_what_was_fitted_to_all_rows_names_the_key_that_takes_its_place(tmp_path, params, instead):
    with pytest.raises(ValidationError, match=f"set {instead}, in its place, found {next(iter(params.values()))}"):
        opened(table_file(tmp_path), target="kind", **params)


@pytest.mark.parametrize(
    ("text", "params", "message"),
    [
        ("a,b\n1,2\n", {"target": "bb"}, "expected a column 'bb', .* found columns a, b; did you mean 'b'"),
        (
            "a,b\n1,2\n",
            {"target": "b", "features": ["q"]},
            "expected a column 'q', as dataset.params.features",
        ),
        ("a,b\n1,2\n", {"target": "b", "features": ["b"]}, "expected columns of features besides the target"),
        ("a,b\n1,2\n", {"target": "y"}, "found columns a, b$"),
        ("a=b\n1=2\n", {"target": "b"}, "found columns a=b; dataset.params.separator states what divides"),
        ("a,b\n1,x\0\n", {"target": "b"}, "expected text in UTF-8, found a zero byte"),
        ("b\n1\n", {"target": "b"}, "expected columns of features besides the target"),
        ("a,b\n", {"target": "b"}, "expected at least one row below the header"),
        ("", {"target": "b"}, "expected a header and rows of cells, found an empty file"),
        ("a,b\n1,2\n1,2,3\n", {"target": "b"}, "expected 2 cells .* as in the header, found 3 in line 3"),
        ("a,b\n1,2,3\n4,5,6\n", {"target": "b"}, "expected 2 cells .* as in the header, found 3 in line 2"),
        ("a,b\n1,2\n?,3\n2,4\n", {"target": "b"}, r"expected numbers in column 'a', found '\?' in row 2"),
    ],
)
def test_tables_that_can_not_be_used_say_why(tmp_path, text, params, message):
    (tmp_path / "t.csv").write_text(text)
    assert str(tmp_path / "t.csv") in str(refused(tmp_path / "t.csv", message, **params))


def test_a_column_is_a_feature_once(tmp_path):
    error = refused(
        table_file(tmp_path), "'legs' twice", SettingsError, target="kind", features=["legs", "size", "legs"]
    )
    assert error.key == ("dataset", "params", "features")


def test_integers_of_any_length_are_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{10**25 + 10**24 * (k % 5)},{k % 2}\n" for k in range(20)))
    np.testing.assert_allclose(everything(opened(tmp_path / "t.csv", target="y"))[0][:2, 0], [1e25, 1.1e25])


def test_a_table_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    path = table_file(tmp_path)

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("mlx.datasets.custom.formats.csv_layout", forbidden)
    with pytest.raises(PermissionError, match=r"t\.csv"):
        opened(path, target="kind")


def test_a_table_needs_a_target_and_a_column_that_can_be_a_feature(tmp_path):
    assert refused(table_file(tmp_path), "expected the name of the target", SettingsError).key[-1] == "target"
    names = pd.DataFrame({"name": [f"n{k}" for k in range(1500)], "y": range(1500)})
    path = table_file(tmp_path, "csv", names)
    why = "it has 1500 different texts in 1500 rows, such as 'n0', and at most 150 are taken for categories"
    refused(path, f"column 'name' can't be a feature, as {why}, and no other can", target="y")
    table_file(tmp_path, "csv", names.assign(x=names["y"] % 7))
    dataset = opened(path, target="y")
    assert (features_of(dataset), dataset.notes[-1]) == (["x"], f"{path}: left out column 'name', as {why}")
    refused(path, f"column 'name' can't be a feature, as {why}; leave", target="y", features=["name", "x"])
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(50))
    refused(tmp_path / "t.parquet", "expected a Parquet table, found a damaged or foreign file", target="kind")
