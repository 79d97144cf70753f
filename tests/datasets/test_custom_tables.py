"""One's own tables: their columns as features, and what is wrong with them."""

import numpy as np
import pandas as pd
import pytest
from own_data import everything, factors_of, opened, refused

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
    assert dataset.details["features"] == ["size", "legs", "wild", "home=air", "home=land", "home=sea"]
    assert dataset.details["categories"] == {"home": ["air", "land", "sea"]}
    assert read[:2].tolist() == [[1.5, 2, 1, 0, 0, 1], [2.5, 4, 0, 1, 0, 0]]
    assert dataset.class_names == ("NA", "None", "ox")  # words that elsewhere mean a missing value
    assert y[:4].tolist() == [0, 1, 2, 2]


def test_categories_can_be_numbers_and_a_float_target_is_a_regression(tmp_path):
    dataset = opened(table_file(tmp_path), target="mass", encoding="ordinal", features=["home", "size"])
    read, y = everything(dataset)
    assert dataset.task == "regression"
    assert read[:4, 0].tolist() == [2, 0, 1, 0]
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
@pytest.mark.parametrize(
    ("column", "value"),
    [("size", np.nan), ("size", np.inf), ("legs", np.nan), ("home", None), ("mass", np.nan)],
)
def test_a_missing_value_is_named_by_column_and_row(tmp_path, end, column, value):
    path = table_file(tmp_path, end, with_gap(column, value))
    message = f"expected a finite value in each row of column '{column}', found none in row 4 below the header"
    refused(path, message, target="mass" if column == "mass" else "legs" if column != "legs" else "size",
            features=[column] if column != "mass" else ["size"])  # fmt: skip
    kept = opened(path, target="mass", missing="drop", features=["size", "legs", "home"])
    assert kept.n_samples == 19
    assert kept.details["dropped_rows"] == 1
    assert kept.notes[-1] == f"{path}: left out 1 of 20 rows, in which a value is missing"


def test_a_gap_among_numbers_can_be_filled_with_their_mean(tmp_path):
    path = table_file(tmp_path, "csv", with_gap("size"))
    dataset = opened(path, target="mass", features=["size", "legs"], missing="mean")
    assert everything(dataset)[0][3, 0] == pytest.approx(with_gap("size")["size"].mean())
    assert dataset.details["filled"] == {"size": 1}
    text = table_file(tmp_path, "csv", with_gap("home", None))
    message = r"column 'home', found none in row 4 .* \(1 in all\); set dataset.params.missing to drop$"
    refused(text, message, target="mass", features=["home"], missing="mean")
    refused(text, message, target="mass", features=["home"])
    gap = table_file(tmp_path, "csv", with_gap("mass"))
    refused(gap, r"column 'mass'.* set dataset.params.missing to drop$", target="mass", features=["size"])
    gap = table_file(tmp_path, "csv", with_gap("size"))
    refused(gap, r"column 'size'.* set dataset.params.missing to drop, or to mean$", target="mass", features=["size"])


def test_rows_left_out_take_their_factors_with_them(tmp_path):
    pd.DataFrame({"row": range(20)}).to_csv(tmp_path / "m.csv", index=False)
    path = table_file(tmp_path, "csv", with_gap("size"))
    dataset = opened(path, target="mass", features=["size"], missing="drop", metadata=str(tmp_path / "m.csv"))
    assert factors_of(dataset)["row"].tolist() == [*range(3), *range(4, 20)]


def test_integers_beside_dropped_rows_are_classes_still(tmp_path):
    path = table_file(tmp_path, "csv", with_gap("legs"))
    dataset = opened(path, target="legs", features=["size"], missing="drop")
    assert (dataset.task, dataset.class_names) == ("classification", ("2", "4", "6", "8"))


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
        ("a b\n1 2\n", {"target": "b"}, "found columns a b; dataset.params.separator states what divides"),
        ("a,b\n1,x\0\n", {"target": "b"}, "expected text in UTF-8, found a zero byte"),
        ("b\n1\n", {"target": "b"}, "expected columns of features besides the target"),
        ("a,b\n", {"target": "b"}, "expected at least one row below the header"),
        ("", {"target": "b"}, "expected a CSV table, found a damaged or foreign file"),
        ("a,b\n1,2\n1,2,3\n", {"target": "b"}, "found a damaged or foreign file .*line 3"),
        ("a,b\n1,2,3\n4,5,6\n", {"target": "b"}, "its rows have more cells than its header, which has 2"),
        ("a,b\n1,2\n?,3\n2,4\n", {"target": "b"}, r"expected numbers in column 'a', found '\?' in row 2"),
        ("a,b\nNaN,2\n1,3\n", {"target": "b"}, "of column 'a', found none in row 1 below the header"),
        ("a,b\n1,x\n1,\n1,y\n", {"target": "b"}, "of column 'b', found none in row 2"),
        ("a,b\n1,x\n1,nan\n1,y\n", {"target": "b"}, "of column 'b', found none in row 2"),
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

    monkeypatch.setattr("mlx.datasets.custom.table_files.read_csv", forbidden)
    with pytest.raises(PermissionError, match=r"t\.csv"):
        opened(path, target="kind")


def test_a_table_needs_a_target_and_no_column_of_names_or_dates(tmp_path):
    assert refused(table_file(tmp_path), "expected the name of the target", SettingsError).key[-1] == "target"
    names = pd.DataFrame({"name": [f"n{k}" for k in range(1500)], "y": range(1500)})
    path = table_file(tmp_path, "csv", names)
    refused(path, "at most 150 different texts in column 'name' of 1500 rows, found 1500, such as 'n0'", target="y")
    dates = TABLE.assign(when=pd.date_range("2020", periods=20))
    refused(table_file(tmp_path, "parquet", dates), "expected numbers or text in column 'when'", target="kind")
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(50))
    refused(tmp_path / "t.parquet", "expected a PARQUET table, found a damaged or foreign file", target="kind")
