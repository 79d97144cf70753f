"""What the README and the examples say is what the code does."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlx.cli import COMMANDS, build_parser
from mlx.config import resolve_all
from mlx.core.documents import read_document
from mlx.core.sections import read_sections
from mlx.core.stage import optional_sections, sections_of
from mlx.pipeline.steps import STEPS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in {".json", ".yaml"})


@pytest.mark.parametrize("path", [ROOT / "params.yaml", *EXAMPLES], ids=lambda path: path.name)
def test_every_configuration_is_valid_as_a_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    resolve_all(path, strict=True)
    if path.parent == ROOT:  # a stage wants every section that is not optional
        for step in STEPS:
            read_sections(read_document(path), sections_of(step), optional_sections(step))


def test_the_two_set_up_commands_begin_from_nothing_and_end_in_the_job() -> None:
    commands = re.findall(r"<!-- command: (\w+) -->\n```bash\n(.+?)```", README, re.DOTALL)
    assert [name for name, _ in commands] == ["run", "test"]
    for (_, command), last in zip(commands, ("dvc repro", "pytest -n 3 --dist worksteal"), strict=True):
        assert command.startswith("python3 -m venv .venv")
        assert command.strip().endswith(last)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_is_there(path: Path) -> None:
    text = path.read_text()
    made_by_a_run = ("data/", "outputs/", "metrics/", ".venv")
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (path.parent / link).exists(), link
    for name in re.findall(r"`((?:mlx|examples|benchmarks|stages|docs|tests)/[\w./-]*)`", text):
        assert name.startswith(made_by_a_run) or (ROOT / name).exists(), name


def test_the_picture_of_the_page_shows_the_recorded_numbers() -> None:
    picture = runpy.run_path(str(ROOT / "docs/picture.py"))
    assert picture["shown"]() == picture["digest"](), "run `dvc repro`, then `python docs/picture.py`"
    assert picture["PICTURE"].stat().st_size < 300_000
    assert README.index("](docs/page.png)") < README.index("## ")


def test_the_picture_of_the_architecture_is_that_of_the_pipeline() -> None:
    drawing = runpy.run_path(str(ROOT / "docs/architecture.py"))["drawing"]
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert (ROOT / "docs/architecture.svg").read_text() == drawing(stages), "run `python docs/architecture.py`"


def test_dvc_shows_as_many_views_and_numbers_as_a_screen_has_room_for() -> None:
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    assert ("eight views" in README, len(pipeline["plots"])) == (True, 8)
    stages = pipeline["stages"].values()
    assert [next(iter(one)) for stage in stages for one in stage.get("metrics", [])] == ["metrics/headline.json"]
    assert len(json.loads((ROOT / "metrics/headline.json").read_text())) <= 10


def test_the_map_of_contributing_names_every_folder_and_nothing_that_is_not_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`((?:mlx|tests|docs|stages|benchmarks)/[\w/.-]*)`", text))
    assert {path for path in named if not (ROOT / path).exists()} == set()
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "mlx").glob("*/**/__init__.py")}
    assert {folder for folder in folders if folder + "/" not in named} == set()


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs/harness.md"], ids=lambda path: path.name)
def test_every_command_line_that_users_read_is_one(path: Path) -> None:
    parser = build_parser()
    for line in re.findall(r"^mlx .+$", path.read_text(), re.MULTILINE):
        chosen = parser.parse_args(shlex.split(line, comments=True)[1:])
        for config in filter(None, [getattr(chosen, "config", None)]):
            assert (ROOT / config).is_file(), line


def test_every_command_is_told_of() -> None:
    told = re.findall(r"^\| `mlx ([\w-]+)` \|", (ROOT / "docs/harness.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(command.NAME for command in COMMANDS)


def test_every_constraint_is_one_version_and_no_address() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", line), line


@pytest.mark.slow
def test_help_and_import_load_nothing_heavy(tmp_path: Path) -> None:
    heavy = "{'numpy', 'pandas', 'tensorflow', 'keras', 'pydantic', 'sklearn', 'matplotlib', 'yaml'}"
    code = (
        "import sys\nimport mlx, mlx.cli\n"
        "try: mlx.cli.main(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr


def test_docstrings_have_one_layout_of_parameters() -> None:
    section = re.compile(r"\n( +)(?:Parameters|Attributes)\n\1-+\n((?:\1.*\S.*\n)+)")
    for path in sorted(ROOT.glob("mlx/**/*.py")):
        for indent, entries in section.findall(path.read_text()):
            names = re.findall(rf"^{indent}(\S.*)$", entries.partition('"""')[0], re.MULTILINE)
            assert names, path
            assert [name for name in names if " : " in name or name.endswith(".")] == [], path
