"""The result of an analysis for notebooks: tables as data frames, figures, and the page."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.core.artifacts import read_csv, read_parquet
from mlx.core.errors import SettingsError
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace, expanded, what_is
from mlx.core.settings import nearest
from mlx.pipeline.report import read_report
from mlx.plots.report.figures import FIGURES
from mlx.plots.report.inputs import AnyReport
from mlx.plots.settings import ReportSettings
from mlx.results.classification_residuals import TABLES
from mlx.results.evaluation import EVALUATION_SCHEMAS
from mlx.results.regression_residuals import REGRESSION_TABLES
from mlx.results.schema import ArraySchema, RowSchema
from mlx.workbench.display import Numbers, Page, Tables, html_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

SAMPLES = "samples"
KNOWN: tuple[RowSchema[Any] | ArraySchema[Any], ...] = (
    *EVALUATION_SCHEMAS,
    *REGRESSION_TABLES.values(),
    *TABLES.values(),
)
TEXT = {schema.file: schema.text for schema in KNOWN}
"""By file, the columns that are text even where they look like numbers."""


class Analysis:
    """What `mlx.analyze` found, or what a run or an earlier analysis left in a folder.

    Parameters
    ----------
    folder
        With ``data/`` and ``metrics/``.

    Attributes
    ----------
    folder
        As given; tables and pictures are read from it when they are asked for.
    """

    def __init__(self, folder: str | Path, *, _temporary: bool = False) -> None:
        self.folder = expanded(folder)
        self._workspace = Workspace(self.folder)
        if not (self._workspace.raw / "dataset.json").is_file():
            found = "another" if self.folder.is_dir() else what_is(self.folder)
            raise SettingsError(f"{self.folder}: expected the folder of an analysis or of a run, found {found}")
        if _temporary:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @cached_property
    def headline(self) -> Mapping[str, Any]:
        """The six numbers that a study is known by, as in ``metrics/headline.json``."""
        return Numbers(read_metrics(self._workspace.metrics / "headline.json"))

    @cached_property
    def evaluation(self) -> Mapping[str, Any]:
        """All metrics of the evaluation, with intervals, as in ``metrics/evaluation.json``."""
        return Numbers(read_metrics(self._workspace.metrics / "evaluation.json"))

    @cached_property
    def residuals(self) -> Mapping[str, Any]:
        """All metrics of the residuals analysis, as in ``metrics/residuals.json``."""
        return Numbers(read_metrics(self._workspace.metrics / "residuals.json"))

    @cached_property
    def tables(self) -> Tables:
        """All tables by name, such as ``samples`` and ``tests``; ``docs/tables.md`` describes their columns."""
        folders = (self._workspace.residuals, self._workspace.metrics)
        files = [path for folder in folders for path in sorted(folder.glob("*.csv"))]
        samples = read_parquet(self._workspace.residuals / f"{SAMPLES}.parquet")
        return Tables({SAMPLES: samples} | {path.stem: read_csv(path, text=TEXT.get(path.name, ())) for path in files})

    @property
    def issues(self) -> DataFrame:
        """Samples to look at: likely wrong labels, duplicates, leaks, outliers and confident mistakes."""
        return self.tables["issues"]

    @property
    def figures(self) -> list[str]:
        """Names for `figure`, in reading order."""
        drawn = {path.stem for path in (self._workspace.report / "plots").glob("*.png")}
        return [name for name in FIGURES[self._report.task] if name in drawn]

    def figure(self, name: str) -> Figure:
        """Draw one figure of the report.

        Parameters
        ----------
        name
            One of `figures`.

        Raises
        ------
        SettingsError
            There is no figure of this name, or no data for it.
        """
        known = FIGURES[self._report.task]
        if name not in known:
            raise SettingsError(
                f"figure: expected one of {', '.join(self.figures)}, found '{name}'{nearest(name, known)}"
            )
        drawn = known[name](self._report)
        if drawn is None:
            raise SettingsError(f"figure: expected one that there are data for, found '{name}'; `figures` lists them")
        made: Figure = getattr(drawn, "figure", drawn)
        return made

    def page(self) -> Page:
        """Return the page, which a notebook shows."""
        return Page((self._workspace.report / "report.html").read_text(encoding="utf-8"))

    def save(self, folder: str | Path) -> Path:
        """Copy everything to a new folder, which `Analysis` opens again; return the path of the page.

        Raises
        ------
        SettingsError
            There is something at `folder`.
        """
        target = expanded(folder)
        if target.exists():
            raise SettingsError(f"save: expected a new folder, found {target}")
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f".{target.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(self.folder, half, ignore=shutil.ignore_patterns(".lock"))
        half.rename(target)
        return Workspace(target).report / "report.html"

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name} {_number(value)}" for name, value in self.headline.items())
        return f"Analysis of {self._report.provenance.name}: {numbers}"

    def _repr_html_(self) -> str:
        numbers = {name: _number(value) for name, value in self.headline.items()}
        return f"<b>{type(self).__name__}</b>{html_rows(numbers)}{self.page()._repr_html_()}"

    @cached_property
    def _report(self) -> AnyReport:
        return read_report(self._workspace, ReportSettings())


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
