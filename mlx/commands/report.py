"""`mlx report`: draws the figures and the page of a run, or of the workspace, from its results."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mlx.commands.places import run_name

if TYPE_CHECKING:
    from mlx.plots.settings import ReportSettings

NAME = "report"
HELP = "draw the figures and the page of a run or a workspace again, from its results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "run",
        type=run_name,
        metavar="RUN",
        help="a run by id, name or folder; or a folder with data/ and metrics/, such as '.' for the workspace",
    )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="folder of runs (default: the output directory)")


def run(chosen: argparse.Namespace) -> str:
    """Return the path of the page, relative to the current folder.

    Raises
    ------
    ArtifactError
        A result is missing or damaged, such as in a run of an earlier version with fewer tables; an existing page is
        kept. Or a folder that would be replaced is a link.
    SettingsError
        Another process works there.
    """
    from mlx.commands.places import results_folder, shown_from
    from mlx.core.bars import working
    from mlx.core.checksums import read_checksums, state_of, verified, write_checksums, written_since
    from mlx.core.console import note
    from mlx.core.errors import ArtifactError
    from mlx.core.lineage import check_lineage
    from mlx.core.locks import run_lock
    from mlx.core.paths import Workspace
    from mlx.pipeline.report import report

    folder = results_folder(chosen.run, chosen.run_dir)
    workspace = Workspace(folder)
    with run_lock(workspace), run_lock(workspace, step="report", warn=False):  # of a run, or in the pipeline
        before = state_of(folder)
        try:
            with verified(folder), working("report"):
                check_lineage(workspace, NAME)
                note(report(workspace, report=_settings(folder)))
        except ArtifactError as error:
            raise ArtifactError(_with_remedy(str(error), folder)) from None
        if (checksums := read_checksums(folder)) is not None:
            write_checksums(folder, checksums.with_step("report", written_since(folder, before)))
    return shown_from(Path.cwd())(workspace.report / "report.html")


def _with_remedy(message: str, folder: Path) -> str:
    """Add how to repair a damaged run, or repeat one that lacks a result, to a message that says neither."""
    from mlx.core.checksums import CONFIG, faults, read_checksums
    from mlx.core.reading import ABSENT, REMAKE

    fault = message.removesuffix(ABSENT).removesuffix(REMAKE)
    if fault == message or (folder / "params.yaml").is_file():
        return message
    if not (folder / CONFIG).is_file():
        return f"{fault}; repeat the 'mlx analyze' that wrote the folder"
    checksums = read_checksums(folder)
    if "summary.json" in fault or (checksums and any(faults(folder, checksums.of_all()))):
        return f"{fault}; 'mlx run-experiment --resume {folder}' repairs the run"
    repeat = f"repeat it with 'mlx run-experiment --config {folder / CONFIG}'"
    return f"{fault}; the run may be damaged or old: {repeat}"


def _settings(folder: Path) -> "ReportSettings":
    """Return the section ``report`` of a run's configuration or of the pipeline's; defaults without one."""
    from mlx.core.documents import read_document
    from mlx.core.sections import validated
    from mlx.plots.settings import ReportSettings

    for name in ("config.json", "params.yaml"):
        if (folder / name).is_file():
            document = read_document(folder / name)
            return validated(document, ReportSettings, "report") if document.has(("report",)) else ReportSettings()
    return ReportSettings()
