"""A small repository of its own for tests that run the pipeline as a user does."""

import compileall
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path
from typing import Any

import psutil
import yaml
from blank_figures import FEW
from warm import warm_path

ROOT = Path(__file__).parents[1]
STAGES = [
    "generate-data", "preprocess-split", "train", "extract-representations", "evaluate", "residuals-analysis", "report",
]  # fmt: skip

# A real study that needs no TensorFlow, of few samples, so that most of what follows takes seconds.
SMALL: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "digits", "params": {"n_samples": 500}},
    "split": {"test_size": 0.2},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
    "training": {"seed": 1},
    "representations": {"layers": ["penultimate", "input"]},
    "evaluation": {},
    "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
    "report": {"dpi": 50},
}
CNN = SMALL | {
    "dataset": {"name": "shapes", "params": {"n_samples": 120, "n_classes": 3, "image_size": 16}},
    "model": {"name": "cnn", "params": {"filters": [4], "hidden_layers": [8]}},
    "training": {"epochs": 2},
    "representations": {"layers": ["penultimate", "conv_1"]},
}


class Repository:
    """A clone of this project with its own params.yaml, its own DVC cache, and its own copy of mlx.

    It is made at `root` where there are `params`; without, the one at `root` is meant.
    """

    def __init__(self, root: Path, params: dict[str, Any] | None = None) -> None:
        self.root = root
        # The copy of mlx stands before the installed one, so that editing it is editing the project.
        self.environment = os.environ | {
            "PYTHONPATH": str(root),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self.warm: dict[str, str] = {}
        if params is None:
            return
        for name in ("mlx", "stages", ".dvc", "dvc.yaml", ".dvcignore", ".gitignore"):
            source = ROOT / name
            ignore = shutil.ignore_patterns("cache", "tmp", "config.local")
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=ignore)
            else:
                shutil.copy(source, root / name)
        style = root / "mlx/plots/style.py"  # whose figures stay blank: drawing takes most of the time of a report
        style.write_text(style.read_text().replace("canvas.draw()", "canvas.get_renderer()"))
        with (root / "mlx/plots/report/figures.py").open("a") as figures:  # and but a few of them are made
            figures.write(f"\n\n{FEW}")
        compileall.compile_dir(root / "mlx", quiet=2)  # what has no bytecode yet, which goes by time and size
        self.configure(params)
        self.run("git", "init", "--quiet")

    def start_warm(self) -> None:
        """Run `dvc` and its stages where packages are imported already; what is killed starts as a user's does."""
        self.warm = {"PATH": f"{warm_path()}{os.pathsep}{self.environment['PATH']}"}

    def use_all_cores(self) -> None:
        """Run with as many threads as a user's run has; ``conftest.py`` limits them."""
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            self.environment.pop(name, None)

    def configure(self, params: dict[str, Any]) -> None:
        (self.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment | self.warm,
            text=True,
            capture_output=True,
            check=False,
            timeout=900,
        )

    def kill_repro(self, *options: str, after: str) -> None:
        """Start `dvc repro`; kill it, and it alone, when a line was printed that begins so."""
        with subprocess.Popen(
            ("dvc", "repro", *options),
            cwd=self.root,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as driver:
            assert driver.stdout is not None
            assert any(line.startswith(after) for line in driver.stdout), f"no line begins with {after}"
            driver.send_signal(signal.SIGKILL)

    def stage(self, name: str) -> "subprocess.CompletedProcess[str]":
        return self.run("python", f"stages/{name.replace('-', '_')}.py")

    def run_here(self, stages: Iterable[str] = STAGES) -> None:
        """Run stages in this process, which has imported what they need, and without DVC."""
        from mlx.core.stage import run_stage  # here, as `conftest.py` imports this before NumPy may be loaded
        from mlx.pipeline.steps import STEPS

        with chdir(self.root):
            for stage in stages:
                run_stage(STEPS[STAGES.index(stage)])

    def repro(self, *options: str) -> list[str]:
        """Run `dvc repro`; return the stages that ran."""
        done = self.run("dvc", "repro", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]

    def content(self) -> dict[str, str]:
        """A digest of every artifact."""
        return {
            str(file.relative_to(self.root)): hashlib.sha256(file.read_bytes()).hexdigest()
            for folder in ("data", "metrics")
            for file in sorted((self.root / folder).rglob("*"))
            if file.is_file()
        }

    def copy(self, root: Path) -> "Repository":
        shutil.copytree(self.root, root, symlinks=True)
        return Repository(root)


def no_process_left_in(folder: Path, seconds: float = 60.0) -> bool:
    """Whether all processes that run in `folder` have ended within `seconds`."""
    end = time.monotonic() + seconds
    while any(str(p.info["cwd"]).startswith(str(folder)) for p in psutil.process_iter(["cwd"])):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
