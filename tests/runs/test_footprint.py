"""The memory and disk space that a dry run estimates are what the run takes, within a factor of 2."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from blank_figures import BLANK

from mlx.cli import main
from mlx.models import IterativeModel, ModelSettings, TaskSpec, build_model
from mlx.runs.footprint import ANALYZED_SAMPLE, GEOMETRY_COPIES, Footprint, SampleSizes, _analysis

RUN = """
import re, resource, sys
from mlx.cli import main
main(["run-experiment", "--config", "c.json"])
if sys.platform == "linux":  # getrusage begins with what the process had that started this one
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
FEW: dict[str, Any] = {
    "evaluation": {"n_bootstrap": 100},
    "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
}
STUDIES: dict[str, dict[str, Any]] = {
    "a network for images": {
        "dataset": {"name": "shapes", "params": {"n_samples": 1000, "n_classes": 4}},
        "preprocessing": {"scaling": "unit"},
        "model": {"name": "cnn"},
        "training": {"epochs": 1},
    },
    "a forest for real digits": {"dataset": {"name": "digits"}, "model": {"name": "random_forest"}},
    "a table": {
        "dataset": {"name": "synthetic_classification", "params": {"n_samples": 20_000, "n_features": 80}},
        "model": {"name": "logistic_regression"},
    },
}
BLANK_FIGURES = {"a network for images", "a table"}
"""Studies whose disk space is mostly that of samples and model; what pictures take, the digits show."""
UNITS = {"MB": 10**6, "GB": 10**9}


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_a_run_takes_what_the_dry_run_says_within_a_factor_of_2(
    tmp_path: Path, study: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.json").write_text(json.dumps({"name": "study", **FEW, **STUDIES[study]}))
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    main(["run-experiment", "--config", "c.json", "--dry-run"])
    found = re.findall(r"^# (disk|memory): about ([\d.]+) (MB|GB)", capsys.readouterr().out, re.MULTILINE)
    estimated = {what: float(number) * UNITS[unit] for what, number, unit in found}
    code = BLANK + RUN if study in BLANK_FIGURES else RUN
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    folder, memory = run.stdout.split()
    taken = {
        "memory": float(memory),
        "disk": sum(file.stat().st_size for file in (tmp_path / folder).rglob("*") if file.is_file()),
    }
    for what, amount in taken.items():
        assert amount / 2 < estimated[what] < amount * 2, (
            f"{what}: {amount:.3g} bytes taken, {estimated[what]:.3g} said"
        )


def test_each_part_of_an_estimate_is_named() -> None:
    taken = Footprint({"libraries": 10**9, "training": 5 * 10**8}, {"samples": 10**6, "report": 4 * 10**6})
    assert taken.facts() == (
        "disk: about 5.0 MB (samples 1.0 MB, report 4.0 MB)",
        "memory: about 1.5 GB at most in one process (libraries 1.0 GB, training 500.0 MB)",
    )


@pytest.mark.parametrize(("n_test", "megabytes"), [(2000, 80), (4001, 320), (30_000, 320)])
def test_an_analysis_has_up_to_eight_million_pairs_in_memory(n_test: int, megabytes: int) -> None:
    """As measured: 110 MB of 2400 samples, and no more of 30,000 than of 6000."""
    tried = SampleSizes(100, 100, 0, 0, width=1, n_sparse=0, sample_bytes=8)
    of_samples = n_test * (8 * GEOMETRY_COPIES + 2 * ANALYZED_SAMPLE)
    assert _analysis(n_test, tried, 1) - of_samples == pytest.approx(megabytes * 10**6, rel=0.01)


@pytest.mark.parametrize(
    ("model", "shape", "expected"),
    [
        ({"name": "mlp", "params": {"hidden_layers": [7]}}, (5,), 5 + 7 + 3),
        pytest.param(
            {"name": "cnn", "params": {"filters": [4], "hidden_layers": [8], "dropout": 0.0}}, (8, 8, 1),
            64 + 64 * 4 + 16 * 4 + 64 + 8 + 3 + 3, marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_activations_are_the_values_of_all_layers(model: dict[str, Any], shape: tuple[int, ...], expected: int) -> None:
    built = build_model(ModelSettings.model_validate(model), TaskSpec("classification", shape, 3), seed=0)
    assert isinstance(built, IterativeModel)
    assert built.n_activations == expected
