"""One's own data: arrays, tables and functions, the task they are for, and what is wrong with them."""

import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlx.core.errors import DataError, SettingsError
from mlx.datasets import DatasetSettings, open_dataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
Y = np.arange(30) % 3


def opened(path, **params):
    return open_dataset(DatasetSettings(name="custom", path=None if path is None else str(path), params=params))


def everything(dataset, rows=7):
    blocks = list(dataset.blocks(rows))
    return np.concatenate([b.X for b in blocks]), np.concatenate([b.y for b in blocks])


def factors_of(dataset, rows=7):
    tables = [block.factors for block in dataset.blocks(rows)]
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def refused(path, message, kind=DataError, **params):
    with pytest.raises(kind, match=message) as caught:
        everything(opened(path, **params))
    return caught.value


@pytest.mark.parametrize("form", ["npz", "compressed", "npy", "folder"])
def test_arrays_come_back_in_every_form(tmp_path, form):
    if form == "folder":
        path, params = tmp_path, {}
    elif form == "npy":
        path, params = tmp_path / "X.npy", {"target": "y.npy"}
    else:
        path, params = tmp_path / "a.npz", {}
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", Y)
    (np.savez if form == "npz" else np.savez_compressed)(tmp_path / "a.npz", X=X, y=Y)
    dataset = opened(path, **params)
    read, labels = everything(dataset)
    np.testing.assert_array_equal(read, X)
    np.testing.assert_array_equal(labels, Y)
    assert (dataset.task, dataset.class_names, dataset.sample_shape) == (
        "classification",
        ("0", "1", "2"),
        (3,),
    )
    assert "inferred from integers of 3 different values" in dataset.source
    few = opened(path, n_samples=6, seed=1, **params)
    assert everything(few)[1].tolist().count(2) == 2


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "f2", "i8", "u1", "?"])
def test_features_of_any_number_type_and_order_are_read(tmp_path, order, dtype):
    array = np.asarray((X > 0) * 3, dtype=dtype, order=order)
    for kind, save in (("npz", np.savez), ("npz", np.savez_compressed)):
        save(tmp_path / f"a.{kind}", X=array, y=Y)
        read, _ = everything(opened(tmp_path / f"a.{kind}"))
        assert read.dtype == (np.float32 if dtype in {"<f4", "f2"} else np.float64)
        np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(("shape", "sample"), [((30, 8, 6), (8, 6, 1)), ((30, 8, 6, 3), (8, 6, 3))])
def test_arrays_of_images_stay_bytes_or_are_divided(tmp_path, shape, sample):
    images = RNG.integers(0, 256, shape, np.uint8)
    np.savez(tmp_path / "a.npz", X=images, y=Y)
    dataset = opened(tmp_path / "a.npz")
    read, _ = everything(dataset)
    assert (dataset.sample_shape, dataset.dtype) == (sample, np.uint8)
    np.testing.assert_array_equal(read, images.reshape(30, *sample))
    divided, _ = everything(opened(tmp_path / "a.npz", normalize=True, augmentation=True))
    np.testing.assert_allclose(divided, images.reshape(30, *sample) / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "task", "names", "codes"),
    [
        (np.array(["b", "a", "c"])[Y], "classification", ("a", "b", "c"), np.array([1, 0, 2])[Y]),
        (np.array([b"b", b"a", b"c"])[Y], "classification", ("a", "b", "c"), np.array([1, 0, 2])[Y]),
        (Y > 0, "classification", ("False", "True"), (Y > 0).astype(int)),
        (np.array([7, -2, 40])[Y], "classification", ("-2", "7", "40"), np.array([1, 0, 2])[Y]),
        (Y[:, np.newaxis].astype(np.uint8), "classification", ("0", "1", "2"), Y),
        (Y.astype(float), "regression", (), Y),
        (np.arange(30), "regression", (), np.arange(30)),
        (Y % 1 + X[:, 0], "regression", (), X[:, 0]),
    ],
)
def test_the_task_is_inferred_from_the_labels(tmp_path, labels, task, names, codes):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    dataset = opened(tmp_path / "a.npz")
    _, y = everything(dataset)
    assert (dataset.task, dataset.class_names) == (task, names)
    assert y.dtype == (np.int64 if names else np.float64)
    np.testing.assert_allclose(y, codes)
    assert "inferred" in dataset.source


def test_a_stated_task_goes_before_an_inferred_one(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    assert opened(tmp_path / "a.npz", task="regression").task == "regression"
    np.savez(tmp_path / "b.npz", X=X, y=Y.astype(float))
    dataset = opened(tmp_path / "b.npz", task="classification")
    assert (dataset.class_names, "(stated)" in dataset.source) == (("0", "1", "2"), True)
    np.savez(tmp_path / "c.npz", X=X, y=Y.astype(str))
    refused(tmp_path / "c.npz", "expected numbers for task regression, found text such as '0'", task="regression")


@pytest.mark.parametrize(
    ("labels", "names", "codes"),
    [
        (Y, ["ant", "bee", "cow"], Y),
        (Y, ["ant", "bee", "cow", "dog"], Y),  # one without samples
        (Y * 10, ["ant", "bee", "cow"], Y),
        (np.array(["b", "a", "c"])[Y], ["c", "b", "a"], np.array([1, 2, 0])[Y]),
    ],
)
def test_given_names_are_kept_in_their_order(tmp_path, labels, names, codes):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    dataset = opened(tmp_path / "a.npz", class_names=names)
    assert dataset.class_names == tuple(names)
    np.testing.assert_array_equal(everything(dataset)[1], codes)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (Y * 10, ["a", "b"], "expected 3 names, as many as .* has different labels; found a, b"),
        (Y, ["a", "b", "a"], "expected names that differ"),
        (Y.astype(str), ["0", "1"], "expected all labels of .*, such as '2'; found 0, 1"),
        (X[:, 0], ["a", "b"], "expected none for a regression"),
    ],
)
def test_names_that_do_not_fit_the_labels_are_an_error_at_their_key(tmp_path, labels, names, message):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    error = refused(tmp_path / "a.npz", message, SettingsError, class_names=names)
    assert error.key == ("dataset", "params", "class_names")


def test_a_file_can_bring_names_and_factors(tmp_path):
    table = np.array([(k, k / 2) for k in range(30)], dtype=[("k", int), ("half", float)])
    np.savez(
        tmp_path / "a.npz",
        X=X,
        y=Y,
        class_names=["a", "b", "c"],
        factors=table,
        **{"factors/z": Y.astype(str)},
    )
    dataset = opened(tmp_path / "a.npz", n_samples=9)
    factors = factors_of(dataset)
    assert dataset.class_names == ("a", "b", "c")
    assert dataset.has_factors
    assert factors.keys() == {"k", "half", "z"}
    np.testing.assert_array_equal(factors["half"], factors["k"] / 2)
    np.testing.assert_array_equal(X[factors["k"]], everything(dataset)[0])


@pytest.mark.parametrize("end", ["csv", "parquet", "json"])
def test_a_table_of_facts_becomes_factors(tmp_path, end):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    table = pd.DataFrame({"size": X[:, 0], "where": np.array(["in", "out"])[Y % 2], "old": Y > 1})
    path = tmp_path / f"facts.{end}"
    if end == "json":
        table.to_json(path, orient="records", double_precision=15)
    else:
        {"csv": table.to_csv, "parquet": table.to_parquet}[end](path, index=False)
    factors = factors_of(opened(tmp_path / "a.npz", metadata=str(path)))
    np.testing.assert_allclose(factors["size"], X[:, 0])
    assert factors["where"].tolist() == table["where"].tolist()
    assert factors["old"].tolist() == (Y > 1).tolist()
    np.savez(tmp_path / "b.npz", X=X[:29], y=Y[:29])
    refused(tmp_path / "b.npz", "expected 29 rows, one a sample, found 30", metadata=str(path))
    refused(tmp_path / "a.npz", "expected a table, found nothing there", metadata=str(tmp_path / "no.csv"))


def arrays(**values):
    return lambda folder: np.savez(folder / "a.npz", **values)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (arrays(X=X), "expected arrays X and y, found X"),
        (arrays(X=X, y=Y[:-1]), "expected as many rows in X as in y, found 30 and 29"),
        (arrays(X=X[:, 0], y=Y), r"expected X of shape \(samples, features\) or .*, found \(30,\)"),
        (arrays(X=X[:0], y=Y[:0]), "expected at least one sample, found none"),
        (arrays(X=np.zeros((30, 3, 8, 8)), y=Y), "1 or 3 channels, .*; move the channels last"),
        (arrays(X=np.zeros((30, 2, 2, 2, 2)), y=Y), "expected X of shape"),
        (arrays(X=X.astype(str), y=Y), "expected numbers in X, found <U"),
        (arrays(X=X.astype(complex), y=Y), "expected numbers in X, found complex128"),
        (arrays(X=X, y=X), r"expected one target a sample, found an array of shape \(30, 3\)"),
        (arrays(X=X, y=np.zeros(30, int)), "expected at least two classes, found only '0'"),
        (arrays(X=X, y=np.zeros(30, complex)), "expected numbers or text as targets, found complex128"),
        (arrays(X=X, y=np.where(Y == 1, np.nan, 0)), "expected finite targets, found nan in row 1"),
        (arrays(X=np.where(np.arange(30)[:, None] == 17, np.inf, X), y=Y), "others in row 17"),
        (arrays(X=X, y=Y, class_names=np.arange(3)), "class_names: expected a list of text, found int64"),
        (arrays(X=X, y=Y, factors=X), "factors: expected a structured array"),
        (arrays(X=X, y=Y, **{"factors/a": X}), "expected one number or text a sample as factor a"),
        (arrays(X=X, y=Y, **{"factors/a": Y[:5]}), "expected as many rows in X as in a, found 30 and 5"),
        (arrays(X=X, y=np.array([{}] * 30, object)), "y: expected numbers or text, found Python objects"),
        (arrays(X=np.array([[{}]] * 30, object), y=Y), "X: expected numbers or text, found Python objects"),
        (lambda f: (f / "a.npz").write_bytes(b"PK\x03\x04nonsense"), "npz file, found a damaged one"),
        (lambda f: (f / "a.npz").write_bytes(b""), "expected an .npz file, found a damaged one"),
    ],
)  # fmt: skip
def test_arrays_that_can_not_be_used_say_why(tmp_path, make, message):
    make(tmp_path)
    assert str(tmp_path / "a.npz") in str(refused(tmp_path / "a.npz", message))


def test_every_cut_of_an_array_file_is_an_error(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", X=X, y=Y)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", Y)
    for name, path, params in (("a.npz", "a.npz", {}), ("X.npy", "X.npy", {"target": "y.npy"})):
        content = (tmp_path / name).read_bytes()
        for end in range(0, len(content), 37):
            (tmp_path / name).write_bytes(content[:end])
            refused(tmp_path / path, "expected", **params)


def test_damage_inside_a_member_is_found_by_its_checksum(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[400] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    refused(tmp_path / "a.npz", "X: expected an array, found a damaged file")


TEXT = np.array(["a", "b"])[Y % 2]


def with_point(point, order="<"):
    labels = TEXT.astype(f"{order}U3")
    labels.view(f"{order}u4")[3 * 4] = point
    return labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([b"caf\xe9", b"b"])[Y % 2], "y: expected labels in UTF-8, found other bytes"),
        (with_point(0x110000), r"expected text, found U\+110000, no character, in row 4"),
        (with_point(0xFFFFFFFF, ">"), r"expected text, found U\+FFFFFFFF, no character, in row 4"),
        (with_point(0xD800), r"expected text, found U\+D800, no character, in row 4"),
    ],
    ids=["bytes", "large", "largest", "surrogate"],
)
def test_labels_that_are_no_text_are_named_by_their_row(tmp_path, labels, message):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    refused(tmp_path / "a.npz", message.removeprefix("y: "))
    if labels.dtype.kind == "U":  # so are names and factors
        np.savez(tmp_path / "a.npz", X=X, y=Y % 2, class_names=labels[4:6])
        refused(tmp_path / "a.npz", f"class_names: {message.replace('row 4', 'row 0')}")
        np.savez(tmp_path / "a.npz", X=X, y=Y, **{"factors/shade": labels})
        refused(tmp_path / "a.npz", f"factor shade: {message}")
    np.savez(tmp_path / "a.npz", X=X, y=TEXT.astype(">U3"))
    assert opened(tmp_path / "a.npz").class_names == ("a", "b")


def npy(header, *, length=None):
    """Return an .npy file of version 2.0 with this header and no values."""
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header) if length is None else length) + header


def described(descr, shape):
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(b" " * 10**7), "found a damaged file .a header of 10000000 bytes"),
        (npy(b"", length=2**32 - 1), "found a damaged file .a header of 4294967295 bytes"),
        (npy(described("<U0", "(30, 3)")), "expected values of at least one byte each"),
        (npy(described("|V0", "(9223372036854775807, 3)")), "expected values of at least one byte each"),
        (npy(described("<f8", "(30, 1000000000)")), "rows of at most 268435456 bytes, found 8000000000"),
        (npy(described("<f8", "(0x" + "f" * 5000 + ",)")), "found one of an impossible shape"),
        (npy(b"(" * 5000), "found a damaged file"),
        (npy(b"-" * 9000 + b"1"), "found a damaged file"),
    ],
    ids=lambda value: repr(value[-20:]),
)
def test_a_header_that_claims_too_much_is_refused_before_values_are_read(tmp_path, content, message):
    np.save(tmp_path / "y.npy", Y)
    (tmp_path / "X.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", content)
        archive.write(tmp_path / "y.npy", "y.npy")
    tracemalloc.start()
    for name, params in (("X.npy", {"target": "y.npy"}), ("a.npz", {})):
        refused(tmp_path / name, message, **params)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_parquet_file_that_unpacks_to_gigabytes_is_refused_before_it_is_read(tmp_path):
    part = pa.table({f"c{k}": pa.DictionaryArray.from_arrays(pa.array([0] * 10**6), ["a"]) for k in range(20)})
    with pq.ParquetWriter(tmp_path / "t.parquet", part.schema) as writer:
        for _ in range(7):
            writer.write_table(part)
    begin = time.perf_counter()
    refused(tmp_path / "t.parquet", "at most 1 GB once it is unpacked, found 7,000,000 rows of 20 col", target="c0")
    assert time.perf_counter() - begin < 2


def test_parts_of_a_folder_that_are_missing_are_named(tmp_path):
    np.save(tmp_path / "X.npy", X)
    refused(tmp_path, "y.npy: expected an .npy file with the targets, found nothing there")
    error = refused(tmp_path / "X.npy", "expected the .npy file with the targets", SettingsError)
    assert error.key == ("dataset", "params", "target")
    refused(tmp_path / "X.npy", "no.npy: expected an .npy file", target="no.npy")


def test_a_path_that_is_nothing_known_lists_what_is(tmp_path):
    (tmp_path / "a.xlsx").write_text("x")
    refused(tmp_path / "a.xlsx", r"expected an .npz, .npy, .csv .*, found a file ending in '.xlsx'")
    refused(tmp_path / "no.csv", "no.csv: expected an .npz.*, found nothing there")
    assert refused(None, "found nothing", SettingsError).key == ("dataset", "path")


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ({"target": "y"}, "target"),
        ({"encoding": "ordinal"}, "encoding"),
        ({"image_size": 8}, "image_size"),
        ({"skip_corrupt": True}, "skip_corrupt"),
        ({"arguments": {"n": 1}}, "arguments"),
        ({"normalize": True}, "normalize"),
        ({"augmentation": True}, "augmentation"),
    ],
)
def test_parameters_without_a_meaning_are_refused(tmp_path, params, key):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    assert refused(tmp_path / "a.npz", "expected", SettingsError, **params).key == ("dataset", "params", key)


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


def test_a_gap_among_numbers_can_be_filled_with_their_mean(tmp_path):
    path = table_file(tmp_path, "csv", with_gap("size"))
    dataset = opened(path, target="mass", features=["size", "legs"], missing="mean")
    assert everything(dataset)[0][3, 0] == pytest.approx(with_gap("size")["size"].mean())
    assert dataset.details["filled"] == {"size": 1}
    text = table_file(tmp_path, "csv", with_gap("home", None))
    refused(text, "column 'home', found none in row 4", target="mass", features=["home"], missing="mean")


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
        ("b\n1\n", {"target": "b"}, "expected columns of features besides the target"),
        ("a,b\n", {"target": "b"}, "expected at least one row below the header"),
        ("", {"target": "b"}, "expected a CSV table, found a damaged file"),
        ("a,b\n1,2\n1,2,3\n", {"target": "b"}, "found a damaged file .*line 3"),
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


def test_a_table_needs_a_target_and_no_column_of_names_or_dates(tmp_path):
    assert refused(table_file(tmp_path), "expected the name of the target", SettingsError).key[-1] == "target"
    names = pd.DataFrame({"name": [f"n{k}" for k in range(1500)], "y": range(1500)})
    path = table_file(tmp_path, "csv", names)
    refused(path, "at most 1000 different texts in column 'name', found 1500; leave it out", target="y")
    dates = TABLE.assign(when=pd.date_range("2020", periods=20))
    refused(table_file(tmp_path, "parquet", dates), "expected numbers or text in column 'when'", target="kind")
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(50))
    refused(tmp_path / "t.parquet", "expected a PARQUET table, found a damaged file", target="kind")


FUNCTION = """
import numpy as np
from dataclasses import dataclass

@dataclass
class Point:
    x: float

def make(n=30, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return rng.normal(size=(n, 2)) + y[:, None], y

def full(n=30):
    X, y = make(n)
    return {"X": X, "y": [str(k) for k in y], "class_names": ["2", "1", "0"], "factors": {"row": range(n)}}

def broken():
    return 1 / 0

def wrong():
    return [1, 2, 3]

def leave():
    raise SystemExit(3)

open("loaded", "w").close()

def halves():
    X, y = make()
    return {"X": X, "y": y % 2, "class_names": ["whole", chr(0xD800)]}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "own.py").write_text(FUNCTION)
    return folder


def test_a_function_makes_the_samples(repository):
    dataset = opened("own.py:make", arguments={"n": 60, "seed": 5})
    assert (dataset.n_samples, dataset.class_names) == (60, ("0", "1", "2"))
    dataset = opened("./own.py:full")
    assert dataset.class_names == ("2", "1", "0")
    assert factors_of(dataset)["row"].tolist() == list(range(30))
    assert not list(repository.glob("__pycache__"))


def test_a_function_changed_within_the_second_is_the_new_one(repository):
    assert opened("own.py:make").n_samples == 30
    (repository / "own.py").write_text(FUNCTION.replace("n=30", "n=40"))
    assert opened("own.py:make").n_samples == 40


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("own.py:mak", "expected a function mak in own.py, found none; did you mean 'make'"),
        ("own.py:np", "expected a function np in own.py, found none"),
        ("own.py:broken", "own.py:broken: failed in line 19: ZeroDivisionError"),
        ("own.py:leave", "own.py:leave: expected samples, found that it ended the program in line 25: SystemExit.3"),
        ("leaving.py:make", "leaving.py:make: .*found that it ended the program in line 1: SystemExit"),
        ("own.py:halves", r"own.py:halves: class_names: expected text, found U\+D800, no character, in row 1"),
        ("own.py:wrong", r"expected \(X, y\), or a dict of X, y .*; found a list"),
        ("no.py:make", "no.py: expected a Python file, found nothing there"),
        ("../outside.py:make", "expected a file in the current folder, found one outside of it"),
        ("link.py:make", "expected a file in the current folder, found one outside of it"),
        ("folder/outside.py:make", "expected a file in the current folder, found one outside of it"),
        ("bad.py:make", "bad.py:make: failed.*: SyntaxError"),
    ],
)
def test_a_function_that_can_not_be_used_says_why(repository, path, message):
    outside = repository.parent / "outside.py"
    outside.write_text("open('escaped', 'w')\n" + FUNCTION)
    (repository / "link.py").symlink_to(outside)
    (repository / "folder").symlink_to(repository.parent)
    (repository / "bad.py").write_text("def make(:")
    (repository / "leaving.py").write_text("raise SystemExit")
    refused(path, message)
    refused(f"{repository.parent}/outside.py:make", "found one outside of it")
    refused(f"{repository}/own.py:make", "expected a file in the current folder")
    assert not (repository / "escaped").exists()


def test_unfit_arguments_are_the_function_s_error(repository):
    refused("own.py:make", "failed: TypeError: .*unexpected keyword argument 'm'", arguments={"m": 1})


@pytest.mark.parametrize("path", ["own.py", "own.py:", "own.pyc:make", "own:make", "own.py:make()", "own.py:a.b"])
def test_no_other_form_of_path_runs_anything(repository, path):
    refused(path, "expected an .npz")
    assert not (repository / "loaded").exists()
    DatasetSettings(name="custom", path="own.py:make")
    assert not (repository / "loaded").exists()
