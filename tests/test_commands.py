"""The commands beside `run-experiment`: each answers what it is asked, and says in one line what it can't."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from mlx.cli import main
from mlx.core.errors import SettingsError
from mlx.results.comparison import Metric
from mlx.runs.compare import compare_runs
from mlx.runs.history import find_run, find_runs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CONFIG: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "digits", "params": {"n_samples": 600}},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "mlp", "params": {"hidden_layers": [16]}},
    "training": {"epochs": 4, "learning_rate": 0.01},
    "residuals": {"n_bootstrap": 100, "n_permutations": 99, "projections": ["pca"]},
    "report": {"dpi": 50},
}


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three runs: two of one dataset, one of another."""
    folder = tmp_path_factory.mktemp("studied")
    regression = CONFIG | {
        "name": "line",
        "dataset": {"name": "synthetic_regression"},
        "model": {"name": "linear_regression"},
    }
    regression |= {"preprocessing": {"scaling": "none"}}
    linear = CONFIG | {"name": "linear", "model": {"name": "logistic_regression", "params": {"C": 1e-4}}}
    (folder / "params.yaml").write_text(json.dumps([CONFIG, linear, regression]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(["run-experiment"])
    return folder


@pytest.fixture
def folder(studied: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(studied)
    return studied


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(arguments)
    return capsys.readouterr().out


def test_evaluating_the_final_model_again_gives_the_runs_own_numbers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("small", "linear", "line"):
        own = find_run(name, folder / "outputs").summary.metrics["evaluation"]
        assert json.loads(said(capsys, "eval", name, "--json")) == own


def test_any_checkpoint_and_split_can_be_evaluated(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = find_run("small", folder / "outputs")
    history = [line.split(",") for line in (run.folder / "metrics/history.csv").read_text().splitlines()]
    column = history[0].index("val_accuracy")
    for epoch in (1, 3):
        arguments = ("eval", run.id, "--split", "val", "--checkpoint", f"epoch_000{epoch}", "--json")
        found = json.loads(said(capsys, *arguments, "--metrics", "accuracy"))["accuracy"]
        assert found == pytest.approx(float(history[epoch][column]))
    assert json.loads(said(capsys, "eval", "small", "--split", "train", "--json"))["n"] == 420
    with pytest.raises(SystemExit, match="--checkpoint: expected one of final, best, epoch_0001, .*, found 'epoch_9'"):
        main(["eval", "small", "--checkpoint", "epoch_9"])


def test_metrics_are_chosen_by_their_usual_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "eval", "small", "--metrics", "accuracy", "f1_score", "ROC-AUC")
    assert [line.split()[0] for line in shown.splitlines()] == ["metric", "accuracy", "macro_f1", "roc_auc"]
    with pytest.raises(SystemExit, match="expected one of n, .*accuracy, .*, found 'acuracy'; did you mean 'accuracy'"):
        main(["eval", "small", "--metrics", "acuracy"])
    with pytest.raises(SystemExit, match="found 'accuracy'"):
        main(["eval", "line", "--metrics", "accuracy"])


def test_the_level_of_the_intervals_is_no_metric(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(said(capsys, "eval", "line", "--json"))["confidence"] == 0.95
    for shown in (said(capsys, "eval", "line"), said(capsys, "compare", "small", "linear")):
        assert not [line for line in shown.splitlines() if "confidence" in line.split()[:1]]
        assert not [line for line in shown.splitlines() if line.startswith(("evaluation.conf", "residuals.conf"))]
    assert "95 % interval" in said(capsys, "eval", "small", "--metrics", "accuracy").splitlines()[0]
    with pytest.raises(SystemExit, match="--metrics: expected one of n, .*rmse, mae, r2, found 'confidence'"):
        main(["eval", "line", "--metrics", "confidence"])
    with pytest.raises(SystemExit, match="--sort: expected .*, found 'confidence'"):
        main(["runs", "--sort", "confidence"])
    with pytest.raises(SystemExit, match="--metric: expected one of .*, found 'confidence'"):
        main(["compare", "small", "linear", "--plot", "runs.png", "--metric", "confidence"])


def test_a_dry_run_of_an_evaluation_says_what_it_would_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.rglob("*"))
    assert "would evaluate outputs/line/" in said(capsys, "eval", "--dry-run")
    assert "checkpoint best (of final, best, epoch_0001" in said(
        capsys, "eval", "small", "--dry-run", "--checkpoint", "best"
    )
    assert sorted(folder.rglob("*")) == before
    with pytest.raises(SystemExit, match="expected an EXPERIMENT_ID"):
        main(["eval"])


def test_nothing_to_evaluate_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no run yet" in said(capsys, "eval", "--dry-run")
    with pytest.raises(SystemExit, match="experiment_123: expected a run below .*, found none"):
        main(["eval", "experiment_123"])


def test_runs_have_short_names(folder: Path) -> None:
    runs = list(find_runs(folder / "outputs"))
    for number, run in enumerate(runs, start=1):
        for name in (str(number), run.id[:-1], run.folder.name):
            assert find_run(name, folder / "outputs").folder == run.folder
    with pytest.raises(SettingsError, match="lin: expected one run, found 2 whose id or .*: line/.*linear/"):
        find_run("lin", folder / "outputs")
    with pytest.raises(SettingsError, match="4: expected a run below"):
        find_run("4", folder / "outputs")


def test_the_history_is_filtered_and_sorted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [run["name"] for run in json.loads(said(capsys, "runs", "--json"))]
    assert ids == ["small", "linear", "line"]
    by_accuracy = [run["name"] for run in json.loads(said(capsys, "runs", "--json", "--sort", "accuracy"))]
    assert by_accuracy == ["line", "linear", "small"]
    by_loss = [run["name"] for run in json.loads(said(capsys, "runs", "--json", "--sort", "log_loss", "--limit", "1"))]
    assert by_loss == ["small"]
    assert len(said(capsys, "runs", "small").splitlines()) == 2
    nothing = said(capsys, "runs", "--status", "failed")
    assert nothing.startswith("no runs below")
    assert nothing.rpartition(" with status ")[2].startswith("'failed'; ")
    with pytest.raises(SystemExit, match="--sort: expected one of started, name, .*accuracy, .*, found 'beauty'"):
        main(["runs", "--sort", "beauty"])


def test_two_runs_are_compared_by_the_samples_that_both_have_seen(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (find_run(name, folder / "outputs") for name in ("small", "linear"))
    comparison = compare_runs([first, second])
    assert dict(comparison.configuration)["model.name"] == ("mlp", "logistic_regression")
    right = [
        np.load(run.folder / "data/representations/test/y_true.npy")
        == np.load(run.folder / "data/representations/test/y_pred.npy")
        for run in (first, second)
    ]
    gained, lost = int((~right[0] & right[1]).sum()), int((right[0] & ~right[1]).sum())
    test = comparison.tests[0]
    assert (test.metric, test.primary, test.n) == (Metric.ACCURACY, True, 120)
    assert test.difference == pytest.approx((gained - lost) / 120)
    assert test.p == test.p_holm == pytest.approx(chi2.sf((gained - lost) ** 2 / (gained + lost), 1), rel=1e-12)
    assert test.low < test.difference < test.high
    evaluated = first.summary.metrics["evaluation"] | first.summary.metrics["residuals"]
    for found in comparison.tests:
        if found.metric in evaluated:
            assert found.estimate_first == pytest.approx(evaluated[found.metric], rel=1e-12)
    shown = said(capsys, "compare", "small", "linear", "line")
    assert "model.params.C" in shown
    assert "accuracy (primary)" in shown
    assert "different datasets share no test samples" in shown
    assert not {"None", "nan"} & set(shown.split())
    said(capsys, "compare", "small", "linear", "--plot", "runs.png")
    assert (folder / "runs.png").read_bytes().startswith(b"\x89PNG")
    (folder / "runs.png").unlink()
    with pytest.raises(SystemExit, match="--metric: expected one of accuracy, .*, found 'beauty'"):
        main(["compare", "small", "linear", "--plot", "runs.png", "--metric", "beauty"])
    with pytest.raises(SystemExit, match="expected two runs or more"):
        main(["compare", "small"])


def test_a_comparison_as_json_has_null_for_what_is_missing_and_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(said(capsys, "compare", "small", "linear", "line", "--json"))
    assert [*found] == ["runs", "configuration", "metrics", "samples", "tests"]
    of_linear, of_line = found["samples"]
    assert (of_linear["n_first"], of_linear["n_shared"], of_linear["n"], of_linear["status"]) == (120, 120, 120, "ok")
    assert (of_line["n"], of_line["status"]) == (0, "different datasets share no test samples")
    rows = {row["metric"]: row for row in found["tests"]}
    assert rows[None]["status"] == of_line["status"]
    assert rows["ece"]["p"] is rows["ece"]["low"] is None
    assert rows["ece"]["status"].startswith("no p and no interval (")
    assert rows["accuracy"]["null"] == "both models have the same accuracy"


def test_a_demo_is_a_whole_study_from_its_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = said(
        capsys, "demo", "--data-method", "shapes", "--n_samples", "90", "--n-classes", "3", "--image_size", "12",
        "--model_type", "mlp", "--hidden-layers", "12,6", "--epochs", "2", "--output_dir", "out", "--random_seed", "7",
    )  # fmt: skip
    assert "accuracy" in shown
    assert (tmp_path / shown.split()[-1]).name == "report.html"
    assert (tmp_path / shown.split()[-1]).exists()
    config = find_run("demo", tmp_path / "out").config()
    assert config["model"]["params"]["hidden_layers"] == [12, 6]
    assert [config[section]["seed"] for section in ("split", "training", "residuals")] == [7, 7, 7]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--n_samples", "-4"],
            "--n_samples: dataset.params.n_samples: expected an integer of at least 1 and at most ",
        ),
        (["--n-classes", "40"], "--n_classes: dataset.params.n_classes: expected "),
        (["--model_type", "cnnn"], "--model_type: model.name: expected one of "),
        (["--hidden_layers", "a,b"], "--hidden_layers: expected numbers separated by commas, found 'a,b'"),
        (
            ["--data_method", "blobs", "--image_size", "9"],
            "--image_size: expected none, as blobs has no such parameter",
        ),
        (["--output_dir", "../elsewhere"], "--output_dir: output.directory: expected a folder of its own inside"),
    ],
)
def test_a_flag_that_can_not_be_used_is_named(flags: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", *flags])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("command", [["report"], ["eval"], ["compare", "one"], ["run-experiment", "--resume"]])
def test_an_empty_name_of_a_run_is_not_the_workspace(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As an unset variable of a shell makes it."""
    with pytest.raises(SystemExit) as caught:
        main([*command, ""])
    assert caught.value.code == 1
    assert "expected a run's folder, name/time or name, found an empty text" in capsys.readouterr().err


def test_a_missing_folder_of_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"--run-dir: expected a folder that holds runs, found none at {tmp_path}/no"):
        main(["runs", "--run-dir", str(tmp_path / "no")])


def test_the_schema_accepts_every_example_and_refuses_typos(capsys: pytest.CaptureFixture[str]) -> None:
    from jsonschema import Draft202012Validator

    from mlx.core.documents import read_documents

    schema = json.loads(said(capsys, "schema"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for path in (ROOT / "params.yaml", *sorted((ROOT / "examples").glob("*.[jy]*"))):
        for document in read_documents(path):
            assert not list(validator.iter_errors(document.values)), path
    good = {"name": "a", "dataset": {"name": "shapes"}, "model": {"name": "cnn"}}
    assert validator.is_valid(good)
    for typo in (
        {"dataset": {"name": "shape"}},
        {"dataset": {"name": "shapes", "params": {"n_sample": 3}}},
        {"foo": 1},
    ):
        assert not validator.is_valid(good | typo)
    of_studies = Draft202012Validator(json.loads(said(capsys, "schema", "--study")))
    (study,) = read_documents(ROOT / "studies/digits.yaml")
    assert not list(of_studies.iter_errors(study.values))
    assert of_studies.is_valid({"name": "a", "base": {"dataset": {"name": "shapes"}}})
    for typo in ({"sedes": 3}, {"base": {"dataset": {"name": "shape"}}}, {"folds": 1}):
        assert not of_studies.is_valid({"name": "a", "base": "params.yaml", **typo})


def test_completion_scripts_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert "run-experiment" in said(capsys, "completion", "bash")


def test_demo_py_and_the_module_are_the_command() -> None:
    for command in (["demo.py", "--version"], ["-m", "mlx", "--version"]):
        done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
        # demo.py hands its flags to the demo, which has no --version
        assert done.returncode == (1 if command[0] == "demo.py" else 0)
        assert "mlx" in done.stdout + done.stderr


def test_an_error_has_its_traceback_only_with_debug(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags, traced in (((), False), (("--debug",), True)):
        with pytest.raises(SystemExit):
            main(["eval", "nothing", *flags])
        assert ("Traceback" in capsys.readouterr().err) is traced
