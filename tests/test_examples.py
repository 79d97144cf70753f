"""Every example runs: those that need downloaded files are tried with --dry-run."""

import shutil
from functools import cache
from pathlib import Path

import pytest
from blank_figures import leave_few_figures

from mlx.cli import main
from mlx.runs.history import find_runs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if path.suffix in {".json", ".yaml"})
FETCHED = {"mnist_config.json", "cifar10_config.yaml"}  # `test_promises` tries the first
# Shorter, not other: what is tested is that the example works, not what it finds.
SHORT = (
    "training.epochs=1",
    "residuals.n_bootstrap=100",
    "residuals.n_permutations=19",
    "residuals.projections=[pca]",
    "report.dpi=50",
)
SIZES = {
    "shapes.yaml": 240, "blobs.json": 300, "experiments.yaml": 300, "digits.yaml": 300, "digits_mlp.json": 300,
    "mixture.yaml": 300, "synthetic_classification_mlp.json": 300, "regression.yaml": 300,
    "synthetic_regression_descent.yaml": 300,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


# Of each kind of report one with all figures: of images, of samples in groups, and of a regression.
ALL_FIGURES = {"shapes.yaml", "patients.yaml", "regression.yaml"}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in FETCHED])
def test_an_example_runs(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name not in ALL_FIGURES:
        leave_few_figures(monkeypatch)
    smaller = [f"dataset.params.n_samples={SIZES[name]}"] if name in SIZES else []
    short = [part for setting in (*SHORT, *smaller) for part in ("--set", setting)]
    main(["run-experiment", "--strict", "--config", f"examples/{name}", *short])
    runs = list(find_runs(folder / "outputs"))
    assert {run.status for run in runs} == {"finished"}
    assert all((run.folder / "data/report/report.html").is_file() for run in runs)


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave EfficientNets one block of each kind: to build and run all takes half a minute, and `tests/models` does."""
    from keras.src.applications import efficientnet

    from mlx.models.in_keras import applications

    once = [block | {"repeats": 1} for block in efficientnet.DEFAULT_BLOCKS_ARGS]
    monkeypatch.setattr(efficientnet, "DEFAULT_BLOCKS_ARGS", once)
    monkeypatch.setattr(applications, "_layers_of", cache(applications._layers_of.__wrapped__))


@pytest.mark.usefixtures("shallow")
def test_an_example_that_fetches_its_data_is_sound(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run-experiment", "--dry-run", "--strict", "--config", "examples/cifar10_config.yaml"])
    assert "would be downloaded: " in capsys.readouterr().out
