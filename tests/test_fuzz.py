"""Hundreds of damaged configurations: each is refused in one message, or passes and can be tried."""

import copy
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlx.cli import main
from mlx.config import resolve_all
from mlx.core.errors import MlxError
from mlx.core.settings import expectation
from mlx.experiment import run_experiment
from mlx.plots.report.figures import FIGURES
from mlx.runs.dry_run import dry_run

BASE: dict[str, Any] = {
    "name": "fuzz",
    "description": "a sentence",
    "dataset": {"name": "blobs", "params": {"n_samples": 60, "n_features": 3, "n_classes": 3, "seed": 1}},
    "split": {"test_size": 0.2, "val_size": 0.2, "stratify": True, "seed": 1},
    "preprocessing": {"scaling": "standard"},
    "model": {"name": "logistic_regression", "params": {"C": 1.0}},
    "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "optimizer": "adam", "seed": 1, "params": {}},
    "representations": {"layers": ["penultimate"], "batch_size": 64},
    "evaluation": {"n_bins": 5, "curve_points": 20},
    "residuals": {"seed": 1, "n_bootstrap": 100, "n_permutations": 19},
    "report": {"dpi": 50, "images_per_class": 2},
    "output": {"directory": "outputs", "save_logs": False},
}
MODELS = ("logistic_regression", "mlp", "random_forest", "linear_regression", "svm", "gradient_boosting")
DATASETS: tuple[dict[str, Any], ...] = (
    {"name": "blobs"}, {"name": "moons", "params": {"n_samples": 90}}, {"name": "digits"},
    {"name": "synthetic_regression", "params": {"n_samples": 90}},
    {"name": "shapes", "params": {"n_samples": 90, "image_size": 12, "n_classes": 3}},
)  # fmt: skip
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the quick one, where PyYAML was built with libyaml
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 10**18, -(10**18), 10**400, 0.0, 0.5, -0.5, 1e308, 1e-320, float("inf"),
    "", " ", "a", "MLP", "../..", "/", "\u0000", "naïve ☃ \U0001f600", "x" * 5000, "1e9", "yes", [], [1], [[[[]]]], {},
    {"a": 1}, {"name": {"name": {}}}, ["penultimate", "input"], [-1, 0], {"": ""},
)  # fmt: skip


def mutations(seed: int, count: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(seed)  # noqa: S311  # no secret
    for _ in range(count):
        config = copy.deepcopy(BASE)
        config["model"] = {"name": rng.choice(MODELS)}
        if rng.random() < 0.3:
            config["dataset"] = copy.deepcopy(rng.choice(DATASETS))
        for _ in range(rng.choice((1, 1, 2, 4))):
            place = rng.choice(list(containers(config)))
            key = rng.choice([*place, "epochs", "n_samples", "params", "nonsense"])
            if rng.random() < 0.2:
                place.pop(key, None)
            else:
                place[key] = copy.deepcopy(rng.choice(STRANGE))
        yield config


def containers(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from containers(inner)


@pytest.mark.slow
def test_a_damaged_configuration_never_ends_in_anything_but_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlx.core.sections.expectation", cache(expectation))  # of a key, whose schema takes 20 ms
    monkeypatch.setitem(FIGURES, "classification", {"confusion": FIGURES["classification"]["confusion"]})
    monkeypatch.setitem(FIGURES, "regression", {"residual_qq": FIGURES["regression"]["residual_qq"]})
    passed, refused = [], 0
    for i, config in enumerate(mutations(0, 600)):
        path = tmp_path / "c.yaml"
        path.write_text(yaml.dump(config, Dumper=DUMPER, allow_unicode=True), encoding="utf-8")
        try:
            (resolved,) = resolve_all(path)
        except MlxError as error:
            assert str(error).startswith(str(path)), (i, error)  # noqa: PT017
            refused += 1
            continue
        passed.append(resolved)
    assert refused > 300
    assert len(passed) > 30
    whole = []
    for resolved in passed[:25]:
        if (resolved.config.dataset.params.get("n_samples") or 0) > 5000:  # valid, and more than a test should make
            continue
        try:
            dry_run(resolved)
        except MlxError:
            continue
        whole.append(resolved)
    assert len(whole) > 12
    for resolved in whole[:2]:  # what passes the dry run runs
        run_experiment(resolved.config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system ['touch owned']\n", "not valid YAML: could not determine a constructor"),
        ("a: !!python/name:os.system\n", "not valid YAML: could not determine a constructor"),
        ("[" * 3000, "nested too deeply"),
        ("- {}\n- 3\n", "expected an experiment with its sections, found 3"),
        ("[]", "expected a list of experiments, found an empty one"),
        ("x" * (10 << 20), "expected a configuration of at most 1 MiB"),
        ("a: &a [*a]\n", "aliases unfold without end"),
        ("{", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_configuration_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("c.yaml", "c.json"):
        (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit) as caught:
        main(["run-experiment", "--dry-run", "--config", "c.yaml"])
    assert message in str(caught.value)
    with pytest.raises(SystemExit) as caught:
        main(["run-experiment", "--dry-run", "--config", "c.json"])
    assert str(caught.value).startswith("c.json")
    assert not (tmp_path / "owned").exists()


def test_aliases_are_values_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "name: a\ndataset: {name: blobs, params: &p {seed: 3}}\nmodel: {name: logistic_regression}\nsplit: *p\n"
    (tmp_path / "c.yaml").write_text(text)
    (resolved,) = resolve_all(tmp_path / "c.yaml")
    assert resolved.config.split.seed == resolved.config.dataset.params["seed"] == 3
    assert json.dumps(resolved.config.as_dict())


def test_a_key_stands_before_one_that_is_merged_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = "- &a {name: a, dataset: {name: blobs}, model: {name: svm}}\n"
    (tmp_path / "c.yaml").write_text(f"{first}- <<: *a\n  name: b\n")
    assert [resolved.config.name for resolved in resolve_all(tmp_path / "c.yaml")] == ["a", "b"]
