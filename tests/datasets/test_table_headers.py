"""Names above the columns of one's own tables: none twice, and no index among the features."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_data import X, Y, everything, features_of, opened, refused

ROWS = 40
NOISE = np.random.default_rng(0).normal(size=ROWS).round(3)
KIND = np.repeat(["a", "b"], ROWS // 2)


def written(folder, header, columns, separator=","):
    path = folder / "t.csv"
    lines = [separator.join(map(str, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "name", "places"),
    [
        ("y,x,y", "y", "1 and 3"),
        ("x,x,y", "x", "1 and 2"),
        ("y,x,y ", "y", "1 and 3"),
        ("caf\u00e9,cafe\u0301,y", "caf\u00e9", "1 and 2"),
        ('"y",x,y', "y", "1 and 3"),
        ("y,x,y\u200b", "y", "1 and 3"),
    ],
)
def test_two_columns_of_one_name_are_refused_before_a_reader_renames_them(tmp_path, header, name, places):
    path = written(tmp_path, header, [KIND, NOISE, KIND])
    error = refused(path, rf"expected one column '{name}', found 2.* \(columns {places} of the table\)", target="y")
    assert str(path) in str(error)


def test_names_that_differ_in_case_or_as_a_renamed_column_would_are_two_columns(tmp_path):
    path = written(tmp_path, "y,x,X,x.1", [KIND, NOISE, NOISE, NOISE])
    assert features_of(opened(path, target="y")) == ["x", "X", "x.1"]


def test_parquet_and_json_tables_with_one_name_twice_are_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array(KIND), pa.array(NOISE), pa.array(KIND)], names=["y", "x", "y"])
    pq.write_table(table, tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "expected one column 'y', found 2", target="y")
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    rows = ",".join('{"size": 1, "size": 2}' for _ in range(30))
    (tmp_path / "m.json").write_text(f"[{rows}]")
    refused(tmp_path / "a.npz", "m.json: expected one column 'size', found 2", metadata=str(tmp_path / "m.json"))
    (tmp_path / "m.csv").write_text("size,size\n" + "1,2\n" * 30)
    refused(tmp_path / "a.npz", "m.csv: expected one column 'size', found 2", metadata=str(tmp_path / "m.csv"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("", range(ROWS)),
        ("", range(1, ROWS + 1)),
        ('""', np.random.default_rng(1).permutation(ROWS)),
        ("", range(5, 5 * ROWS + 5, 5)),
        ("Unnamed: 0", range(ROWS)),
        ("", [f"row{k}" for k in range(ROWS)]),
    ],
    ids=["from0", "from1", "shuffled", "part", "reread", "names"],
)
def test_a_nameless_index_is_left_out_and_said(tmp_path, name, values):
    dataset = opened(written(tmp_path, f"{name},x,y", [values, NOISE, KIND]), target="y")
    assert features_of(dataset) == ["x"]
    np.testing.assert_array_equal(everything(dataset)[0][:, 0], NOISE)
    assert len(dataset.notes) == 1
    assert "t.csv: left out column 1" in dataset.notes[0]


def test_what_pandas_writes_with_its_index_is_read_as_without(tmp_path):
    frame = pd.DataFrame({"x": NOISE, "y": KIND})
    frame.to_csv(tmp_path / "with.csv")
    frame.to_csv(tmp_path / "without.csv", index=False)
    frame.sample(frac=1, random_state=0).sort_values("y").to_parquet(tmp_path / "with.parquet")
    for name in ("with.csv", "without.csv", "with.parquet"):
        assert features_of(opened(tmp_path / name, target="y")) == ["x"], name
    assert not opened(tmp_path / "without.csv", target="y").notes
    assert "index" in opened(tmp_path / "with.parquet", target="y").notes[0]


def test_an_index_with_a_name_is_used_where_the_settings_name_it(tmp_path):
    frame = pd.DataFrame({"x": NOISE, "y": KIND}, index=pd.Index(np.arange(ROWS) * 2, name="age"))
    frame.to_parquet(tmp_path / "t.parquet")
    dataset = opened(tmp_path / "t.parquet", target="y")
    assert features_of(dataset) == ["x"]
    assert "left out 'age', the index" in dataset.notes[0]
    used = opened(tmp_path / "t.parquet", target="y", features=["age", "x"])
    np.testing.assert_array_equal(everything(used)[0][:, 0], np.arange(ROWS) * 2)
    frame.set_index("y").to_parquet(tmp_path / "t.parquet")
    assert opened(tmp_path / "t.parquet", target="y").class_names == ("a", "b")


def test_another_column_without_a_name_is_refused_and_an_empty_one_left_out(tmp_path):
    path = written(tmp_path, ",x,y", [np.tile(range(20), 2), NOISE, KIND])
    refused(path, r"expected a name above each column, found none above column 1 \(0, 1, 2, …\)", target="y")
    path = written(tmp_path, "x,y,", [NOISE, KIND, [""] * ROWS])
    dataset = opened(path, target="y")
    assert features_of(dataset) == ["x"]
    assert "left out column 3, which has neither a name nor values" in dataset.notes[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.arange(ROWS), "column 'id' counts the rows from 0 to 39"),
        (np.random.default_rng(0).permutation(ROWS) + 1, "column 'id' counts the rows from 1 to 40"),
        (np.random.default_rng(0).permutation(ROWS) * 37, "column 'id' has another value in each row"),
        ([f"s{k}" for k in range(ROWS)], "column 'id' has another value in each row"),
        (np.arange(ROWS, dtype=float), "column 'id' counts the rows from 0 to 39"),
    ],
    ids=["counts", "shuffled", "numbers", "text", "floats"],
)
def test_columns_that_look_like_ids_are_warned_of_and_kept(tmp_path, values, message):
    dataset = opened(written(tmp_path, "id,x,y", [values, NOISE, KIND]), target="y")
    assert any(name.startswith("id") for name in features_of(dataset))
    assert [message in note for note in dataset.notes] == [True]
    assert "leave the column out with dataset.params.roles: {id: ignore}" in dataset.notes[0]
    assert not opened(tmp_path / "t.csv", target="y", features=["x"]).notes
    assert not opened(tmp_path / "t.csv", target="y", features=["id", "x"]).notes  # chosen


def test_measurements_and_counts_are_not_taken_for_ids(tmp_path):
    counts = np.random.default_rng(0).poisson(3, ROWS)
    dataset = opened(written(tmp_path, "x,n,y", [NOISE, counts, KIND]), target="y")
    assert not dataset.notes


def test_what_was_left_out_is_said_by_the_step_that_reads(tmp_path, capsys):
    from mlx.core.paths import Workspace
    from mlx.datasets import DatasetSettings
    from mlx.pipeline.generate_data import generate_data

    path = written(tmp_path, ",x,y", [range(ROWS), NOISE, np.arange(ROWS) % 2])
    generate_data(Workspace(tmp_path), dataset=DatasetSettings(name="custom", path=str(path), params={"target": "y"}))
    first, second = capsys.readouterr().err.splitlines()[:2]
    assert first == (
        "dataset custom: targets taken for a classification (integers of 2 different values); "
        "if they are a quantity, set dataset.params.task: regression"
    )
    assert second.startswith(f"warning: {path}: left out column 1, an index without a name")
    described = json.loads((tmp_path / "data" / "raw" / "dataset.json").read_text())
    assert [(c["name"], c["use"]) for c in described["columns"]] == [("x", "feature"), ("y", "target")]
