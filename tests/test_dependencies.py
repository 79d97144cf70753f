"""What is imported is declared, and an installation without the extras analyzes, reports, and names what it lacks."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from blank_figures import BLANK, FEW

from mlx.core.extras import EXTRAS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Not installed for the tests: its own dependencies compile code.
NOT_INSTALLED = {"umap": "umap-learn"}
# Of an extra, and installed with joblib, too, which scikit-learn needs.
EVERYWHERE = {"cloudpickle"}
# Python, with the modules of every extra made absent, as they are in a plain installation.
BASE = f"""
import sys
sys.modules |= dict.fromkeys({sorted({"dvc", *(name for names in EXTRAS.values() for name in names)} - EVERYWHERE)})
"""


def distribution(requirement: str) -> str:
    return re.split(r"[<>=\[;]", requirement)[0].strip().lower().replace("_", "-")


def declared(extra: str) -> set[str]:
    return set(map(distribution, PROJECT["optional-dependencies"][extra]))


def imported(paths: Iterable[Path]) -> set[str]:
    """The modules of other packages that `paths` import, anywhere in them."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").partition(".")[0])
    return names - sys.stdlib_module_names - {"mlx", "stages", "_typeshed"}


def test_every_package_that_is_imported_is_declared_and_every_declared_one_is_imported() -> None:
    of_module = {module: {distribution(name) for name in names} for module, names in packages_distributions().items()}
    recorders = set((ROOT / "mlx" / "recorders").glob("*.py"))  # which are copied into other environments
    modules = imported([*(set((ROOT / "mlx").rglob("*.py")) - recorders), *(ROOT / "stages").glob("*.py")])
    needed = {name for module in modules for name in of_module.get(module, {NOT_INSTALLED.get(module, module)})}
    extras = {extra: {distribution(package) for package in EXTRAS[extra].values()} for extra in EXTRAS}
    assert needed - set().union(*extras.values()) == set(map(distribution, PROJECT["dependencies"]))
    for extra, packages in extras.items():
        # No module imports DVC, which runs the pipeline, nor Bokeh, by which Dask draws its dashboard.
        assert declared(extra) - {"dvc", "bokeh"} == packages, extra
    tested = PROJECT["optional-dependencies"]["test"][0].removeprefix("mlx-harness[").removesuffix("]").split(",")
    assert set(tested) == set(EXTRAS) - {"umap", "onnx"}  # ONNX is tested in the environment of the frameworks


def test_every_declared_package_is_pinned() -> None:
    pinned = {distribution(line) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    wanted = set(map(distribution, PROJECT["dependencies"]))
    wanted |= {name for extra in PROJECT["optional-dependencies"] for name in declared(extra)}
    assert wanted - {"mlx-harness"} <= pinned


def base(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run `code` where no extra is installed."""
    return subprocess.run(
        [sys.executable, "-c", BASE + code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def asked(folder: Path, name: str, **sections: str) -> list[str]:
    """Write the configuration of a short run; return the arguments that make it."""
    short = {"n_bootstrap": "100", "n_permutations": "19", "projections": "[pca]"}
    settings = {f"residuals.{key}": value for key, value in short.items()} | {"report.dpi": "50"} | sections
    given = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    (folder / f"{name}.yaml").write_text(
        f"name: {name}\ndataset: {{name: blobs, params: {{n_samples: 150}}}}\nmodel: {{name: {name}}}\n"
    )
    return ["run-experiment", "--config", f"{name}.yaml", *given]


def test_without_the_extras_runs_are_made_analyzed_compared_and_shown(tmp_path: Path) -> None:
    assert base(tmp_path, "import mlx.cli\nmlx.cli.main(['--help'])").returncode == 0
    forest = asked(tmp_path, "random_forest", **{"model.params.n_estimators": "10"})
    network = asked(tmp_path, "mlp", **{"training.epochs": "1"})
    files = {"representations": "penultimate", "probabilities": "probabilities", "labels": "y_true"}
    commands = f"""{BLANK}
from pathlib import Path
from mlx.cli import main
main({forest})
main({network})
main(["compare", "random_forest", "mlp"])
(arrays,) = Path().glob("outputs/mlp/*/data/representations/test")
files = [f"--{{option}}={{arrays / name}}.npy" for option, name in {files}.items()]
main(["analyze", *files, "--permutations", "99", "--output", "analysis"])
"""
    done = base(tmp_path, commands)  # in one process, which imports what they need once
    assert done.returncode == 0, done.stderr
    assert 'no live curves, as logging them needs DVCLive; pip install "mlx-harness[dvc]"' in done.stderr
    assert len(list(tmp_path.glob("outputs/*/*/data/report/report.html"))) == 2
    assert "paired test" in done.stdout, done.stderr
    assert (tmp_path / "analysis/data/report/report.html").is_file()


def test_without_the_extras_a_notebook_analyzes(tmp_path: Path) -> None:
    code = """
import numpy as np
from mlx import ResidualsAnalyzer
generator = np.random.default_rng(0)
p = generator.dirichlet(np.ones(3), 60)
found = ResidualsAnalyzer(n_bootstrap=100).run_full_analysis(generator.normal(size=(60, 4)), p, p.argmax(axis=1))
assert len(found["samples"]) == 60
"""
    done = base(tmp_path, code)
    assert done.returncode == 0, done.stderr


OWN = """\
from mlx.models import MLP, ModelSettings, build_model, TaskSpec
def network(n_classes, sample_shape):
    import keras
def linear(n_classes, sample_shape):
    problem = TaskSpec('classification', sample_shape, n_classes)
    return build_model(ModelSettings(name='logistic_regression'), problem, seed=0)
"""
ENDED = "ended with"


def test_a_missing_extra_is_named_in_one_line_with_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    halted = "own.py:network: failed in line 3: ModuleNotFoundError: import of keras halted; None in sys.modules"
    umap = {"residuals.projections": "[umap]"}
    runs = {
        'model cnn: needs TensorFlow; pip install "mlx-harness[keras]"': asked(tmp_path, "cnn"),
        'residuals.projections: umap: needs umap-learn; pip install "mlx-harness[umap]"': asked(
            tmp_path, "logistic_regression", **umap
        ),
        f'{halted}; pip install "mlx-harness[keras]"': asked(
            tmp_path, "custom", **{"model.architecture": "own.py:network"}
        ),
        "": asked(tmp_path, "custom", **{"model.architecture": "own.py:linear"}),  # another model needs none
    }
    done = base(tmp_path, f"{BLANK}{FEW}{EACH.format(runs=list(runs.values()), ended=ENDED)}")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    told = [said.splitlines() for said in done.stderr.split(ENDED)]
    assert [after[0].strip() for after in told[1:]] == ["1", "1", "1", "0"], done.stderr
    assert [said[-1] for said in told[:3]] == list(runs)[:3]
    assert all("--resume" in said[-2] for said in told[:2])  # which goes on once it is installed


# One process makes all runs: most of the time of each would be that of its imports.
EACH = """
import sys
from mlx.cli import main
for arguments in {runs}:
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            code = print(code, file=sys.stderr) or 1
    print("{ended}", code, file=sys.stderr)
"""
