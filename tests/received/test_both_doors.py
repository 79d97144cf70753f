"""`mlx analyze` and the notebook classes take the same inputs, and reject the same ones in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from recorded import BASE, HALF, NAMED, NAMES, OTHER, TEXT, TWO, K, N, P, R, Y, in_notebook
from scipy import sparse

import mlx
import mlx.runs.recorded_arrays
from mlx.core.errors import MlxError

pytestmark = pytest.mark.slow
SIXTY = [f"category_{k:02d}" for k in range(K)]
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


def test_a_column_of_a_layer_that_counts_the_rows_is_warned_of(door, tmp_path: Path, capsys) -> None:
    frame = pd.DataFrame(R, columns=list("abcd")).assign(e=Y)
    for change, said in (({}, False), ({"id": np.arange(N)}, True), ({"id": np.arange(N, 0, -1) + 1000.0}, True)):
        door(BASE | {"representations": frame.assign(**change)}, tmp_path)
        assert ("column 'id' counts the rows, as an id does" in capsys.readouterr().err) == said


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


def test_an_archive_of_several_arrays_has_to_name_the_one_that_is_meant(door, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=P, b=Y)
    np.savez(tmp_path / "o.npz", np.array([{}], dtype=object))
    for name, message in (("x.npz", "found a, b"), ("o.npz", "Python objects")):
        with pytest.raises(MlxError, match=message):
            door(BASE | {"probabilities": tmp_path / name}, tmp_path)


def test_one_column_of_probabilities_is_said(door, tmp_path: Path, capsys) -> None:
    door(BASE | {"probabilities": HALF, "labels": TWO}, tmp_path)
    assert "made to [1 - p, p]" in capsys.readouterr().err


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


def test_the_pictures_take_the_same(tmp_path: Path) -> None:
    analyzer = mlx.VisualizationAnalyzer(residuals={"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]})
    drawn = analyzer.run_full_visualization(R, HALF, TWO.astype(bool), class_names=pd.Index(["no", "yes"]))
    assert "confusion" in drawn
    with pytest.raises(MlxError, match="differ from each other"):
        analyzer.run_full_visualization(R, P, Y, class_names=["a", "a", "b"])
