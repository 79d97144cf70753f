"""`mlx open`: opens a page in the browser."""

import argparse
from pathlib import Path

from mlx.commands.places import run_name

NAME = "open"
HELP = "open the page of a run, of an analysis or of the workspace in the browser"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "run",
        nargs="?",
        type=run_name,
        metavar="RUN",
        help="a run by id, name or folder; or a folder with data/ (default: the newest page of the workspace and runs)",
    )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="folder of runs (default: the output directory)")


def run(chosen: argparse.Namespace) -> str:
    """Return the path of the page, relative to the current folder.

    Raises
    ------
    SettingsError
        The run, its page or a browser is missing.
    """
    import webbrowser

    from mlx.commands.places import shown_from
    from mlx.core.errors import SettingsError

    page = _newest(chosen.run_dir) if chosen.run is None else _page_of(chosen.run, chosen.run_dir)
    if not webbrowser.open(page.resolve().as_uri()):
        raise SettingsError(f"{page}: expected a browser to open it, found none; open the file by hand")
    return shown_from(Path.cwd())(page)


def _page_of(name: str, directory: Path | None) -> Path:
    from mlx.commands.places import find_any_run
    from mlx.core.errors import SettingsError

    folder = Path(name)
    if (page := _page_in(folder)) is None:
        folder = find_any_run(name, directory).folder
        page = _page_in(folder)
    if page is None:
        raise SettingsError(f"{folder}: expected a page, found none; 'mlx report {name}' makes it")
    return page


def _newest(directory: Path | None) -> Path:
    """Return the page that was written last, of the workspace and of the last run that has one."""
    from mlx.commands.places import run_directory
    from mlx.core.errors import SettingsError
    from mlx.core.paths import repository_root
    from mlx.runs.history import find_runs

    folders = [repository_root(), *(run.folder for run in find_runs(run_directory(directory)))]
    pages = [page for folder in folders if (page := _page_in(folder)) is not None]
    if not pages:
        raise SettingsError(f"expected the page of a run or of {folders[0]}, found none; 'mlx demo' makes a run")
    return max(pages, key=lambda page: page.stat().st_mtime)


def _page_in(folder: Path) -> Path | None:
    from mlx.core.paths import Workspace

    places = (Workspace(folder).report / "report.html", folder / "study.html")
    return next((page for page in places if page.is_file()), None)
