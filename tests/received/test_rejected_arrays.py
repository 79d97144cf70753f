"""What is no array, or does not fit, is rejected in one line, by the command and in a notebook."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from recorded import BASE, HALF, NAMED, NAMES, TEXT, TWO, K, N, P, R, Y, in_notebook
from scipy import sparse

from mlx.core.errors import MlxError

pytestmark = pytest.mark.slow


def test_rounded_probabilities_get_advice_that_helps(door, tmp_path: Path) -> None:
    with pytest.raises(MlxError, match="divide rounded rows by their sum"):
        door(BASE | {"probabilities": P.round(2)}, tmp_path)
    assert len(door(BASE | {"probabilities": P.round(2) / P.round(2).sum(axis=1, keepdims=True)}, tmp_path)) == N


def changed(array: np.ndarray, row: int, value: Any) -> np.ndarray:
    array = array.copy()
    array[row] = value
    return array


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "names in another order than the columns": (
        {"probabilities": NAMED, "class_names": NAMES}, "th\u00e9, caf\u00e9, eau, found caf\u00e9, th\u00e9, eau"),
    "numbered columns in another order": (
        {"probabilities": pd.DataFrame(P, columns=["2", "0", "1"])}, "found 2, 0, 1; sort them"),
    "another encoding": ({"labels": np.char.encode(TEXT, "latin-1")}, "expected labels in UTF-8"),
    "half a character": ({"labels": np.array(["a\udce9", "b", "c"])[Y]}, "no character"),
    "negative": ({"labels": changed(Y, 5, -1)}, "row 5: expected a class from 0 to 2, found -1"),
    "huge": ({"labels": changed(Y, 5, 2**31)}, "row 5: expected a class from 0 to 2, found 2147483648"),
    "a fraction": ({"labels": changed(Y.astype(float), 5, 0.5)}, "row 5: expected labels that are integers or names"),
    "no number": ({"labels": changed(Y.astype(float), 5, np.nan)}, "row 5: expected a class from 0 to 2, found nan"),
    "an empty text": ({"labels": changed(TEXT, 5, "")}, "row 5: expected a label, found an empty text"),
    "unknown": ({"labels": changed(TEXT, 5, "lait"), "class_names": NAMES}, "row 5: expected one of caf\u00e9"),
    "truth values of three": ({"labels": TWO.astype(bool)}, "found truth values, which are two classes"),
    "one hot": ({"labels": np.eye(K)[Y]}, r"labels.argmax(axis=1)"),
    "too few labels": ({"labels": Y[:59]}, "expected labels of shape (60,), found (59,)"),
    "dates": ({"labels": Y.astype("M8[D]")}, "datetime64[D]"),
    "no probability": ({"probabilities": changed(HALF, 7, 1.5), "labels": TWO}, "row 7: expected a probability from 0"),
    "scalar": ({"probabilities": np.array(0.5)}, "found shape ()"),
    "empty": ({"probabilities": P[:0]}, "found shape (0, 3)"),
    "text scores": ({"probabilities": P.astype(str)}, "expected probabilities that are numbers"),
    "other logits": ({"logits": P[:, :2]}, "expected logits of shape (60, 3), found shape (60, 2)"),
    "other rows": ({"representations": R[:9]}, "expected representations of shape (60, any)"),
    "not finite": ({"representations": changed(R, 5, np.nan)}, "row 5: a value is not finite"),
    "equal names": ({"class_names": "a,a,b"}, "expected names that differ from each other, found 'a' for classes"),
    "names that read alike": ({"class_names": "caf\u00e9,cafe\u0301,b"}, "differ only in how Unicode writes them"),
    "too few names": ({"class_names": "a,b"}, "3 different names, one per column of the probabilities, found 2"),
    "no such file": ({"class_names": "none.txt"}, "found no file none.txt"),
    "too few rows": ({"factors": {"a": np.arange(59)}}, "expected 60 rows, one per sample, found 59"),
    "too many rows": ({"factors": {"a": np.arange(65)}}, "expected 60 rows, one per sample, found 65"),
    "infinite": ({"factors": {"a": changed(np.ones(N), 4, np.inf)}}, "expected finite numbers, found inf in row 4"),
    "lists": ({"factors": {"a": [[1, 2]] * N}}, "column 'a': expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_the_same_is_rejected_in_one_line(door, tmp_path: Path, name: str) -> None:
    given, message = BAD[name]
    with pytest.raises(MlxError) as caught:
        door(BASE | given, tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


BYTES = {
    "n.txt": ("class_names", "caf\u00e9\nth\u00e9\neau\n".encode("latin-1"), "such as Latin-1"),
    "utf16.txt": ("class_names", "cat\ndog\ncow\n".encode("utf-16-le"), "found UTF-16 without its mark"),
    "empty.txt": ("class_names", b"\n\n", "expected the names of the classes, found none"),
    "latin.csv": ("labels", "l\ncaf\u00e9\n".encode("latin-1"), "expected text in UTF-8"),
    "two.csv": ("labels", b"a,b\n" + b"0,1\n" * N, "expected one column, the labels, found 2: a, b"),
    "text.csv": ("probabilities", b"a,b\n0,1\nx,1\n", "row 1: expected a number in column 'a', found 'x'"),
    "gap.csv": ("probabilities", b"a,b\n,1\n", "row 0: expected a value in column 'a', found none"),
    "ragged.csv": ("probabilities", b"a,b\n1,0\n1,0,0\n", "ragged.csv: expected"),
    "nothing.csv": ("probabilities", b"", "found an empty first line"),
    "twice.csv": ("factors", b"a,a\n" + b"1,2\n" * N, "expected one column 'a', found 2"),
    "x.h5": ("probabilities", b"\x89HDF\r\n", "in a file ending in .npy, .npz, .csv, .tsv"),
    "x.npy": ("probabilities", b"", "expected an array, found a damaged file"),
    "x.npz": ("probabilities", b"PK", "expected an .npz file, found a damaged one"),
    "x.parquet": ("probabilities", b"PAR1", "found a damaged or foreign file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_a_file_that_is_something_else_is_rejected_in_one_line(door, tmp_path: Path, name: str) -> None:
    argument, content, message = BYTES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MlxError) as caught:
        door(BASE | {argument: tmp_path / name}, tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_columns_of_one_name_are_rejected_in_memory() -> None:
    table = pd.DataFrame({"a": np.arange(N), "b": np.arange(N)})
    table.columns = ["a", "a"]
    with pytest.raises(MlxError, match="expected columns of different names, found 'a' 2 times"):
        in_notebook(BASE | {"factors": table}, Path())


BAD_IN_NOTEBOOK: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"labels": [None, *Y[1:].tolist()]}, "y_true: row 0: expected a value, found a missing one"),
    "mixed": ({"labels": ["a", *Y[1:].tolist()]}, "expected numbers or texts, found both"),
    "masked": ({"labels": np.ma.array(Y, mask=Y == 1)}, "found masked ones"),
    "ragged": ({"probabilities": [[0.1], [0.2, 0.8]]}, "expected an array, found list"),
    "sparse": ({"probabilities": sparse.csr_array(P)}, "expected a dense array"),
    "nothing": ({"probabilities": None}, "expected probabilities or logits"),
    "a set": ({"class_names": {"a", "b", "c"}}, "expected a sequence of names"),
    "a gap in the names": ({"class_names": ["a", None, "c"]}, "expected a text or a number for class 1"),
    "a list": ({"factors": [1, 2]}, "expected a data frame, or columns by name"),
}


@pytest.mark.parametrize("name", BAD_IN_NOTEBOOK)
def test_a_notebook_rejects_what_is_no_array_in_one_line(name: str) -> None:
    given, message = BAD_IN_NOTEBOOK[name]
    with pytest.raises(MlxError) as caught:
        in_notebook(BASE | given, Path())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
