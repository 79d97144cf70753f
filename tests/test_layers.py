"""Imports run downward only, and dvc.yaml knows everything that a stage's code can depend on."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

import mlx
from mlx.config import read_config
from mlx.core.stage import optional_sections, sections_of
from mlx.pipeline.report import SHOWN, report
from mlx.pipeline.steps import STEPS
from mlx.runs.watch import files_of

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

# Each may import what stands on a lower level, and itself; never a sibling.
LEVELS = {
    "core": 0,
    "datasets": 1,
    "preprocessing": 1,
    "models": 1,
    "stats": 1,
    "received": 2,
    "training": 2,
    "representations": 2,
    "results": 2,
    "evaluation": 3,
    "residuals": 3,
    "plots": 3,
    "pipeline": 4,
    "config": 5,
    "runs": 6,
    "experiment": 7,
    "studies": 8,
    "workbench": 9,
    "commands": 9,
    "cli": 10,
    "__main__": 11,
}
# An edit of the analysis retrains nothing: what the first steps run knows none of it.
DATA_ROOMS, ANALYSIS_ROOMS = (
    {"datasets", "preprocessing", "models", "training", "representations"},
    {"stats", "results"},
)
# Importing them runs nothing but a docstring and, for mlx, the version and a function: no step depends on them.
PACKAGE_MARKERS = {ROOT / "mlx/__init__.py", ROOT / "mlx/pipeline/__init__.py"}
LAZY = {f"mlx.{name}": module for name, module in mlx._MODULES.items()}


@cache
def imported_files(path: Path) -> frozenset[Path]:
    """The project's own files that `path` imports, anywhere in it, or names in a text, which `importlib` may take."""
    return imported_by(path, path.read_text())


def imported_by(path: Path, source: str) -> frozenset[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and node.value == "beside.py":  # which a stage runs first
            names.add("stages.beside")
        elif isinstance(node, ast.Constant) and path not in PACKAGE_MARKERS and is_module(node.value):
            names.add(str(node.value).rstrip("."))
    names |= {LAZY[name] for name in names & set(LAZY)}
    files = {file for name in names if name.split(".")[0] in {"mlx", "stages"} for file in files_of_module(name)}
    return frozenset(files - {path})


def is_module(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"(mlx|stages)(\.\w+)+\.?", value) is not None


def files_of_module(module: str) -> set[Path]:
    """The file of a module, and those of the packages round it, which Python runs first."""
    parts = module.split(".")
    found = {ROOT.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1)}
    found.add(ROOT.joinpath(*parts).with_suffix(".py"))
    return {file for file in found if file.exists()}


def closure(path: Path) -> set[Path]:
    reached, frontier = set(), {path}
    while frontier:
        reached |= frontier
        frontier = {file for reader in frontier for file in imported_files(reader)} - reached
    return reached


def dependency(file: Path) -> str:
    """What dvc.yaml names for a file: scripts and steps one by one, other folders of mlx whole."""
    relative = file.relative_to(ROOT)
    whole = relative.parts[0] == "mlx" and len(relative.parts) >= 3 and relative.parts[1] != "pipeline"
    return "/".join(relative.parts[:2]) if whole else relative.as_posix()


def level_name(file: Path) -> str:
    relative = file.relative_to(ROOT / "mlx")
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("stage", STAGES)
def test_the_deps_of_a_stage_are_exactly_what_its_code_imports(stage: str) -> None:
    script = ROOT / "stages" / f"{stage.replace('-', '_')}.py"
    imported = {dependency(file) for file in closure(script) - PACKAGE_MARKERS}
    named = {dep for dep in STAGES[stage]["deps"] if not dep.startswith(("data/", "metrics/"))}
    watched = files_of(read_config(ROOT / "params.yaml")).get(stage, {})  # which `mlx watch` may have added
    named -= {dep for dep in named if (ROOT / dep).resolve() in {(ROOT / path).resolve() for path in watched.values()}}
    assert named == imported


def test_imports_run_downward_only_and_siblings_never_meet() -> None:
    for file in (ROOT / "mlx").rglob("*.py"):
        if file == ROOT / "mlx/__init__.py":
            continue
        importer = level_name(file)
        for target in imported_files(file) - PACKAGE_MARKERS:
            imported = level_name(target)
            if imported != importer:
                assert LEVELS[imported] < LEVELS[importer], f"{file.relative_to(ROOT)} imports mlx.{imported}"


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    from mlx.evaluation import checks",
        "if TYPE_CHECKING:\n    from mlx.evaluation.checks import check_labels",
        'importlib.import_module("mlx.evaluation.checks")',
        '__import__("mlx.evaluation")',
        'importlib.import_module(f"mlx.evaluation.{name}")',
        "import mlx.evaluation.checks as checks",
        "from mlx import evaluation",
    ],
)
def test_every_kind_of_import_is_seen(source: str) -> None:
    assert "evaluation" in {level_name(file) for file in imported_by(ROOT / "mlx/residuals/planted.py", source)}


def test_a_lazy_name_of_the_package_is_an_import_of_its_room() -> None:
    found = imported_by(ROOT / "mlx/commands/planted.py", "from mlx import analyze")
    assert "workbench" in {level_name(file) for file in found}


def test_data_and_model_rooms_know_nothing_of_the_analysis() -> None:
    for file in (ROOT / "mlx").rglob("*.py"):
        if level_name(file) in DATA_ROOMS:
            assert not {level_name(target) for target in imported_files(file) - PACKAGE_MARKERS} & ANALYSIS_ROOMS, file


def test_steps_import_no_step_and_share_readers_alone() -> None:
    for file in (ROOT / "mlx/pipeline").glob("*.py"):
        if file.stem == "steps":
            continue
        others = {target.stem for target in imported_files(file) if target.parent.name == "pipeline"}
        shared = {"issues", "model_outputs", "other_parts", "recorded_rows", "results", "sample_columns", "__init__"}
        assert others <= shared, file


def test_the_package_markers_run_nothing() -> None:
    for marker in PACKAGE_MARKERS:
        assert not imported_files(marker)
        body = ast.parse(marker.read_text()).body
        assert all(isinstance(node, ast.Expr | ast.Assign | ast.FunctionDef) for node in body), marker


def test_each_stage_runs_the_step_of_its_name_with_the_sections_that_the_step_reads() -> None:
    assert list(STAGES) == [step.__name__.replace("_", "-") for step in STEPS]
    for (name, stage), step in zip(STAGES.items(), STEPS, strict=True):
        assert stage["cmd"] == f"python stages/{name.replace('-', '_')}.py"
        if step is report:  # its page shows what was asked for, so it is drawn anew when that changes
            assert stage["params"] == list(SHOWN)
            continue
        # What a step has a default for changes no artifact, so it makes no stage run again.
        assert stage["params"] == [name for name in sections_of(step) if name not in optional_sections(step)]
