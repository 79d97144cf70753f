"""One table in each format gives the same data; whatever is wrong with a file is said in one message."""

import datetime
import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from own_data import everything, opened, refused

from mlx.core.errors import SettingsError
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.datasets.custom import gathering, json_files, text_files
from mlx.pipeline.generate_data import generate_data

N = 90
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame(
    {
        "size": RNG.normal(size=N),
        "legs": RNG.integers(0, 9, N),
        "tame": RNG.random(N) < 0.5,
        "home": RNG.choice(["house", "Wald", "café, bar", 'the "sea"', "two\nlines"], N),
        "patient": RNG.integers(0, 20, N),
        "mass": np.where(np.arange(N) % 7 == 3, np.nan, RNG.normal(size=N).round(3)),
        "code": RNG.choice(["a001", "b01", "c1"], N),
        "kind": RNG.choice(["cat", "dog", "None"], N),
    }
)


def records(table):
    rows = table.to_dict("records")
    return [{k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()} for row in rows]


def with_decimal_comma(path, table):
    table.to_csv(path, index=False, sep=";", decimal=",")


WRITERS = {
    "csv": lambda path, table: table.to_csv(path, index=False),
    "csv-semicolon.csv": with_decimal_comma,
    "csv-pipe.csv": lambda path, table: table.to_csv(path, index=False, sep="|"),
    "csv-utf16.csv": lambda path, table: table.to_csv(path, index=False, encoding="utf-16"),
    "csv-bom.csv": lambda path, table: table.to_csv(path, index=False, encoding="utf-8-sig"),
    "csv-crlf.csv": lambda path, table: path.write_bytes(
        table.to_csv(index=False).replace("two\nlines", "\0").replace("\n", "\r\n").replace("\0", "two\nlines").encode()
    ),
    "csv-quoted.csv": lambda path, table: table.to_csv(path, index=False, quoting=1),
    "csv-indexed.csv": lambda path, table: table.to_csv(path),
    "tsv": lambda path, table: table.to_csv(path, index=False, sep="\t"),
    "csv.gz": lambda path, table: table.to_csv(path, index=False),
    "tsv.gz": lambda path, table: table.to_csv(path, index=False, sep="\t"),
    "json": lambda path, table: path.write_text(json.dumps(records(table))),
    "json-indented.json": lambda path, table: path.write_text(json.dumps(records(table), indent=2)),
    "jsonl": lambda path, table: path.write_text("\n".join(map(json.dumps, records(table))) + "\n"),
    "ndjson": lambda path, table: path.write_text("\n\n".join(map(json.dumps, records(table)))),
    "jsonl.gz": lambda path, table: path.write_bytes(
        gzip.compress("\n".join(map(json.dumps, records(table))).encode())
    ),
    "parquet": lambda path, table: table.to_parquet(path, row_group_size=40),
    "parquet-pages.parquet": lambda path, table: table.to_parquet(path, compression="gzip", index=True),
    "feather": lambda path, table: table.to_feather(path, chunksize=40),
}


def written(folder, name, table=TABLE):
    path = folder / (name if "." in name and "-" in name else f"t.{name}")
    WRITERS[name](path, table)
    return path


@pytest.mark.parametrize("small_blocks", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_each_format_gives_the_bytes_of_a_plain_csv(tmp_path, monkeypatch, name, small_blocks):
    params = {"target": "kind", "roles": {"patient": "group"}}
    raw = []
    for kind in ("csv", name):
        workspace = Workspace(tmp_path / f"out-{kind}")
        path = written(tmp_path, kind)
        generate_data(workspace, dataset=DatasetSettings(name="custom", path=str(path), params=params))
        files = {file.name: file.read_bytes() for file in sorted(workspace.raw.iterdir())}
        described = json.loads(files.pop("dataset.json"))
        del described["source"], described["inputs"]
        described["details"].pop("written", None)
        raw.append((files, described))
        if small_blocks:  # for the second
            monkeypatch.setattr(gathering, "BLOCK_BYTES", 700)
            monkeypatch.setattr(gathering, "BLOCK_BYTES_A_COLUMN", 1)
            monkeypatch.setattr(json_files, "RECORDS_A_BLOCK", 7)
            monkeypatch.setattr(json_files, "PIECE", 50)
    assert raw[0] == raw[1]


@pytest.mark.parametrize(
    ("name", "separator", "decimal"),
    [("csv", ",", "."), ("csv-semicolon.csv", ";", ","), ("csv-pipe.csv", "|", "."), ("tsv.gz", "\t", ".")],
)
def test_how_a_text_file_is_written_is_stated(tmp_path, capsys, name, separator, decimal):
    dataset = opened(written(tmp_path, name), target="kind")
    assert dataset.details["written"] == {"separator": separator, "decimal": decimal}
    line = f"dataset custom: cells divided by {separator!r}, decimal mark {decimal!r}\n"
    assert (line in capsys.readouterr().err) == ((separator, decimal) not in {(",", "."), ("\t", ".")})
    assert "written" not in opened(written(tmp_path, "parquet"), target="kind").details


@pytest.mark.parametrize("mark", ["^", "~", " ", ":"])
def test_a_rare_separator_is_found_where_it_divides_all_rows(tmp_path, mark):
    path = tmp_path / "t.csv"
    TABLE[["size", "legs", "code"]].to_csv(path, index=False, sep=mark)
    dataset = opened(path, target="code")
    assert dataset.details["written"]["separator"] == mark
    np.testing.assert_array_equal(everything(dataset)[0], TABLE[["size", "legs"]])
    np.testing.assert_array_equal(everything(opened(path, target="code", separator=mark))[0], TABLE[["size", "legs"]])


HARD = [
    "0.1", "1e23", "8.5e22", "9007199254740993", "9007199254740993.0", "1.7976931348623157e308", "4.9e-324", "5.",
    "2.2250738585072011e-308", "2.4703282292062327e-324", "0.500000000000000166533453693773481063544750213623046875",
    "1.00000000000000011102230246251565404236316680908203125", "6.02214076E+23", "-0.0", "00.5", ".5", "+1.5",
    "123456789012345678",
    "3.141592653589793238462643383279502884197169399375105820974944592307816406286", "1e-400",
]  # fmt: skip


def test_numbers_are_those_of_python_to_the_last_bit(tmp_path):
    words = [*HARD, *map(repr, (10.0 ** RNG.uniform(-300, 300, 2000)).tolist()), *map(str, RNG.normal(size=2000))]
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{word},{k % 2}\n" for k, word in enumerate(words)))
    read = everything(opened(path, target="y"), rows=500)[0][:, 0]
    assert [value.hex() for value in read] == [float(word).hex() for word in words]


def test_what_a_column_is_may_show_in_its_last_row_only(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "BLOCK_BYTES", 200)
    monkeypatch.setattr(gathering, "BLOCK_BYTES_A_COLUMN", 1)
    rows = [[str(k % 5), str(k % 9), f"{k % 4}", str(k % 2)] for k in range(500)]
    rows[-1] = ["abc", "2.5", "x", "1"]
    path = tmp_path / "t.csv"
    path.write_text("word,number,few,y\n" + "".join(",".join(row) + "\n" for row in rows))
    refused(path, "expected numbers in column 'word', found 'abc' in row 500 below the header", target="y")
    X, y = everything(opened(path, target="y", features=["number"]))
    np.testing.assert_array_equal(X[:, 0], [float(row[1]) for row in rows])
    np.testing.assert_array_equal(y, [int(row[3]) for row in rows])
    assert opened(path, target="few", features=["number"]).class_names == ("0", "1", "2", "3", "x")


def test_a_word_among_more_numbers_than_texts_are_kept_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "BLOCK_BYTES", 200)
    monkeypatch.setattr(gathering, "BLOCK_BYTES_A_COLUMN", 1)
    monkeypatch.setattr(gathering.Wanted.__dataclass_fields__["most_texts"], "default", 100)
    monkeypatch.setattr(gathering.Wanted, "__init__", _wanted_with_few_texts(gathering.Wanted.__init__))
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{k}.5,{k % 2}\n" for k in range(300)) + "odd,1\n")
    refused(path, "'x'.*numbers and, in row 301 below the header, 'odd'", target="y", features=["x"])


def _wanted_with_few_texts(init):
    return lambda self, accepts, as_text=frozenset(), most_texts=100: init(self, accepts, as_text, most_texts)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "expected a header and rows of cells, found an empty file"),
        ("t.csv", b"\n\n", "expected a header and rows of cells, found an empty file"),
        ("t.csv", b"x,y\n", "expected at least one row below the header"),
        ("t.csv", b"x,y", "expected at least one row below the header"),
        ("t.csv", b"x,y\n1,2\n3\n", "expected 2 cells divided by ',' in each row, as in the header, found 1 in line 3"),
        ("t.csv", b"x,y\n1,2\n3,4,5\n", r"found 3 in line 3: '3,4,5'"),
        ("t.csv", b"x,x,y\n1,2,3\n", "expected one column 'x', found 2"),
        ("t.csv", b"x,y\n1,a\0b\n", "found a zero byte"),
        ("t.csv", b"x,y\n" + b"1,a\n" * 200_000 + b"1,a\0b\n", "found a zero byte"),
        ("t.csv", b"x,y\n1,\xff\xfe\n", r"expected text in UTF-8, found other bytes \(b'\\xff\\xfe"),
        ("t.csv", b"x,y\n" + b"1,a\n" * 200_000 + b"1,\xe9t\n", "expected text in UTF-8, found other bytes"),
        ("t.csv.gz", b"", "expected a CSV table, found a damaged|empty file"),
        ("t.csv.gz", b"x,y\n1,2\n", "expected a CSV table, found a damaged or foreign file .*gzip"),
        ("t.csv.gz", gzip.compress(b"x,y\n1,2\n" * 999, mtime=0)[:-9], "found a damaged or foreign file"),
        ("t.json", b"", "expected a JSON table, found a damaged or foreign file"),
        ("t.json", b"[", "element 1 of the array"),
        ("t.json", b"[]", "expected at least one row"),
        ("t.json", b'[{"x": 1, "y": 0}, {"x": 2', "element 2 of the array"),
        ("t.json", b'[{"x": 1, "y": 0}, 5]', "neither a list of rows nor columns by name"),
        ("t.json", b'"abc"', "neither a list of rows nor columns by name"),
        ("t.json", b'[{"x": 1, "x": 2, "y": 0}]', "expected one column 'x', found 2"),
        ("t.json", b'[{"x": 1, "y": 0}, {"x": {"a": 1}, "y": 1}]', "in column 'x', found dict and int"),
        ("t.json", b'[{"x": [1], "y": 0}, {"x": [2], "y": 1}]', "in column 'x', found list"),
        ("t.json", b'[{"x": 1, "y": 0}, {"x": "two", "y": 1}]', "in column 'x', found int and str"),
        ("t.jsonl", b"", "expected at least one row"),
        ("t.jsonl", b'{"x": 1, "y": 0}\n{"x": 2, "y"\n', "expected a JSON record in line 2, found"),
        ("t.jsonl", b'{"x": 1, "y": 0}\n[1, 2]\n', r"expected a JSON record in line 2, found '\[1, 2\]'"),
        ("t.jsonl", b'{"x": 1, "y": "\xff"}\n', "expected text in UTF-8, found other bytes"),
        ("t.parquet", b"PAR1", "expected a Parquet table, found a damaged or foreign file"),
        ("t.feather", b"ARROW1", "expected a Feather table, found a damaged or foreign file"),
        ("t.xlsx", b"PK", "expected an .npz, .npy, .csv, .tsv, .json, .jsonl, .parquet or .feather file"),
    ],
)  # fmt: skip
def test_a_file_that_can_not_be_read_says_why(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    error = refused(path, message, target="y")
    assert "\n" not in str(error)
    assert len(str(error)) < 600


def test_a_file_that_unpacks_to_far_more_than_a_table_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "LEAST_BOMB", 1 << 16)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n" + b"0,0\n" * 100_000))
    refused(path, "found a file that unpacks to over 200 times its size", target="y")


def test_a_row_longer_than_a_block_is_read_and_one_longer_than_any_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("x,z,y\n" + "".join(f"{k},{'w' * (30000 if k == 5 else 1)},{k % 2}\n" for k in range(40)))
    monkeypatch.setattr(gathering, "BLOCK_BYTES", 100)
    monkeypatch.setattr(gathering, "BLOCK_BYTES_A_COLUMN", 1)
    assert everything(opened(path, target="y"))[0].shape == (40, 2)
    monkeypatch.setattr(gathering, "LARGEST_BLOCK", 1600)
    refused(path, "expected rows of at most 0 MB, found more", target="y")


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_a_key_that_a_record_lacks_is_a_missing_value(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(json_files, "RECORDS_A_BLOCK", 3)
    rows = [{"x": k, "y": k % 2} | ({"late": k / 2} if k > 6 else {}) for k in range(10)]
    rows[4].pop("x")
    path = tmp_path / f"t.{kind}"
    path.write_text(json.dumps(rows) if kind == "json" else "\n".join(map(json.dumps, rows)))
    X, _ = everything(opened(path, target="y"))
    np.testing.assert_array_equal(X[:, 0], [np.nan if k == 4 else k for k in range(10)])
    np.testing.assert_array_equal(X[:, 1], [k / 2 if k > 6 else np.nan for k in range(10)])


@pytest.mark.parametrize("end", ["csv", "jsonl", "parquet", "feather", "csv.gz"])
def test_a_test_file_and_metadata_come_in_any_format(tmp_path, end):
    (tmp_path / "a").mkdir()
    path, test = written(tmp_path, end), written(tmp_path / "a", end, TABLE[::-1].reset_index(drop=True))
    dataset = opened(path, target="kind", test_path=str(test))
    assert dataset.roles.sizes() == {"train": N, "test": N}
    X, _ = everything(dataset)
    np.testing.assert_array_equal(X[:N], X[N:][::-1])
    np.save(tmp_path / "X.npy", TABLE[["size"]].to_numpy())
    np.save(tmp_path / "y.npy", np.arange(N) % 2)
    known = opened(tmp_path / "X.npy", target="y.npy", metadata=str(path), roles={"patient": "group"})
    assert set(next(iter(known.blocks(5))).factors) == {"size", "legs", "tame", "home", "mass", "code", "kind"}
    np.testing.assert_array_equal(known.roles.columns["patient"], TABLE["patient"])


@pytest.mark.parametrize(
    ("end", "other"), [("csv", "parquet"), ("parquet", "tsv"), ("jsonl", "feather"), ("tsv", "json")]
)
def test_a_test_file_may_have_another_format_than_the_other(tmp_path, end, other):
    path, test = written(tmp_path, end), written(tmp_path, other, TABLE[::-1].reset_index(drop=True))
    dataset = opened(path, target="kind", test_path=str(test), roles={"patient": "group"})
    X, y = everything(dataset)
    np.testing.assert_array_equal(X[:N], everything(opened(path, target="kind", roles={"patient": "group"}))[0])
    np.testing.assert_array_equal(X[:N], X[N:][::-1])
    np.testing.assert_array_equal(y[:N], y[N:][::-1])
    np.testing.assert_array_equal(dataset.roles.columns["patient"], [*TABLE["patient"], *TABLE["patient"][::-1]])


@pytest.mark.slow
# Of text, lines get long; of typed files, whose columns are taken one by one, fewer do.
@pytest.mark.parametrize(("end", "count"), [("csv", 20_000), ("json", 20_000), ("parquet", 4_000), ("feather", 4_000)])
def test_thousands_of_columns_are_read(tmp_path, end, count):
    values = RNG.normal(size=(6, count)).round(2)
    table = pd.DataFrame(values, columns=[f"g{k}" for k in range(count)]).assign(y=["a", "b"] * 3)
    np.testing.assert_array_equal(everything(opened(written(tmp_path, end, table), target="y"))[0], values)


def test_times_and_lists_of_typed_files_are_no_numbers(tmp_path):
    path = tmp_path / "t.feather"
    days = [datetime.date(2024, 1, 1 + k) for k in range(8)]
    pa.feather.write_feather(pa.table({"x": np.arange(8), "t": [[1]] * 8, "d": days, "y": ["a", "b"] * 4}), str(path))
    refused(path, "in column 't', found list", target="y")
    dataset = opened(path, target="y", features=["x", "d"])
    np.testing.assert_array_equal(everything(dataset)[0][:, 1], 19723 + np.arange(8))


def test_a_stated_separator_and_decimal_mark_are_taken(tmp_path):
    path = written(tmp_path, "csv-semicolon.csv", TABLE[["mass", "size", "kind"]])
    read = everything(opened(path, target="kind", separator=";", decimal=","))[0]
    np.testing.assert_array_equal(read, TABLE[["mass", "size"]])
    refused(
        path, "expected a column 'kind'.*dataset.params.separator states what divides", target="kind", separator="|"
    )
    refused(written(tmp_path, "jsonl"), "has no meaning for a .jsonl file", SettingsError, target="kind", separator=";")
