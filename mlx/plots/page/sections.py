"""Sections of the page: their figures and tables, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlx.plots.factors import IN_BINS
from mlx.plots.page.captions import SECTIONS, caption, figures_by_section
from mlx.plots.page.escaping import safe
from mlx.plots.page.selections import count_query, part_query, samples_query, slice_query
from mlx.plots.page.tables import (
    classes_table,
    columns_table,
    frame_table,
    metrics_table,
    mistakes_table,
    names_table,
    rows_table,
)
from mlx.plots.report.inputs import AnyReport, ClassificationReport
from mlx.plots.text import signed
from mlx.results.classification_residuals import FACTORS, SLICES
from mlx.results.evaluation_tables import RELIABILITY
from mlx.results.failure_scores import SCORES
from mlx.results.issues import ISSUE_COUNTS, ISSUES
from mlx.results.prediction_sets import PREDICTION_SETS
from mlx.results.probes import PROBES
from mlx.results.recalibration import RECALIBRATION
from mlx.results.regression_residuals import REGRESSION_SLICES
from mlx.results.tests import TESTS

if TYPE_CHECKING:
    from mlx.plots.page.pictures import PagePicture
    from mlx.results.schema import RowSchema

WIDE = ("recalibration", "prediction_sets", "similarity_entropy_by_class", "map_pca", "map_tsne", "map_umap")
"""Figures that are drawn for both columns of a paper, and need the whole width of the page."""

TEST_COLUMNS = ("name", "scope", "class", "layer", "statistic", "estimate", "low", "high", "p", "p_method",
                "p_holm", "n", "status")  # fmt: skip
SCORE_COLUMNS = ("score", "layer", "fitted_on", "auroc", "auroc_low", "auroc_high", "aupr", "fpr95", "aurc", "augrc",
                 "difference", "difference_low", "difference_high", "p_holm", "status")  # fmt: skip
FACTOR_COLUMNS = ("factor", "target", "statistic", "estimate", "low", "high", "p", "p_holm", "n", "n_missing",
                  "status")  # fmt: skip
BIN_COLUMNS = ("factor", "bin", "estimate", "low", "high", "n", "n_errors", "entropy_mean", "similarity_mean", "status")
MEAN_COLUMNS = ("factor", "bin", "target", "estimate", "low", "high", "n", "status")
RECALIBRATION_COLUMNS = ("calibrator", "chosen", "metric", "before", "after", "difference", "low", "high", "p",
                         "p_holm", "cv_brier", "temperature", "n_validation", "status")  # fmt: skip
SET_COLUMNS = ("alpha", "method", "kind", "subject", "bin", "n", "coverage", "low", "high", "expected", "band_low",
               "band_high", "size_mean", "n_empty", "p", "p_holm", "n_calibration", "status")  # fmt: skip
PROBE_COLUMNS = ("layer", "n_features", "probe_accuracy", "probe_low", "probe_high", "model_accuracy", "train_nc1",
                 "test_nc1", "test_nc3", "test_nc4", "probe_status")  # fmt: skip
ISSUE_COLUMNS = ("kind", "split", "index", "related_index", "score", "threshold", "method", "why")
"""A choice that no type can tell: columns of the schemas (another name is an error) that fit the page's width and are
read beside each other. How a number was made stands in the CSV files."""


RESIDUALS, METRICS = "../residuals/", "../../metrics/"
"""Folders of the complete tables, relative to ``data/report/``."""


@dataclass(frozen=True)
class Tables:
    """Tables of a section as HTML, empty ones left out: beside the figures, and below them over the whole width."""

    narrow: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)


def section_tables(report: AnyReport) -> dict[str, Tables]:
    """Return the tables of each section that has any, by its id."""
    training = {} if report.training is None else report.training.metrics
    about = report.provenance
    setup = [
        names_table("Configuration", about.configuration),
        names_table("Files that the samples were read from", about.inputs),
        names_table("Environment", about.environment),
    ]
    how = {} if about.split_method is None else {"split_method": about.split_method}
    evaluation = metrics_table(
        "Evaluation", {**report.evaluation.metrics.as_dict(), **how}, task=report.task, file=f"{METRICS}evaluation.json"
    )
    residuals = metrics_table(
        "Residuals analysis", report.residuals_metrics, task=report.task, file=f"{METRICS}residuals.json"
    )
    trained = metrics_table("Training", training, task=report.task, file=f"{METRICS}training.json")
    data = [columns_table(report.columns)] if report.columns else []
    found = {"training": Tables([trained], data), "setup": Tables(setup)}
    found["act"] = Tables(wide=_issue_tables(report))
    if not isinstance(report, ClassificationReport):
        tables = [_slices_table("Slices with the largest errors", REGRESSION_SLICES, report)]
        tables += _factor_tables(report, "mean residuals in bins", MEAN_COLUMNS)
        sets = report.residuals.prediction_sets
        intervals = rows_table("Prediction intervals", PREDICTION_SETS, sets, SET_COLUMNS, folder=RESIDUALS)
        return found | {
            "wrong": Tables([evaluation, residuals]),
            "unsure": Tables(wide=[intervals]),
            "why": Tables(wide=tables),
        }
    file = f"{METRICS}confusion.csv"
    return found | {
        "wrong": Tables([mistakes_table(report.evaluation.confusion, report.class_names, file=file), evaluation]),
        "unsure": Tables(wide=_certainty_tables(report)),
        "geometry": Tables([residuals], _geometry_tables(report)),
        "why": Tables(wide=_failure_tables(report)),
    }


def _issue_tables(report: AnyReport) -> list[str]:
    counts, issues = report.residuals.issue_counts, report.residuals.issues
    return [
        rows_table(
            "Issues beside those of flawless data",
            ISSUE_COUNTS,
            counts,
            folder=RESIDUALS,
            selects=("kind", lambda one: count_query(report, one)),
        ),
        rows_table(
            "Samples to look at",
            ISSUES,
            issues,
            ISSUE_COLUMNS,
            folder=RESIDUALS,
            selects=("index", lambda one: samples_query(report, [one])),
        ),
    ]


def _certainty_tables(report: ClassificationReport) -> list[str]:
    recalibration = report.evaluation.recalibration
    effects, sets = () if recalibration is None else recalibration.effects, report.residuals.prediction_sets
    return [
        frame_table("Reliability", RELIABILITY.frame(report.evaluation.reliability), RELIABILITY, folder=METRICS),
        rows_table("Recalibration", RECALIBRATION, effects, RECALIBRATION_COLUMNS, folder=METRICS),
        rows_table("Prediction sets", PREDICTION_SETS, sets, SET_COLUMNS, folder=RESIDUALS),
    ]


def _geometry_tables(report: ClassificationReport) -> list[str]:
    level = report.residuals_metrics["confidence"]
    return [
        classes_table(report.classes, report.evaluation.classes, level=level, folder=RESIDUALS),
        rows_table("Scores of failure", SCORES, report.residuals.scores, SCORE_COLUMNS, folder=RESIDUALS),
        rows_table(
            "Layers: linear probes and neural collapse",
            PROBES,
            report.residuals.probes,
            PROBE_COLUMNS,
            folder=RESIDUALS,
        ),
        rows_table("Tests", TESTS, report.residuals.tests, TEST_COLUMNS, folder=RESIDUALS),
    ]


def _failure_tables(report: ClassificationReport) -> list[str]:
    return [
        _slices_table("Weak slices", SLICES, report),
        *_factor_tables(report, "error rate in bins", BIN_COLUMNS),
    ]


def _slices_table(caption: str, schema: RowSchema[Any], report: AnyReport) -> str:
    selects = ("description", lambda one: slice_query(one.description, report.residuals.sample_factors))
    return rows_table(
        caption, schema, report.residuals.slices, folder=RESIDUALS, selects=selects, plain=_in_words(report)
    )


def _in_words(report: AnyReport) -> Callable[[str], str]:
    return lambda text: signed(report.plain(text))


def _factor_tables(report: AnyReport, in_bins: str, columns: Sequence[str]) -> list[str]:
    """Return two tables of factors: tests have no bins, and bins have no tests."""
    effects, plain = report.residuals.factors, _in_words(report)
    tests = [effect for effect in effects if effect.statistic not in IN_BINS]
    bins = [effect for effect in effects if effect.statistic in IN_BINS]
    return [
        rows_table("Factors", FACTORS, tests, FACTOR_COLUMNS, folder=RESIDUALS, plain=plain),
        rows_table(
            f"Factors: {in_bins}", FACTORS, bins, columns, folder=RESIDUALS, selects=("bin", part_query), plain=plain
        ),
    ]


def section_bodies(tables: Mapping[str, Tables], pictures: Mapping[str, PagePicture]) -> list[tuple[str, str, str]]:
    """Return id, heading and HTML of every section that has a figure or a table."""
    where = figures_by_section(list(pictures))
    found = []
    for key, title, _ in SECTIONS:
        beside = [figure_html(name, *caption(name), pictures[name]) for name in where[key] if name not in WIDE]
        below = [figure_html(name, *caption(name), pictures[name], scrolls=True) for name in where[key] if name in WIDE]
        own = tables.get(key, Tables())
        body = (
            cells_html("figures", beside + own.narrow) + cells_html("wide", below) + "\n".join(filter(None, own.wide))
        )
        if body:
            found.append((key, title, body))
    return found


DOUBLES = {
    "scatter": ("similarity_entropy",),
    "leverage": ("leverage",),
    "map": ("map_pca", "map_tsne", "map_umap"),
}
"""Figures by the interactive view that shows the same."""


def without_doubles(images: Mapping[str, bytes], views: str) -> dict[str, bytes]:
    """Return the figures that the page doesn't show otherwise; the others are in ``plots/`` only.

    The interactive `views`, as HTML, show some; the top of the page and its table of mistakes the confusions.
    """
    shown = {name for view, names in DOUBLES.items() if f'id="view-{view}"' in views for name in names}
    shown |= {"confusion", "confused_pairs"}
    return {name: png for name, png in images.items() if name not in shown}


def cells_html(kind: str, cells: list[str]) -> str:
    """Return figures and tables beside each other (``figures``) or below each other (``wide``)."""
    inner = "\n".join(f'<div class="cell">{cell}</div>' for cell in cells if cell)
    return f'<div class="{kind}">\n{inner}\n</div>\n' if inner else ""


def figure_html(name: str, title: str, text: str, picture: PagePicture, *, scrolls: bool = False) -> str:
    """Return a picture with its title and text; a wide one `scrolls` on a phone."""
    # A wide figure scrolls on a phone, so the keyboard must reach it.
    focusable = f' tabindex="0" role="region" aria-label="{safe(title)}"' if scrolls else ""
    image = (
        f'<img width="{picture.width}" height="{picture.height}" style="--natural:{picture.width}px" '
        f'alt="{safe(f"{title}. {text}")}" src="{picture.url}">'
    )
    if picture.dark:
        dark = f'<source media="screen and (prefers-color-scheme: dark)" srcset="{picture.dark}">'
        image = f'<picture class="photographs">{dark}{image}</picture>'
    return (
        f'<figure id="{safe(name)}"><figcaption><h3>{safe(title)}</h3><p>{safe(text)}</p></figcaption>\n'
        f'<div class="picture"{focusable}>{image}</div></figure>'
    )
