"""`mlx analyze FOLDER`: recorded arrays of every part of the data, in the shape of ``data/representations/``."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from mlx.cli import main
from mlx.core.descriptions import SPLITS, Split
from mlx.core.paths import Workspace
from mlx.pipeline.model_outputs import open_model_outputs
from mlx.pipeline.other_parts import open_other_parts
from mlx.pipeline.sample_columns import read_group_labels
from mlx.stats.groups import Groups
from mlx.stats.validation_outputs import validation_halves

K, SIZES = 3, {"test": 120, "val": 60, "train": 90}


@pytest.fixture(autouse=True)
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Arrays of three parts as another framework would save them; the first steps of the analysis alone are run."""
    from mlx.runs import recorded_arrays

    for step in ("evaluate", "residuals_analysis", "report"):
        monkeypatch.setattr(recorded_arrays, step, lambda *_, **__: "")
    monkeypatch.setattr("mlx.commands.analyze._note_results", lambda _: None)
    monkeypatch.chdir(tmp_path)
    generator, first = np.random.default_rng(0), 0
    for split, n in SIZES.items():
        place = tmp_path / "recorded" / split
        place.mkdir(parents=True)
        y = generator.integers(K, size=n)
        h = 2 * np.eye(K, 8)[y] + 1.2 * generator.normal(size=(n, 8))
        arrays = {"penultimate": h, "conv": h[:, :4], "logits": h[:, :K], "probabilities": softmax(h[:, :K], axis=1),
                  "y_true": y, "index": np.arange(first, first + n)[::-1]}  # fmt: skip
        for name, array in arrays.items():
            np.save(place / f"{name}.npy", array)
        first += n
    return tmp_path / "recorded"


def analyze(*arguments: str) -> str:
    try:
        main(["analyze", *arguments])
    except SystemExit as end:
        return f"exit {end.code}"
    return ""


@pytest.mark.parametrize("how", [("recorded",), ("--representations", "recorded")])
def test_every_part_is_laid_out_as_extract_representations_does(recorded: Path, how: tuple[str, ...]) -> None:
    assert not analyze(*how)
    folder = Path("analysis/data/representations")
    for split in SPLITS:
        found = open_model_outputs(folder, split)
        assert list(found.layers) == ["penultimate", "conv"]
        given = {name: np.load(recorded / split / f"{name}.npy") for name in ("y_true", "index", "logits", "conv")}
        np.testing.assert_array_equal(found.y_true, given["y_true"])
        np.testing.assert_array_equal(found.y_pred, given["logits"].argmax(axis=1))
        np.testing.assert_array_equal(found.index, given["index"])
        np.testing.assert_array_equal(found.layers["conv"], given["conv"])
    val = open_model_outputs(folder, "val")
    assert val.validation is not None
    assert (val.validation.n, val.validation.errors) == (60, int((val.y_true != val.y_pred).sum()))
    described = json.loads((folder / "representations.json").read_text())
    assert described["samples"] == SIZES


@pytest.mark.parametrize(
    ("weights", "said"),
    [(np.eye(8, 3), ""), (np.eye(3, 8), ""), (2 * np.eye(8, 3), "which make others"), (np.eye(8, 2), "shape (8, 2)")],
)
def test_a_last_layer_is_recorded_if_it_makes_the_logits(recorded: Path, weights: np.ndarray, said: str) -> None:
    np.savez("last.npz", weights=weights, bias=np.zeros(3))
    assert said in analyze("recorded", "--last-layer", "last.npz")
    if said:
        return
    folder = Path("analysis/data/representations")
    last = open_other_parts(Workspace(Path("analysis"))).last_layer
    assert last is not None
    assert last.layer == "penultimate"
    np.testing.assert_array_equal(last.weights, np.eye(8, 3))
    for file in ("last_layer_weights.npy", "last_layer_bias.npy"):
        shutil.copy(folder / file, recorded)
    assert not analyze("recorded", "--output", "again")
    described = (Path(name) / "data/representations/representations.json" for name in ("analysis", "again"))
    assert len({path.read_text() for path in described}) == 1


def test_metadata_of_the_test_samples_follows_their_numbers(recorded: Path) -> None:
    pd.DataFrame({"size": np.arange(120), "big": np.arange(120) > 60}).to_csv("m.csv", index=False)
    assert not analyze("recorded", "--metadata", "m.csv")
    table = pd.read_parquet("analysis/data/raw/factors.parquet")
    assert len(table) == sum(SIZES.values())
    np.testing.assert_array_equal(table["size"].to_numpy()[np.load(recorded / "test/index.npy")], np.arange(120))
    assert table["big"].iloc[120:].isna().all()


@pytest.mark.parametrize("kind", ["text", "large", "absent", "other"])
def test_no_half_of_validation_divides_a_group_that_its_metadata_names(recorded: Path, capsys, kind: str) -> None:
    first = 2**60 if kind == "large" else 0
    for split, n in (("test", 120), ("val", 60)):
        ids = [first + row // 3 for row in range(n)]
        rows = [
            {"size": k % 5, "subject": f"s{k}" if kind == "text" or (kind, split) == ("other", "val") else k}
            for k in ids
        ]
        if kind == "absent" and split == "val":
            rows = [{"size": 1}] * n
        (recorded / split / "metadata.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    said = analyze("recorded", "--groups", "subject")
    if kind == "other":
        assert (
            said == "exit recorded/val: metadata: column 'subject': expected numbers, as in the test part, found text"
        )
        return
    assert not said
    noted = (
        "recorded/val: expected metadata with the column 'subject', found none: validation samples count as independent"
    )
    assert (noted in capsys.readouterr().err) == (kind == "absent")
    index = np.load(recorded / "val/index.npy")
    labels = read_group_labels(Workspace(Path("analysis")), "subject", index)
    assert labels is not None
    halves = [set(np.arange(60)[rows] // 3) for rows in validation_halves(index, labels)]
    assert bool(halves[0] & halves[1]) == (kind == "absent")
    assert Groups.of(labels).count == (60 if kind == "absent" else 20)


def test_without_index_the_samples_are_numbered_part_by_part(recorded: Path) -> None:
    for split in SIZES:
        (recorded / split / "index.npy").unlink()
    assert not analyze("recorded")
    folder = Path("analysis/data/representations")
    numbers = [open_model_outputs(folder, split).index for split in SPLITS]
    np.testing.assert_array_equal(np.concatenate(numbers), np.arange(270))


def test_description_and_flat_folders_are_read(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described = {"task": "classification", "class_names": ["a", "b", "c"], "model": "mine", "has_logits": True,
                 "layers": {"conv": 4, "penultimate": 8}, "split": "test"}  # fmt: skip
    flat = recorded.parent / "flat"
    shutil.copytree(recorded / "test", flat)
    (flat / "representations.json").write_text(json.dumps(described))
    np.save(flat / "y_pred.npy", np.load(flat / "logits.npy").argmax(axis=1))
    found = open_model_outputs(flat)  # as compare opens that of an old run
    assert list(found.layers) == ["conv", "penultimate"]
    assert "of an earlier version, which recorded the test samples alone" in capsys.readouterr().err
    assert not analyze("flat")
    assert "found arrays, which are taken for the test part" in capsys.readouterr().err
    laid_out = open_model_outputs(Path("analysis/data/representations"))
    assert (laid_out.class_names, list(laid_out.layers)) == (("a", "b", "c"), ["conv", "penultimate"])


def damaged(split: Split, name: str, change: str) -> str:
    """Change an array of a part, and return what `mlx analyze` says."""
    path = Path("recorded") / split / f"{name}.npy"
    array = np.load(path)
    match change:
        case "remove":
            path.unlink()
        case "narrow":
            np.save(path, array[:, 1:])
        case "repeat":
            np.save(path, np.load(Path("recorded/test") / f"{name}.npy")[: len(array)])
        case "negative":
            np.save(path, array - 1000)
    return analyze("recorded")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (("val", "y_true", "remove"), "recorded/val/y_true.npy: expected a file, found none"),
        (("train", "conv", "remove"), "recorded/train/conv.npy: expected a file, found none"),
        (("val", "conv", "narrow"), "recorded/val/conv.npy: expected 4 columns, as in the test part, found 3"),
        (("train", "logits", "remove"), "recorded/train: expected logits in each part or in none"),
        (("train", "index", "remove"), "recorded/train: expected index.npy, as in another part, found none"),
        (("val", "index", "repeat"), "recorded/val/index.npy: expected another number for each sample of all parts"),
        (("test", "index", "negative"), "recorded/test/index.npy: expected integers from 0"),
        (("val", "probabilities", "narrow"), "recorded/val/probabilities.npy"),
    ],
)
def test_parts_that_do_not_match_are_rejected(damage: tuple[Split, str, str], said: str) -> None:
    assert damaged(*damage).startswith(f"exit {said}")
    assert not Path("analysis/data/representations").exists()


def test_a_folder_and_flags_for_files_exclude_each_other(recorded: Path) -> None:
    assert "expected either a folder of recorded arrays or flags" in analyze("recorded", "--labels", "y.npy")
    assert "found no --representations" in analyze()
    assert "found no --probabilities" in analyze("--representations", "recorded/test/conv.npy", "--labels", "y.npy")
    shutil.rmtree(recorded / "test")
    assert "expected a folder 'test'" in analyze("recorded")
