"""One's own arrays: every form that they come in, and what is wrong with them."""

import struct
import time
import tracemalloc
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_data import RNG, X, Y, everything, factors_of, opened, refused

from mlx.core.errors import SettingsError
from mlx.datasets.custom import block_file, table_files


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
    refused(tmp_path / "b.npz", "expected 29 rows, one per sample, found 30", metadata=str(path))
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
        (arrays(X=X, y=X), r"expected one target per sample, found an array of shape \(30, 3\)"),
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


@pytest.mark.slow
def test_a_parquet_file_that_unpacks_to_more_than_the_disk_holds_is_refused_before_it_is_read(tmp_path, monkeypatch):
    part = pa.table({f"c{k}": pa.DictionaryArray.from_arrays(pa.array([0] * 10**6), ["a"]) for k in range(20)})
    pq.write_table(part, tmp_path / "t.parquet")
    monkeypatch.setattr(block_file.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**8))
    begin = time.process_time()
    refused(tmp_path / "t.parquet", "expected room for .*, 0.2 GB or more, found 0.1 GB .*set TMPDIR", target="c0")
    assert time.process_time() - begin < 2


def test_metadata_that_memory_should_not_hold_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "IN_MEMORY_LIMIT", 1000)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", Y)
    pd.DataFrame({f"c{k}": np.arange(len(X)) for k in range(20)}).to_parquet(tmp_path / "m.parquet")
    refused(tmp_path, "found 30 rows of 20 columns", metadata=str(tmp_path / "m.parquet"))


def test_parts_of_a_folder_that_are_missing_are_named(tmp_path):
    np.save(tmp_path / "X.npy", X)
    refused(tmp_path, "y.npy: expected an .npy file with the targets, found nothing there")
    error = refused(tmp_path / "X.npy", "expected the .npy file with the targets", SettingsError)
    assert error.key == ("dataset", "params", "target")
    refused(tmp_path / "X.npy", "no.npy: expected an .npy file", target="no.npy")


def test_a_path_that_is_nothing_known_lists_what_is(tmp_path):
    (tmp_path / "a.xlsx").write_text("x")
    refused(tmp_path / "a.xlsx", r"expected an .npz, .npy, .csv, .*, found a file ending in '.xlsx'")
    refused(tmp_path / "no.csv", "no.csv: expected an .npz.*, found nothing there")
    assert refused(None, "found nothing", SettingsError).key == ("dataset", "path")


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ({"target": "y"}, "target"),
        ({"decimal": ","}, "decimal"),
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
