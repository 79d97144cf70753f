"""`mlx analyze` and the notebook classes take the same inputs, and reject the same ones in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import mlx
import mlx.runs.recorded_arrays
from mlx.cli import main
from mlx.core.errors import MlxError

pytestmark = pytest.mark.slow

N, K = 60, 3
Y = np.arange(N) % K
TWO = np.arange(N) % 2
GENERATOR = np.random.default_rng(0)
R = GENERATOR.normal(size=(N, 4))
P = GENERATOR.dirichlet(np.ones(K), N)
HALF = GENERATOR.uniform(0.01, 0.99, N)
NAMES = np.array(["caf\u00e9", "th\u00e9", "eau"])
OTHER = ["th\u00e9", "caf\u00e9", "eau"]  # an order that is not the sorted one
NAMED = pd.DataFrame(P, columns=OTHER)
SIXTY = [f"category_{k:02d}" for k in range(K)]

FLAGS = {"representations": "--representations", "probabilities": "--probabilities", "labels": "--labels",
         "logits": "--logits", "factors": "--metadata", "class_names": "--class-names"}  # fmt: skip
ARGUMENTS = {"probabilities": "softmax_outputs", "labels": "y_true"}


def by_command(given: dict[str, Any], folder: Path) -> pd.DataFrame:
    """Save what is given as someone would, and run the command."""
    line = ["analyze", "--output", str(folder / "out")]
    for name, value in given.items():
        path = str(saved(value, folder / name))
        line += [FLAGS[name], f"layer={path}" if name == "representations" else path]
    try:
        main(line)
    except SystemExit as end:
        raise MlxError(str(end.code)) from None
    return pd.read_parquet(folder / "out/data/residuals/samples.parquet")


def saved(value: Any, path: Path) -> Path | str:
    if isinstance(value, Path | str):
        return value
    if isinstance(value, dict | pd.DataFrame):
        table = pd.DataFrame(value)
        table.to_parquet(path.with_suffix(".parquet"), index=False)
        return path.with_suffix(".parquet")
    if path.name == "class_names":
        np.save(path.with_suffix(".npy"), np.asarray(value).astype(str))
        return path.with_suffix(".npy")
    np.save(path.with_suffix(".npy"), np.asarray(value))
    return path.with_suffix(".npy")


def in_notebook(given: dict[str, Any], folder: Path) -> pd.DataFrame:
    arguments = {ARGUMENTS.get(name, name): value for name, value in given.items()}
    analyzer = mlx.ResidualsAnalyzer(n_bootstrap=100, n_permutations=19, projections=["pca"])
    return analyzer.run_full_analysis(**arguments)["samples"]


@pytest.fixture(params=[by_command, in_notebook], ids=["command", "notebook"])
def door(request, monkeypatch: pytest.MonkeyPatch):
    """Both ways in; the command without the pictures and with few resamples, which no input changes."""
    settings = mlx.runs.recorded_arrays.ResidualsSettings
    quick = {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]}
    monkeypatch.setattr(mlx.runs.recorded_arrays, "ResidualsSettings", lambda seed: settings(seed=seed, **quick))
    monkeypatch.setattr(mlx.runs.recorded_arrays, "report", lambda *_, **__: "")
    monkeypatch.setattr(mlx.runs.recorded_arrays, "evaluate", lambda *_, **__: "")
    return request.param


BASE = {"representations": R, "probabilities": P, "labels": Y}
TEXT = NAMES[Y]
SORTED = np.array([0, 2, 1])[Y]  # cafe, eau, the
BINARY = {"probabilities": HALF}
GOOD: dict[str, tuple[dict[str, Any], np.ndarray]] = {
    "bytes": ({"labels": np.char.encode(TEXT, "utf-8")}, SORTED),
    "text": ({"labels": TEXT}, SORTED),
    "text with names": ({"labels": TEXT, "class_names": NAMES}, Y),
    "names in an index": ({"class_names": pd.Index(NAMES)}, Y),
    "names with commas": ({"class_names": ",".join(NAMES)}, Y),
    "decomposed text": ({"labels": np.array(["cafe\u0301", "th\u00e9", "eau"])[Y], "class_names": NAMES}, Y),
    "written numbers": ({"labels": Y.astype(str)}, Y),
    "whole floats": ({"labels": Y.astype(np.float16)}, Y),
    "unsigned": ({"labels": Y.astype(np.uint8)}, Y),
    "other byte order": ({"labels": Y.astype(">i4"), "probabilities": P.astype(">f8")}, Y),
    "a column": ({"labels": Y[:, None]}, Y),
    "truth values": (BINARY | {"labels": TWO.astype(bool)}, TWO),
    "one probability": (BINARY | {"labels": TWO}, TWO),
    "a column of probabilities": ({"probabilities": HALF[:, None], "labels": TWO}, TWO),
    "one logit": (BINARY | {"logits": np.log(HALF / (1 - HALF)), "labels": TWO}, TWO),
    "half precision": ({"representations": R.astype(np.float16)}, Y),
    "by columns": ({"representations": np.asfortranarray(R), "probabilities": np.asfortranarray(P)}, Y),
    "one number": ({"representations": R[:, 0]}, Y),
    "a frame": ({"representations": pd.DataFrame(R).add_prefix("r")}, Y),
    "columns with the names of the labels": ({"probabilities": NAMED, "labels": np.array(OTHER)[Y]}, Y),
    "such columns and bytes": (
        {"probabilities": NAMED, "labels": np.char.encode(np.array(OTHER)[Y], "utf-8")}, Y),
    "such columns and names": ({"probabilities": NAMED, "labels": Y, "class_names": OTHER}, Y),
    "such columns, decomposed": (
        {"probabilities": NAMED.rename(columns={"caf\u00e9": "cafe\u0301"}), "labels": np.array(OTHER)[Y]}, Y),
    "a column of no sample": (
        {"probabilities": NAMED, "labels": np.array(OTHER)[Y % 2]}, Y % 2),
    "a frame of probabilities": ({"probabilities": pd.DataFrame(P).add_prefix("p")}, Y),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_the_same_is_taken_for_the_same(door, tmp_path: Path, name: str) -> None:
    given, expected = GOOD[name]
    samples = door(BASE | given, tmp_path)
    np.testing.assert_array_equal(samples["y_true"], expected)
    scores = np.asarray((BASE | given)["probabilities"], dtype=np.float64).reshape(N, -1)
    scores = scores if scores.shape[1] > 1 else np.concatenate([1 - scores, scores], axis=1)
    np.testing.assert_array_equal(samples["y_pred"], scores.argmax(axis=1))
    np.testing.assert_allclose(samples["confidence"], scores.max(axis=1), rtol=1e-12)


def written(name: str, folder: Path) -> Any:
    """A file as people make them, and what it is given as."""
    path = folder / name
    if name == "savetxt.csv":
        np.savetxt(path, P, delimiter=",")
    elif name == "frame.csv":
        pd.DataFrame(P).to_csv(path, index=False)
    elif name == "index.csv":
        pd.DataFrame(P, columns=list("abc")).to_csv(path)
    elif name == "marked.csv":
        pd.DataFrame(P, columns=list("abc")).to_csv(path, index=False, encoding="utf-8-sig")
    elif name == "semicolon.csv":
        pd.DataFrame(P, columns=list("abc")).to_csv(path, index=False, sep=";")
    elif name in {"comma.csv", "comma_rows.csv"}:
        pd.DataFrame(P).to_csv(path, index=False, sep=";", decimal=",", header=name == "comma.csv")
    elif name == "one.npz":
        np.savez(path, P)
    else:
        np.savez(path, probabilities=P, labels=Y)
    return path


FILES = ["savetxt.csv", "frame.csv", "index.csv", "marked.csv", "semicolon.csv", "comma.csv", "comma_rows.csv",
         "one.npz", "named.npz"]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_an_array_may_be_in_any_usual_file(door, tmp_path: Path, name: str) -> None:
    samples = door(BASE | {"probabilities": written(name, tmp_path)}, tmp_path)
    np.testing.assert_allclose(samples["confidence"], P.max(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n".join(TEXT), SORTED),
        ("label\n" + "\n".join(TEXT), SORTED),
        ("\n".join(map(str, Y)), Y),
        ("0\n" + "\n".join(map(str, Y)), Y),
        ("y\n" + "\n".join(f"{label}.0" for label in Y), Y),
        ("y\n" + "\n".join(np.array(["001", "01", "1"])[Y]), Y),
        ("y\n" + "\n".join(np.array(["NA", "None", "nil"])[Y]), Y),
    ],
)
def test_labels_in_a_table_keep_their_form_with_and_without_a_header(door, tmp_path, text, expected) -> None:
    path = tmp_path / "l.csv"
    path.write_text(text + "\n", encoding="utf-8")
    np.testing.assert_array_equal(door(BASE | {"labels": path}, tmp_path)["y_true"], expected)


def test_columns_of_a_frame_that_pandas_keeps_sparse_are_factors() -> None:
    factors = pd.DataFrame({"f": pd.arrays.SparseArray(TWO), "g": pd.arrays.SparseArray(R[:, 0])})
    samples = in_notebook(BASE | {"factors": factors}, Path())
    np.testing.assert_array_equal(samples["factor.f"], TWO)
    np.testing.assert_array_equal(samples["factor.g"], R[:, 0])


def test_a_column_of_a_layer_that_counts_the_rows_is_warned_of(door, tmp_path: Path, capsys) -> None:
    frame = pd.DataFrame(R, columns=list("abcd")).assign(e=Y)
    for change, said in (({}, False), ({"id": np.arange(N)}, True), ({"id": np.arange(N, 0, -1) + 1000.0}, True)):
        door(BASE | {"representations": frame.assign(**change)}, tmp_path)
        assert ("column 'id' counts the rows, as an id does" in capsys.readouterr().err) == said


def test_rounded_probabilities_get_advice_that_helps(door, tmp_path: Path) -> None:
    with pytest.raises(MlxError, match="divide rounded rows by their sum"):
        door(BASE | {"probabilities": P.round(2)}, tmp_path)
    assert len(door(BASE | {"probabilities": P.round(2) / P.round(2).sum(axis=1, keepdims=True)}, tmp_path)) == N


def test_it_is_said_that_names_are_taken_in_sorted_order(door, tmp_path: Path, capsys) -> None:
    line = "the columns of the probabilities are taken for its names in sorted order, caf\u00e9, eau, th\u00e9"
    for given, said in (({}, True), ({"class_names": NAMES}, False), ({"probabilities": NAMED}, False)):
        door(BASE | {"labels": TEXT} | given, tmp_path)
        assert (line in capsys.readouterr().err) == said


def test_columns_above_probabilities_in_a_csv_name_the_classes(door, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    NAMED.to_csv(path)
    samples = door(BASE | {"probabilities": path, "labels": np.array(OTHER)[Y]}, tmp_path)
    np.testing.assert_array_equal(samples["y_true"], Y)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_of_names_may_have_the_mark_of_its_encoding(door, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "n.txt"
    path.write_bytes("\r\n".join(NAMES).encode(encoding))
    np.testing.assert_array_equal(door(BASE | {"labels": TEXT, "class_names": path}, tmp_path)["y_true"], Y)


def test_sixty_names_with_commas_are_no_file(door, tmp_path: Path) -> None:
    k = 60
    p = np.random.default_rng(1).dirichlet(np.ones(k), 120)
    names = ",".join(f"category_{label:02d}" for label in range(k))
    given = {"representations": np.random.default_rng(2).normal(size=(120, 3)), "probabilities": p,
             "labels": np.arange(120) % k, "class_names": names}  # fmt: skip
    assert len(door(given, tmp_path)) == 120


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
    "too few names": ({"class_names": "a,b"}, "expected 3 different names, one a column of the probabilities, found 2"),
    "no such file": ({"class_names": "none.txt"}, "found no file none.txt"),
    "too few rows": ({"factors": {"a": np.arange(59)}}, "expected 60 rows, one a sample, found 59"),
    "too many rows": ({"factors": {"a": np.arange(65)}}, "expected 60 rows, one a sample, found 65"),
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
    "x.h5": ("probabilities", b"\x89HDF\r\n", "in a file ending in .npy, .npz, .csv or .parquet"),
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


def test_an_archive_of_several_arrays_has_to_name_the_one_that_is_meant(door, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=P, b=Y)
    np.savez(tmp_path / "o.npz", np.array([{}], dtype=object))
    for name, message in (("x.npz", "found a, b"), ("o.npz", "Python objects")):
        with pytest.raises(MlxError, match=message):
            door(BASE | {"probabilities": tmp_path / name}, tmp_path)


FACTORS = {
    "none": ["None", "low", "NA"] * 20,
    "gaps": [np.nan, *range(59)],
    "text_gaps": [None, *["a", "b"] * 29, "a"],
    "flag": [True, None, False] * 20,
    "date": pd.date_range("2024-01-01", periods=N).to_numpy(),
    "file": [f"img_{row}.png" for row in range(N)],
    "numbers": ["1", "2", "NA"] * 20,
    "size": list(range(N)),
}


@pytest.mark.parametrize("form", ["csv", "parquet", "memory"])
def test_factors_have_gaps_and_words_and_what_explains_nothing_is_left_out(door, tmp_path, capsys, form) -> None:
    table = pd.DataFrame(
        {name: pd.Series(values, dtype=object if name == "flag" else None) for name, values in FACTORS.items()}
    )
    path = tmp_path / f"m.{form}"
    if form == "csv":
        table.to_csv(path, index=False)
    elif form == "parquet":
        table.to_parquet(path)
    samples = door(BASE | {"factors": table if form == "memory" else path}, tmp_path)
    found = {name.removeprefix("factor."): samples[name] for name in samples if name.startswith("factor.")}
    assert set(found) == set(FACTORS) - {"date", "file"}
    assert found["none"].tolist() == FACTORS["none"]
    assert found["gaps"].isna().tolist() == [True] + [False] * 59
    assert found["text_gaps"].isna().sum() == 1
    assert found["flag"].isna().sum() == 20
    assert found["numbers"].dropna().tolist() == [1.0, 2.0] * 20
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(said) == 2
    assert any("'file'" in line and "name the rows" in line for line in said)
    assert any("'date'" in line and "dates" in line for line in said)


def test_one_column_of_probabilities_is_said(door, tmp_path: Path, capsys) -> None:
    door(BASE | {"probabilities": HALF, "labels": TWO}, tmp_path)
    assert "made to [1 - p, p]" in capsys.readouterr().err


def test_two_columns_of_one_name_are_rejected_in_memory() -> None:
    table = pd.DataFrame({"a": np.arange(N), "b": np.arange(N)})
    table.columns = ["a", "a"]
    with pytest.raises(MlxError, match="expected columns of different names, found 'a' 2 times"):
        in_notebook(BASE | {"factors": table}, Path())


class Tensor:
    """What PyTorch's tensors have that matters here."""

    def __init__(self, values):
        self.values, self.ready = values, False

    def detach(self):
        return self

    def cpu(self):
        self.ready = True
        return self

    def __array__(self, dtype=None, copy=None):
        assert self.ready
        return self.values


NOTEBOOK: dict[str, dict[str, Any]] = {
    "lists": {"representations": R.tolist(), "probabilities": P.tolist(), "labels": Y.tolist()},
    "tensors": {"representations": Tensor(R), "probabilities": Tensor(P), "labels": Tensor(Y)},
    "series in another order of its index": {"labels": pd.Series(Y, index=np.arange(N)[::-1])},
    "nullable integers": {"labels": pd.Series(Y, dtype="Int64")},
    "objects": {"labels": Y.astype(object)},
    "sparse": {"representations": sparse.lil_matrix(R)},
    "extended precision": {"representations": R.astype(np.longdouble)},
    "bytes as names": {"class_names": [b"a", b"b", b"c"]},
    "numbers as names": {"class_names": np.array([3.0, 5.0, 7.0])},
}


@pytest.mark.parametrize("name", NOTEBOOK)
def test_a_notebook_has_further_kinds_of_arrays(name: str) -> None:
    samples = in_notebook(BASE | NOTEBOOK[name], Path())
    np.testing.assert_array_equal(samples["y_true"], Y)


BAD_IN_NOTEBOOK: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"labels": [None, *Y[1:].tolist()]}, "y_true: row 0: expected a value, found a missing one"),
    "mixed": ({"labels": ["a", *Y[1:].tolist()]}, "expected numbers or texts, found both"),
    "masked": ({"labels": np.ma.array(Y, mask=Y == 1)}, "found masked ones"),
    "ragged": ({"probabilities": [[0.1], [0.2, 0.8]]}, "expected an array, found list"),
    "sparse": ({"probabilities": sparse.csr_array(P)}, "expected a dense array"),
    "nothing": ({"probabilities": None}, "expected a value, found a missing one"),
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


def test_the_pictures_take_the_same(tmp_path: Path) -> None:
    analyzer = mlx.VisualizationAnalyzer(residuals={"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]})
    drawn = analyzer.run_full_visualization(R, HALF, TWO.astype(bool), class_names=pd.Index(["no", "yes"]))
    assert "confusion" in drawn
    with pytest.raises(MlxError, match="differ from each other"):
        analyzer.run_full_visualization(R, P, Y, class_names=["a", "a", "b"])
