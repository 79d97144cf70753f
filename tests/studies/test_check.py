"""A run is judged by intervals: against another run, against a recipe, and by bounds, on recorded arrays."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded_models import regression, run_in, two_classifiers

from mlx.cli import main
from mlx.core.artifacts import write_csv
from mlx.core.errors import SettingsError
from mlx.results.comparison import Metric
from mlx.results.study import CELLS, DIFFERENCES, RUNS, VARIANCE, StudyRun
from mlx.runs.compare import compare_runs
from mlx.runs.run import Run
from mlx.studies.gate import Judgment, Rule, Verdict, no_worse, overall, parse_rule, read_rules


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs good, alike and worse on the same 500 samples, a regression, and a study of four runs like good."""
    root = tmp_path_factory.mktemp("runs")
    good, alike = two_classifiers(500, np.random.default_rng(0), ease=2.0)
    worse, _ = two_classifiers(500, np.random.default_rng(0), ease=2.0)
    rng = np.random.default_rng(1)
    lost = rng.permutation(500)[:150]
    p = np.array(worse.probabilities)
    p[lost] = p[lost][:, [1, 2, 0]]
    for name, model in (
        ("good", good),
        ("alike", alike),
        ("worse", replace(worse, probabilities=p, y_pred=p.argmax(1))),
    ):
        run_in(root / f"{name}/1", model)
    y = rng.normal(size=300)
    run_in(root / "line/1", regression(y, y + 0.1 * rng.normal(size=300)))
    for seed in range(4):
        q = np.array(good.probabilities) * rng.uniform(0.8, 1.25, size=(500, 3))
        q /= q.sum(axis=1, keepdims=True)
        run_in(root / f"study/runs/{seed}", replace(good, probabilities=q, y_pred=q.argmax(axis=1)))
    about = {"baseline": "plain", "cells": [{"name": "plain"}]}
    (root / "study/study.json").write_text(json.dumps(about))
    rows = [StudyRun(run=f"runs/{seed}", cell="plain", seed=seed) for seed in range(4)]
    for schema, found in ((RUNS, rows), (CELLS, ()), (DIFFERENCES, ()), (VARIANCE, ())):
        write_csv(root / "study" / schema.file, schema.frame(found))  # type: ignore[attr-defined]
    return root


def checked(*arguments: object) -> int:
    """Return the exit code of ``mlx check``."""
    try:
        main(["check", *map(str, arguments)])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def suite_in(path: Path) -> ET.Element:
    """Return the test suite of a JUnit file."""
    (suite,) = ET.fromstring(path.read_text())  # noqa: S314  # the test wrote it
    return suite


@pytest.mark.parametrize(
    ("run", "margin", "code"), [("alike", 0.08, 0), ("alike", 0.001, 4), ("worse", 0.05, 3)], ids=str
)
def test_a_run_passes_fails_or_has_too_little_data_by_the_interval_of_the_difference(
    folder: Path, run: str, margin: float, code: int
) -> None:
    assert (
        checked(folder / f"{run}/1", "--against", folder / "good/1", "--margin", margin, "--metric", "accuracy") == code
    )


def test_the_interval_is_that_of_the_comparison(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--against", folder / "good/1", "--metric", "log_loss", "--margin", 0.1, "--json"]
    checked(folder / "worse/1", *arguments)
    (found,) = json.loads(capsys.readouterr().out)["rules"]
    from mlx.runs.run import read_run

    runs: list[Run] = [read_run(folder / f"{name}/1") for name in ("good", "worse")]
    expected = next(test for test in compare_runs(runs).tests if test.metric is Metric.LOG_LOSS)
    assert (found["low"], found["high"], found["estimate"]) == (expected.low, expected.high, expected.difference)


def test_a_run_is_compared_with_the_recipe_of_a_study(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(folder / "good/1", "--against", folder / "study", "--margin", 0.05, "--metric", "acc") == 0
    assert "other seeds of the recipe" in capsys.readouterr().out
    assert checked(folder / "worse/1", "--against", folder / "study", "--cell", "plain") == 3
    assert checked(folder / "good/1", "--against", folder / "study", "--cell", "fancy") == 1
    assert checked(folder / "study/runs/2", "--against", folder / "study") == 1


def test_a_run_is_not_compared_with_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(folder / "good/1", "--against", folder / "good/../good/1") == 1


def test_arrays_are_checked_and_rules_on_bounds_go_by_the_end_of_the_interval(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays, source = tmp_path / "recorded/test", folder / "good/1/data/representations"
    arrays.mkdir(parents=True)
    for path in source.glob("*.npy"):
        (arrays / path.name).write_bytes(path.read_bytes())
    rules = tmp_path / "rules.txt"
    rules.write_text("# gate\nece < 0.5\n- accuracy >= 0.5  # far\nbrier <= against + 0.05\n")
    files = ["--rules", rules, "--markdown", tmp_path / "out.md", "--junit", tmp_path / "out.xml"]
    assert checked(arrays.parent, "--against", folder / "good/1", *files) == 0
    table = (tmp_path / "out.md").read_text()
    assert "## mlx check recorded: passes" in table
    assert table.count("| passes |") == 3
    assert "both models predict the same" in table
    suite = suite_in(tmp_path / "out.xml")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "0", "0")
    accuracy = next(row for row in table.splitlines() if "accuracy >= 0.5" in row).split("|")[3].split(" to ")
    low, high = (float(end) for end in accuracy)
    for bound, code in ((low - 0.01, 0), ((low + high) / 2, 4), (high + 0.01, 3)):
        rules.write_text(f"accuracy >= {bound}")
        assert checked(arrays.parent, *files) == code
    assert suite_in(tmp_path / "out.xml").find("testcase/failure") is not None
    capsys.readouterr()
    assert not [path for path in arrays.parent.iterdir() if path.name != "test"]


def test_a_regression_needs_a_margin_in_its_unit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(folder / "line/1", "--against", folder / "good/1") == 1
    assert checked(folder / "line/1", "--against", folder / "good/1", "--metric", "mae", "--margin", 0.1) == 4


@pytest.mark.parametrize(
    "arguments",
    [[], ["--metric", "accuracy"], ["--against", "nowhere"], ["--rules", "nowhere.txt"], ["--cell", "plain"]],
    ids=str,
)
def test_a_wrong_use_ends_with_1(folder: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert checked(folder / "good/1", *arguments) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ece < 0.05", Rule("ece", "<", 0.05)),
        ("accuracy>=against-0.01", Rule("accuracy", ">=", -0.01, is_relative=True)),
        ("log_loss <= against + 2e-2", Rule("log_loss", "<=", 0.02, is_relative=True)),
        ("r2 > -1", Rule("r2", ">", -1)),
        ("accuracy > against", Rule("accuracy", ">", 0, is_relative=True)),
    ],
)
def test_rules_are_read_and_written_alike(text: str, expected: Rule) -> None:
    assert parse_rule(text, "here") == expected
    assert parse_rule(str(expected), "here") == expected


@pytest.mark.parametrize("text", ["ece = 0.05", "ece <", "< 1", "ece < nan", "accuracy > against 0.01", "a b < 1"])
def test_what_is_no_rule_is_named_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(f"ece < 1\n{text}\n")
    with pytest.raises(SettingsError, match=r"rules:2: expected a rule such as 'ece < 0.05'"):
        read_rules(tmp_path / "rules")


def test_an_interval_decides_a_rule_where_both_ends_agree() -> None:
    rule = Rule("accuracy", ">=", 0.9)
    ends = [(0.9, 0.95), (0.89, 0.95), (0.8, 0.89), (np.nan, np.nan)]
    expected = [Verdict.PASSES, Verdict.NOT_ENOUGH_DATA, Verdict.FAILS, Verdict.NOT_ENOUGH_DATA]
    assert [rule.verdict(*each) for each in ends] == expected
    found = [Judgment(rule, 0, 0, 0, 0.95, verdict, "") for verdict in expected]
    assert [overall(found), overall(found[:2]), overall(found[:1])] == [
        *map(Verdict, ("fails", "not enough data", "passes"))
    ]


def test_no_worse_goes_by_what_is_better() -> None:
    assert [str(one) for one in no_worse(Metric.ACCURACY, None)] == ["accuracy >= against - 0.01"]
    assert [str(one) for one in no_worse(Metric.BRIER, 0.02)] == ["brier <= against + 0.02"]
    assert len(no_worse(Metric.PEARSON_WITHIN, None)) == 2
    for metric, margin in ((Metric.LOG_LOSS, None), (Metric.ACCURACY, 0.0), (Metric.ACCURACY, np.nan)):
        with pytest.raises(SettingsError):
            no_worse(metric, margin)
