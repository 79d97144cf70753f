"""A stage runs the mlx beside it, whose files DVC records, and no other one that is installed."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from repository import ROOT, SMALL, Repository

pytestmark = pytest.mark.slow

# Stands for mlx: says where it is, and in which place another process finds it.
STAGE = """
import colorsys, multiprocessing
from pathlib import Path
import mlx
def place(_=None):
    return str(Path(mlx.__file__).resolve().parents[1])
def run_stage(step):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(place(), *pool.map(place, [0]))
"""
FINDER = """
import sys
from importlib.machinery import PathFinder
class Finder:
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [{other!r}]) if name == "mlx" else None
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the stages and a small mlx; another mlx is beside it, in ``other``."""
    for name in ("root", "other"):
        (tmp_path / name / "mlx/core").mkdir(parents=True)
        (tmp_path / name / "mlx/pipeline").mkdir()
        (tmp_path / name / "mlx/__init__.py").write_text("")
        (tmp_path / name / "mlx/core/stage.py").write_text(STAGE)
        (tmp_path / name / "mlx/pipeline/evaluate.py").write_text("evaluate = None")
    shutil.copytree(ROOT / "stages", tmp_path / "root/stages", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "root"


def evaluate(root: Path, *options: str, cwd: Path | None = None, at_start: str = "", path: str = "") -> str:
    """Run the stage where another mlx may be found first; return what it printed."""
    (root.parent / "start").mkdir(exist_ok=True)
    (root.parent / "start/sitecustomize.py").write_text(at_start)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(root.parent / "start"), path]))}
    script = os.path.relpath(root / "stages/evaluate.py", cwd or root)
    done = subprocess.run(
        [sys.executable, *options, script],
        cwd=cwd or root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"


def test_wherever_another_mlx_is_installed_the_one_beside_the_stage_runs(root: Path) -> None:
    other = root.parent / "other"
    as_path = f"import sys; sys.path.append({str(other)!r})"  # what a .pth file does
    as_hook = FINDER.format(other=str(other)) + "sys.meta_path.append(Finder)"  # what an editable install may do
    with zipfile.ZipFile(root.parent / "other.zip", "w") as packed:
        packed.writestr("mlx/__init__.py", "")
    expected = f"{root} {root}\n"
    assert evaluate(root, "-P", path=str(other)) == expected
    assert evaluate(root, at_start=as_path, path=str(root.parent / "other.zip")) == expected
    assert evaluate(root, at_start=as_hook, cwd=root.parent) == expected
    assert evaluate(root, at_start=as_path, cwd=other) == expected


def test_a_file_at_the_root_hides_no_module_of_python(root: Path) -> None:
    (root / "colorsys.py").write_text("raise SystemExit('hidden')")
    installed = f"import sys; sys.path.append({str(root.parent / 'other')!r})"
    assert evaluate(root) == evaluate(root, at_start=installed) == f"{root} {root}\n"


def test_a_stage_that_can_not_import_the_mlx_beside_it_says_so(root: Path) -> None:
    other = root.parent / "other"
    first = FINDER.format(other=str(other)) + "sys.meta_path.insert(0, Finder)"
    imported = f"import sys; sys.path.insert(0, {str(other)!r}); import mlx"
    for start in (first, imported):
        said = evaluate(root, at_start=start)
        assert said.startswith(f"exit 1: {root}/mlx/__init__.py: expected this stage to import the mlx beside it")
        assert f"found {other}/mlx/__init__.py" in said
        assert said.count("\n") == 1
    shutil.rmtree(root / "mlx")
    assert f"found {other}/mlx/__init__.py" in evaluate(root, path=str(other))


BLOBS = SMALL | {"dataset": {"name": "blobs", "params": {"n_samples": 50, "n_features": 2, "n_classes": 2}}}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with the first stage and a commit, whose working tree has a change in the code that no commit has.

    The changed code says in ``said.txt`` beside the repository which file ran. Another mlx is first in the path.
    """
    (root := tmp_path_factory.mktemp("changed") / "repo").mkdir()
    repository = Repository(root, BLOBS)
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"generate-data": stages["generate-data"]}}))
    with (root / ".gitignore").open("a") as file:
        file.write("\n/.dvc/tmp\n/.dvc/cache\n")
    for command in (
        ["config", "user.name", "test"],
        ["config", "user.email", "test@example.org"],
        ["add", "-A"],
        ["commit", "--quiet", "-m", "start"],
    ):
        assert repository.run("git", *command).returncode == 0
    with (root / "mlx/pipeline/generate_data.py").open("a") as file:
        file.write(f"\nwith open({str(root.parent / 'said.txt')!r}, 'w') as file:\n    file.write(__file__)\n")
    repository.environment["PYTHONPATH"] = str(ROOT)
    return repository


# "dvc queue start" leaves a worker behind that waits for more; "--run-all" does the same work and ends.
@pytest.mark.parametrize("ways", [["--temp"], ["--queue", "--run-all"]])
def test_an_experiment_runs_the_code_that_it_records(changed: Repository, ways: list[str]) -> None:
    said = changed.root.parent / "said.txt"
    said.unlink(missing_ok=True)
    for way in ways:
        chosen = [] if way == "--run-all" else ["-S", f"dataset.params.n_samples={50 + len(ways)}"]
        done = changed.run("dvc", "exp", "run", way, *chosen)
        assert done.returncode == 0, done.stdout + done.stderr
    assert said.read_text().startswith(f"{changed.root}/.dvc/tmp/exps/")


def test_a_worktree_runs_its_own_code(changed: Repository) -> None:
    tree = changed.root.parent / "tree"
    assert changed.run("git", "worktree", "add", str(tree)).returncode == 0
    shutil.copy(changed.root / "mlx/pipeline/generate_data.py", tree / "mlx/pipeline")
    done = subprocess.run(
        ["dvc", "repro", "generate-data"],
        cwd=tree,
        env=changed.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (changed.root.parent / "said.txt").read_text() == f"{tree}/mlx/pipeline/generate_data.py"


def test_untracked_data_in_an_experiment_are_explained_and_every_way_out_works(
    changed: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = changed.root
    monkeypatch.setattr(changed, "warm", {})
    changed.start_warm()
    rows = "".join(f"{i % 7},{i % 2}\n" for i in range(40))
    (root / "mine.csv").write_text("a,target\n" + rows)
    (root / ".git/info/exclude").write_text("/mine.csv\n")
    changed.configure(SMALL | {"dataset": {"name": "custom", "path": "mine.csv", "params": {"target": "target"}}})
    alone = changed.run("dvc", "exp", "run", "--temp")
    ways = r"track it \('(.*?)' and '(.*?)'\), have it copied \('(.*?)'"
    told = re.search(rf"mine.csv: .*only tracked files come along: {ways}", alone.stderr)
    assert told, alone.stderr
    assert changed.run(*told[3].split()).returncode == 0
    tree = root.parent / "second tree"
    changed.run("git", "worktree", "add", "--detach", str(tree))
    shutil.copy(root / "params.yaml", tree)
    script = [sys.executable, "stages/generate_data.py"]
    done = subprocess.run(script, cwd=tree, env=changed.environment, capture_output=True, text=True, check=False)
    assert "mine.csv: expected" in done.stderr
    assert "this is a git worktree, and only tracked files come along" in done.stderr
    (root / ".git/info/exclude").write_text("")
    for command in (told[1], told[2], "dvc exp run --temp"):
        done = changed.run(*command.split())
        assert done.returncode == 0, done.stderr
