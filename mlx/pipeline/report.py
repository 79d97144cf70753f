"""Step `report`: pictures of what was found, and a page that shows them with the numbers."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.array_types import Array
from mlx.core.arrays import open_array, rows_of
from mlx.core.artifacts import read_json, replacing_folder, write_bytes, write_json
from mlx.core.console import tracked
from mlx.core.descriptions import DatasetDescription, ModelDescription, read_description
from mlx.core.documents import read_document
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.core.samples import open_samples, open_targets
from mlx.core.versions import versions
from mlx.pipeline.report_tables import (
    EVALUATION,
    RESIDUALS,
    TRAINING,
    read_confusion,
    read_measured,
    read_samples,
    read_table,
)
from mlx.plots.compared import with_compared_images
from mlx.plots.figures import FIGURES, draw_report
from mlx.plots.inputs import ReportInputs, choose_cards, choose_grid
from mlx.plots.page import render_page
from mlx.plots.page.points import choose_points
from mlx.plots.page.thumbnails import shrink
from mlx.plots.settings import ReportSettings
from mlx.plots.style import render_pdf, render_png
from mlx.results.headline import headline


def report(workspace: Workspace, *, report: ReportSettings) -> str:
    """Write ``data/report/`` and ``metrics/headline.json``.

    ``plots/*.png``, ``pdf/*.pdf`` where asked for, and ``report.html``, the page.

    A workspace without ``data/model/`` holds arrays that were recorded elsewhere (`mlx analyze`): nothing is
    known of how the model was trained, and no sample can be shown.

    Raises
    ------
    MlxError
        An artifact is missing or damaged.
    """
    inputs = _read_inputs(workspace, report)
    images: dict[str, bytes] = {}
    with replacing_folder(workspace.report) as folder:
        for format_ in report.formats:
            (folder / FOLDERS[format_]).mkdir()
        drawn = draw_report(inputs, report)
        for name, figure in tracked(drawn, total=len(FIGURES[inputs.task]), label="figures"):
            images[name] = render_png(figure, report.dpi)
            if "png" in report.formats:
                write_bytes(folder / FOLDERS["png"] / f"{name}.png", images[name])
            if "pdf" in report.formats:
                write_bytes(folder / FOLDERS["pdf"] / f"{name}.pdf", render_pdf(figure))
        write_bytes(folder / "report.html", render_page(inputs, images).encode())
    write_json(workspace.metrics / "headline.json", headline(inputs.task, inputs.evaluation, inputs.residuals))
    return (
        f"read {workspace.metrics}, {workspace.residuals} and {workspace.raw}, drew {len(images)} plots, "
        f"wrote {workspace.report / 'report.html'}"
    )


FOLDERS = {"png": "plots", "pdf": "pdf"}
"""Where the files of each format are; ``dvc plots`` takes a folder of PNG files and no PDF."""


def _read_inputs(workspace: Workspace, settings: ReportSettings) -> ReportInputs:
    dataset = read_description(workspace.raw / "dataset.json", DatasetDescription)
    samples = read_samples(workspace, dataset)
    asked = _configuration(workspace)
    inputs = ReportInputs(
        name=dataset.name,
        source=dataset.source,
        task=dataset.task,
        class_names=tuple(dataset.class_names),
        history=pd.DataFrame(),
        evaluation=read_measured(workspace.metrics / "evaluation.json", EVALUATION[dataset.task], len(samples)),
        residuals=read_measured(workspace.metrics / "residuals.json", RESIDUALS[dataset.task], len(samples)),
        samples=samples,
        tables={name: read_table(workspace.residuals, name) for name in ("slices", "factors")},
        description=str(asked.get("description") or ""),
        configuration={name: asked[name] for name in SHOWN if name in asked},
        environment=_environment(workspace),
    )
    inputs = replace(inputs, point_rows=choose_points(inputs.samples, task=inputs.task))
    if workspace.model.exists():
        inputs = _with_training(workspace, inputs)
        inputs = _with_raw_samples(workspace, dataset, inputs, settings)
    if inputs.task == "regression":
        return inputs
    return _with_pictures(workspace, _with_class_tables(workspace, inputs), images=len(dataset.shape) == 4)


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
    """Return the versions that a run was made with; else those that are at work now."""
    if not (path := workspace.root / "summary.json").is_file():
        return versions()
    summary = read_json(path)
    made_with = summary.get("versions")
    return {**(made_with if isinstance(made_with, dict) else {}), "commit": summary.get("commit")}


def _with_training(workspace: Workspace, inputs: ReportInputs) -> ReportInputs:
    model = read_description(workspace.model / "model.json", ModelDescription)
    return replace(
        inputs,
        name=f"{model.name} on {inputs.name}",
        history=read_table(workspace.metrics, "history"),
        training=read_measured(workspace.metrics / "training.json", TRAINING),
    )


def _with_raw_samples(
    workspace: Workspace, dataset: DatasetDescription, inputs: ReportInputs, settings: ReportSettings
) -> ReportInputs:
    """Add the samples that are shown as themselves, read row by row from the raw data."""
    n, *sample_shape = dataset.shape
    images = len(dataset.shape) == 4
    y = open_targets(workspace.raw / "y.npy", n_classes=len(dataset.class_names), rows=n)
    X = open_samples(workspace.raw / "X.npy", rows=n, sample_shape=sample_shape)
    grid = choose_grid(y, task=inputs.task, images=images, settings=settings)
    inputs = replace(inputs, grid_inputs=np.asarray(X[grid]), grid_targets=y[grid])
    if images and inputs.point_rows is not None:
        inputs = replace(inputs, point_images=_thumbnails(X, inputs.samples["index"].to_numpy()[inputs.point_rows]))
    if inputs.task == "classification":
        inputs = replace(inputs, targets=y)
    if not (images and inputs.task == "classification"):
        return inputs
    groups, rows = choose_cards(inputs.samples, settings)
    shown = X[inputs.samples["index"].to_numpy()[rows]]
    return replace(inputs, card_groups=groups, card_rows=rows, card_images=np.asarray(shown))


def _thumbnails(X: Array, rows: Array) -> Array:
    """Return small images of those rows, shape (m, h, w, 3), read a block at a time."""
    block = rows_of(int(np.prod(X.shape[1:])) * 4)
    blocks = [rows[first : first + block] for first in range(0, len(rows), block)]
    low, high = 0.0, 1.0
    if X.dtype != np.uint8:  # one scale for all images, as where they are drawn beside each other
        ends = [(float(np.nanmin(X[chosen])), float(np.nanmax(X[chosen]))) for chosen in blocks]
        low, high = min(0.0, *(a for a, _ in ends)), max(1.0, *(b for _, b in ends))
    return np.concatenate([shrink(X[chosen], low=low, high=high) for chosen in blocks])


def _with_class_tables(workspace: Workspace, inputs: ReportInputs) -> ReportInputs:
    k = len(inputs.class_names)
    tests = read_table(workspace.residuals, "tests")
    return replace(
        inputs,
        classes=read_table(workspace.residuals, "classes", n_classes=k),
        tests=tests,
        pooled=_pooled(tests),
        confusion=read_confusion(workspace.metrics, k),
        roc=read_table(workspace.metrics, "roc", n_classes=k),
        reliability=read_table(workspace.metrics, "reliability"),
        class_scores=read_table(workspace.metrics, "per_class", n_classes=k),
    )


def _pooled(tests: pd.DataFrame) -> dict[str, Any]:
    """Return the pooled tests of the first layer under the keys of a row of ``classes.csv``."""
    pooled = tests[tests["scope"] == "pooled"]
    pooled = pooled[pooled["layer"] == pooled["layer"].iloc[0]] if len(pooled) else pooled
    found: dict[str, Any] = {}
    for row in pooled.to_dict("records"):
        name = row["statistic"]
        found |= {name: row["estimate"]}
        found |= {f"{name}_{key}": row[key] for key in ("low", "high", "p")}
        if name == "pearson":
            found["status"] = row["status"]
    return found


def _with_pictures(workspace: Workspace, inputs: ReportInputs, *, images: bool) -> ReportInputs:
    """Add to `inputs` what further pictures of a classification need; without a model no raw sample is read."""
    curves = {
        "precision_recall": read_table(workspace.metrics, "precision_recall", n_classes=len(inputs.class_names)),
        "risk_coverage": read_table(workspace.residuals, "risk_coverage"),
        "temperature": read_table(workspace.residuals, "temperature"),
    }
    inputs = replace(inputs, curves=curves, overview=_overview(workspace, inputs))
    if inputs.targets is None or not images:
        return inputs
    return with_compared_images(inputs, open_array(workspace.raw / "X.npy", rows=len(inputs.targets)))


def _overview(workspace: Workspace, inputs: ReportInputs) -> Array | None:
    if inputs.tests is None or "overview" not in inputs.samples:
        return None
    layers = inputs.tests.loc[inputs.tests["name"] == "similarity and entropy", "layer"]
    if layers.empty or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", str(layers.iloc[0])):
        path = workspace.residuals / "tests.csv"
        raise ArtifactError(f"{path}: expected a row 'similarity and entropy' with its layer, found none{REMAKE}")
    path = workspace.residuals / "similarity" / f"{layers.iloc[0]}.overview.npy"
    matrix = np.asarray(open_array(path, ndim=2))
    places = inputs.samples["overview"].to_numpy()
    n = int((places >= 0).sum())
    if not np.array_equal(np.sort(places[places >= 0]), np.arange(n)):
        samples = workspace.residuals / "samples.parquet"
        raise ArtifactError(f"{samples}: overview: expected different places of the similarity matrix{REMAKE}")
    if matrix.shape != (n, n):
        raise ArtifactError(f"{path}: expected shape ({n}, {n}), as samples.parquet says, found {matrix.shape}{REMAKE}")
    return matrix
