"""A study file is checked as a whole before anything runs; each fault is named with its line."""

from pathlib import Path

import pytest

from mlx.core.errors import SettingsError
from mlx.studies.cost import check_metrics
from mlx.studies.plan import Study, read_study

BASE = """\
name: small
base:
  dataset: {name: blobs, params: {n_samples: 60}}
  model: {name: logistic_regression}
"""


def read(folder: Path, text: str, *, base: str = BASE) -> Study:
    file = folder / "small.yaml"
    file.write_text(base + text)
    return read_study(file)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(study: Study) -> list[str]:
    return [run.name for cell in study.cells for run in study.runs_of(cell)]


def test_a_study_repeats_its_base_with_five_seeds(folder: Path) -> None:
    study = read(folder, "")
    assert names(study) == [f"small-seed-{seed}" for seed in range(1, 6)]
    assert study.folder == folder / "outputs" / "small"
    runs = study.runs_of(study.cells[0])
    assert [run.config.training.seed for run in runs] == [1, 2, 3, 4, 5]
    assert {run.config.split.seed for run in runs} == {42}


def test_seeds_set_what_varies(folder: Path) -> None:
    study = read(folder, "seeds: [7, 3]\nvary: [split, data]\n")
    runs = study.runs_of(study.cells[0])
    assert [(r.config.split.seed, r.config.dataset.params["seed"], r.config.training.seed) for r in runs] == [
        (7, 7, 42),
        (3, 3, 42),
    ]


def test_folds_are_repeated_with_other_splits(folder: Path) -> None:
    study = read(folder, "folds: 3\nrepeats: 2\n")
    runs = study.runs_of(study.cells[0])
    assert [(run.config.split.seed, run.config.split.fold) for run in runs] == [
        (seed, [fold, 3]) for seed in (1, 2) for fold in range(3)
    ]
    assert runs[-1].name == "small-repeat-2-fold-3"


def test_cells_are_every_combination_of_named_ones_and_the_grid(folder: Path) -> None:
    cells = """\
seeds: 1
cells:
  linear: {}
  forest: {model: {name: random_forest, params: {n_estimators: 5}}}
  listed: [model.name=mlp, {training.epochs: 3}]
grid:
  split.test_size: [0.2, 0.3]
baseline: forest, test_size=0.3
"""
    study = read(folder, cells)
    assert [cell.name for cell in study.cells][:3] == [
        "linear, test_size=0.2",
        "linear, test_size=0.3",
        "forest, test_size=0.2",
    ]
    assert study.baseline == "forest, test_size=0.3"
    last = study.runs_of(study.cells[-1])[0].config
    assert (last.model.name, last.training.epochs, last.split.test_size) == ("mlp", 3, 0.3)


def test_the_base_may_be_a_file_beside_the_study(folder: Path) -> None:
    (folder / "base.json").write_text('{"name": "x", "dataset": {"name": "moons"}, "model": {"name": "svm"}}')
    study = read(folder, "", base="name: other\nbase: base.json\n")
    config = study.runs_of(study.cells[0])[0].config
    assert (config.name, config.model.name) == ("other", "svm")


FAULTS = {
    "sedes: 3": "small.yaml:5: sedes: expected one of .* did you mean 'seeds'",
    "seeds: 0": "small.yaml:5: seeds: expected an integer of at least 1 and at most 100000 or a list",
    "seeds: 99999999999": "found 99999999999",
    "seeds: [1, 1]": "small.yaml:5: seeds: expected different seeds",
    "folds: 3\nseeds: 2": "folds: expected seeds, or folds with repeats, found both",
    "repeats: 2": "small.yaml:5: repeats: expected folds beside it",
    "vary: [trainings]": "small.yaml:5: vary",
    "grid: {training.epoch: [1, 2]}": "small.yaml:5: training.epoch: expected .* did you mean 'epochs'",
    "grid: {training.epochs: [1, -2]}": "small.yaml:5: training.epochs: expected an integer of at least 1, found -2",
    "grid: {trainings.epochs: [1]}": "small.yaml:5: grid.trainings.epochs: expected one of .* did you mean 'training'",
    "cells: {a: [3]}": "cell 'a'.*: expected a key and its value, as in training.epochs=5, found 3",
    "cells: {a: {model.params.C: -1}}": r"small.yaml:5 \(cell 'a'\): model.params.C: expected",
    "cells: {a: {}, b: {}}\nbaseline: c": "small.yaml:6: baseline: expected one of a, b, found 'c'",
    "search: {trials: 3, space: {training.epochs: {low: 3}}}": "search.space.*: expected choices, or low and high",
    "search: {trials: 3, space: {training.epochs: {low: 3, high: 1}}}": "expected a number above low, 3, found 1",
    "search: {trials: 3, space: {train.epochs: {low: 1, high: 3}}}": "train.epochs: expected one of",
    "search: {trials: 3, space: {training.epoch: {low: 1, high: 3}}}": "training.epoch: .* did you mean 'epochs'",
    "search: {trials: 3, space: {training.epochs: {choices: [1, -2]}}}": "training.epochs: .* of at least 1, found -2",
    "search: {trials: 3, space: {training.epochs: {low: 1, high: 3, step: 0.5}}}": "training.epochs: .* found 1.5",
    "search: {trials: 3, space: {training.epochs: {low: 1, high: 3, step: 9}}}": "step: expected at most high - low, 2",
    "search: {trials: 3, space: {training.epochs: {lo: 1}}}": "space.training.epochs.lo: .* did you mean 'low'",
    "search: {trials: 3, space: {training.seed: {low: 1, high: 3}}}": "training.seed: expected no value",
    "grid: {training.seed: [1, 2]}": "small.yaml:5: training.seed: expected no value",
    "grid: {training.epochs: 3}": "small.yaml:5: grid.training.epochs: expected a list of at least 1",
    "grid: {training.epochs: [1, 1]}": "small.yaml:5: grid: expected cells that differ, found 'epochs=1' twice",
    "grid: {training: [3]}": "small.yaml:5: training: expected a section of keys, found 3",
    "cells: {cafe\u0301: {}, caf\u00e9: {}}": "small.yaml:5: cells: expected names that differ from each other, found",
    f"grid: {{training.epochs: {list(range(1, 41))}, split.seed: {list(range(40))}}}": "small.yaml:5: expected at most "
    "1,000 cells, found 1,600; a search tries some",
    "cells: {a: 3}": "small.yaml:5: cells.a: expected a section of keys or a list",
    "folds: 3\nvary: [data]": "folds: expected seeds with vary: data",
    "cells: {a: {dataset: {name: digits}}}\nvary: [data]": "small.yaml:6: vary: data: expected .*n_samples",
    "metrics: [accuracy, mae]": "small.yaml:5: metrics: expected some of accuracy, .* is classification, found mae",
    "metrics: [accurate]": "metrics: expected .* did you mean 'accuracy'",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_named_before_the_first_run(folder: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=FAULTS[text]):
        check_metrics(read(folder, f"{text}\n"))
    assert not (folder / "outputs").exists()
