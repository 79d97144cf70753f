"""Step `report`: pictures of what was found, and a page that shows them with the numbers."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import open_array, rows_of, stream_rows
from mlx.core.artifacts import read_json, read_parquet, replacing_folder, write_bytes, write_json
from mlx.core.bars import tracked
from mlx.core.descriptions import (
    SPLITS,
    DatasetDescription,
    ModelDescription,
    RepresentationsDescription,
    SplitsDescription,
    read_description,
)
from mlx.core.documents import read_document
from mlx.core.paths import NUMBERS, TEXTS, Workspace
from mlx.core.samples import open_index, open_samples, open_targets
from mlx.core.versions import versions
from mlx.pipeline.results import (
    read_classification_evaluation,
    read_classification_residuals,
    read_regression_evaluation,
    read_regression_residuals,
    read_training,
)
from mlx.pipeline.sample_columns import SampleColumns
from mlx.plots.columns import ColumnSummary, FeatureCounts, summarize_columns
from mlx.plots.dark import dark_png
from mlx.plots.page import render_page
from mlx.plots.report.figures import FIGURES, draw_report
from mlx.plots.report.inputs import (
    AnyReport,
    ClassificationReport,
    Provenance,
    RawSamples,
    RegressionReport,
)
from mlx.plots.report.recorded_samples import OtherPart, OtherSamples, RecordedOutputs
from mlx.plots.settings import ReportSettings
from mlx.plots.style import render_pdf, render_png, style
from mlx.results.classification_residuals import FactorEffect
from mlx.results.headline import headline

if TYPE_CHECKING:
    from pandas import DataFrame


def report(workspace: Workspace, *, report: ReportSettings) -> str:
    """Write ``data/report/`` and ``metrics/headline.json``.

    ``plots/*.png``, ``pdf/*.pdf`` where asked for, and ``report.html``, the page.

    A workspace without ``data/model/`` holds arrays that were recorded elsewhere (`mlx analyze`): nothing is
    known of how the model was trained, and samples are shown where their images were recorded, too.

    Raises
    ------
    MlxError
        An artifact is missing or damaged.
    """
    shown = read_report(workspace, report)
    images: dict[str, bytes] = {}
    dark: dict[str, bytes] = {}
    with replacing_folder(workspace.report) as folder, style():
        for format_ in report.formats:
            (folder / FOLDERS[format_]).mkdir()
        drawn = draw_report(shown)
        for name, figure in tracked(drawn, total=len(FIGURES[shown.task]), label="figures"):
            images[name] = render_png(figure, report.dpi)
            if (inverted := dark_png(figure, images[name])) is not None:
                dark[name] = inverted
            for format_ in report.formats:
                content = images[name] if format_ == "png" else render_pdf(figure)
                write_bytes(folder / FOLDERS[format_] / f"{name}.{format_}", content)
        write_bytes(folder / "report.html", render_page(shown, images, dark).encode())
    write_json(
        workspace.metrics / "headline.json",
        headline(shown.task, shown.evaluation.metrics.as_dict(), shown.residuals_metrics),
    )
    named = {"evaluation": shown.evaluation.metrics.groups, "residuals": shown.residuals_metrics.get("groups")}
    return (
        f"read {workspace.metrics}, {workspace.residuals} and {workspace.raw}, drew {len(images)} plots, "
        f"wrote {workspace.report / 'report.html'}{_different_groups(named)}"
    )


def _different_groups(named: Mapping[str, Any]) -> str:
    """Say that evaluation and residuals analysis go by other groups; empty where they agree."""
    if len(set(named.values())) == 1:
        return ""
    keys = ", ".join(f"{section}.groups: {name or 'not set'}" for section, name in named.items())
    return f" (inference goes by different groups: {keys}; each section has its own key)"


BLOCK_BYTES = 4 << 20
"""Size of the raw rows that are summarized at a time."""

FOLDERS = {"png": "plots", "pdf": "pdf"}
"""Where the files of each format are; ``dvc plots`` takes a folder of PNG files and no PDF."""


def read_report(workspace: Workspace, settings: ReportSettings) -> AnyReport:
    """Read what the report of a workspace is made from.

    Raises
    ------
    MlxError
        As `report`.
    """
    dataset = read_description(workspace.raw / "dataset.json", DatasetDescription)
    trained = dataset.recorded is None and workspace.model.exists()
    common: dict[str, Any] = {
        "provenance": _provenance(workspace, dataset, trained=trained),
        "training": read_training(workspace) if trained else None,
        "raw": open_raw(workspace, dataset) if trained or (workspace.raw / "X.npy").exists() else None,
        "texts": _texts(workspace),
        "settings": settings,
        "outputs": _outputs(workspace),
        "others": _others(workspace),
    }
    if dataset.task == "regression":
        fitted = read_regression_residuals(workspace, dataset)
        evaluated = read_regression_evaluation(workspace, len(fitted.samples.index))
        columns = _columns(workspace, dataset, fitted.factors)
        return RegressionReport(evaluation=evaluated, residuals=fitted, columns=columns, **common)
    residuals = read_classification_residuals(workspace, dataset)
    return ClassificationReport(
        class_names=tuple(dataset.class_names),
        evaluation=read_classification_evaluation(workspace, dataset, len(residuals.samples.index)),
        residuals=residuals,
        columns=_columns(workspace, dataset, residuals.factors),
        **common,
    )


def _columns(workspace: Workspace, dataset: DatasetDescription, effects: Sequence[FactorEffect]) -> list[ColumnSummary]:
    """Summarize the columns of a table, and those with a role; factors are those that were analyzed."""
    if not (dataset.columns or dataset.roles):
        return []
    features = FeatureCounts.of(dataset.features)
    if dataset.features:
        for _, block in stream_rows(workspace.raw / "X.npy", rows_of(8 * len(dataset.features), BLOCK_BYTES)):
            features.add(block)
    y = open_targets(workspace.raw / "y.npy", n_classes=len(dataset.class_names), rows=dataset.shape[0])
    others: dict[str, Array] = {}
    for file, names in (("factors.parquet", dataset.factors), ("roles.parquet", list(dataset.roles))):
        if names:
            table = read_parquet(workspace.raw / file, names)
            others |= {name: table[name].to_numpy() for name in names}
    analyzed = {effect.factor for effect in effects}
    prepared = read_description(workspace.splits / "preprocessing.json", SplitsDescription).columns
    left_out = {column.name: column.reason for column in prepared if column.reason}
    names = dataset.class_names
    return summarize_columns(dataset.columns, features, y, names, others, dataset.roles, analyzed, left_out)


def _outputs(workspace: Workspace) -> RecordedOutputs | None:
    """Open what the model made of the test samples; None where it is not there any more."""
    folder = workspace.representations / "test"
    if not (folder / "index.npy").is_file():
        return None
    described = read_description(workspace.representations / "representations.json", RepresentationsDescription)
    found = [folder / f"{name}.npy" for name in ("probabilities", next(iter(described.layers)))]
    opened = [open_array(path) if path.is_file() else None for path in found]
    return RecordedOutputs(open_array(folder / "index.npy", ndim=1), *opened)


def _others(workspace: Workspace) -> OtherSamples | None:
    """Open what the model made of the samples of the other parts; None where none is there, or not any more."""
    folder = workspace.representations
    if not (folder / "representations.json").is_file():
        return None
    described = read_description(folder / "representations.json", RepresentationsDescription)
    needed = ("index.npy", *(["probabilities.npy"] if described.class_names else []))
    splits = [one for one in SPLITS if one != "test" and all((folder / one / file).is_file() for file in needed)]
    parts = tuple(_part(folder / split, described) for split in splits if split in described.samples)
    return OtherSamples(parts, partial(_factors, workspace)) if parts else None


def _part(folder: Path, described: RepresentationsDescription) -> OtherPart:
    n, k = len(open_array(folder / "index.npy")), len(described.class_names)
    y_true, y_pred = (open_targets(folder / f"{name}.npy", n_classes=k, rows=n) for name in ("y_true", "y_pred"))
    scores = (folder / f"{name}.npy" for name in ("probabilities", "logits"))
    opened = [open_array(path, ndim=2, rows=n) if k and path.is_file() else None for path in scores]
    return OtherPart(folder.name, open_index(folder / "index.npy", rows=n), y_true, y_pred, *opened)


def _factors(workspace: Workspace, names: Sequence[str], index: Array) -> "DataFrame":
    """Read those of the factors that the raw data have, as the residuals analysis does."""
    columns = SampleColumns.of(workspace)
    found = columns.read([name for name in names if name in columns.names], index)
    for name in names:
        if columns.roles.get(name) == "group" and name in found:
            found[name] = found[name].map(str, na_action="ignore")
    return found


def _texts(workspace: Workspace) -> dict[int, str] | None:
    """Read the texts of samples by number; None where the samples are no texts."""
    if not (path := workspace.raw / TEXTS).exists():
        return None
    table = read_parquet(path, ["index", "text"])
    return dict(zip(table["index"].tolist(), map(str, table["text"]), strict=True))


def open_raw(workspace: Workspace, dataset: DatasetDescription) -> RawSamples:
    """Open the raw samples, or of arrays that were recorded elsewhere, the images of some."""
    n, *sample_shape = dataset.shape
    numbers = None
    if (path := workspace.raw / NUMBERS).exists():
        numbers = np.asarray(open_array(path, ndim=1))
        n = len(numbers)
    y = open_targets(workspace.raw / "y.npy", n_classes=len(dataset.class_names), rows=n)
    inputs = open_samples(workspace.raw / "X.npy", rows=n, sample_shape=sample_shape)
    return RawSamples(inputs=inputs, targets=y, columns=dataset.features, numbers=numbers)


def _provenance(workspace: Workspace, dataset: DatasetDescription, *, trained: bool) -> Provenance:
    asked = _configuration(workspace)
    model = f"{read_description(workspace.model / 'model.json', ModelDescription).name} on " if trained else ""
    environment = _environment(workspace)
    records = (name for name in RECORDS if (workspace.root / name).is_file())
    return Provenance(
        name=f"{model}{dataset.name}",
        description=str(asked.get("description") or ""),
        source=dataset.source,
        inputs={key: f"{read.path}: {read.text()}" for key, read in dataset.inputs.items()},
        **(_split(workspace) if trained else {}),
        configuration_name=str(asked.get("name") or ""),
        configuration={name: asked[name] for name in SHOWN if name in asked},
        environment=environment,
        commit=environment.get("commit") or "",
        record=next((f"../../{name}" for name in records), ""),
    )


def _split(workspace: Workspace) -> dict[str, Any]:
    """Return how the data were divided, with a line on it and on each thing to know of it; nothing if unknown."""
    described = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    if described.split_method is None:
        return {}
    by = f" by {described.split_by}" if described.split_by else ""
    sizes = ", ".join(f"{size} {part}" for part, size in described.sizes.items())
    lines = [f"Split: {described.split_method}{by}, {sizes}", *described.notes]
    return {"split_method": described.split_method, "split": lines}


RECORDS = ("summary.json", "dvc.lock")
"""What the date of a run is recorded in; a page with the date itself would differ between equal runs."""

SHOWN = (
    "dataset", "split", "preprocessing", "model", "training", "representations", "evaluation", "residuals", "report",
)  # fmt: skip
"""Sections of the configuration that the page shows: all that change a number or a picture."""


def _configuration(workspace: Workspace) -> Mapping[str, Any]:
    """Return what was asked for: of a run, or of the pipeline; nothing for arrays that were recorded elsewhere."""
    if (path := workspace.root / "config.json").is_file():
        return read_json(path)
    if (path := workspace.root / "params.yaml").is_file():
        return read_document(path).values  # noqa: PD011  # of a document, no table
    return {}


def _environment(workspace: Workspace) -> dict[str, Any]:
    """Return the versions that a run was made with; else those of this process."""
    if not (path := workspace.root / "summary.json").is_file():
        return versions()
    summary = read_json(path)
    made_with = summary.get("versions")
    return {**(made_with if isinstance(made_with, dict) else {}), "commit": summary.get("commit")}
