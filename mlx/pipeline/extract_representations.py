"""Step `extract-representations`: one pass of the trained model over the parts of the data."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlx.core.arrays import open_array, write_array
from mlx.core.artifacts import replacing_folder
from mlx.core.console import note
from mlx.core.descriptions import (
    SPLITS,
    ModelDescription,
    RecordedDescription,
    RepresentationsDescription,
    Split,
    SplitsDescription,
    ValidationDescription,
    read_description,
)
from mlx.core.errors import DataError, SettingsError
from mlx.core.last_layer import LastLayer, write_last_layer
from mlx.core.lineage import made_from, write_identified
from mlx.core.linear_fit import write_linear_fit
from mlx.core.paths import CROSS_FIT, Workspace, from_root, what_is
from mlx.core.settings import nearest
from mlx.core.workers import SERIAL, Workers
from mlx.datasets.inputs import fingerprint
from mlx.models import Model, load_model
from mlx.models.catalogue import MODELS
from mlx.models.in_numpy.training_design import MOST_FEATURES
from mlx.pipeline.recorded_rows import Column, open_part, record_part
from mlx.received.files import beside_in, files_in
from mlx.received.parts import FILES, open_recording
from mlx.received.writing import write_outputs
from mlx.representations import RepresentationsSettings

if TYPE_CHECKING:
    pass


def extract_representations(
    workspace: Workspace, workers: Workers = SERIAL, *, representations: RepresentationsSettings
) -> str:
    """Write ``data/representations/``: a folder of arrays for each part, and ``representations.json``.

    A folder has one array for each layer, ``logits``, ``probabilities``, ``y_true``, ``y_pred`` and ``index``, the row
    of each sample in the raw data. A part without samples has no folder. ``cross_fit/`` is that of `train`, if any.

    Raises
    ------
    MlxError
        The model lacks a requested layer, or an artifact is damaged.
    """
    splits = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    if splits.recorded is not None:
        return _copy_recorded(workspace, splits, splits.recorded, representations)
    model = load_model(workspace.model)
    with replacing_folder(workspace.representations) as folder:
        stored = read_description(workspace.model / "model.json", ModelDescription)
        anywhere = not MODELS[stored.name].made_by  # a file of the user's may be out of sight of other machines
        described = record_outputs(
            workspace, folder, representations, model=model, workers=workers if anywhere else None
        )
        if (crossed := workspace.model / CROSS_FIT).is_dir():
            _copy_arrays(crossed, folder / CROSS_FIT)
    if described.model == "linear_regression" and model.linear_fit is None and model.n_parameters <= MOST_FEATURES + 1:
        note(
            f"extract-representations: {workspace.model}: expected the training design of the linear regression, found "
            "none, as an earlier version fitted it; there will be no leverage and no prediction interval until it is "
            "fitted again, by 'dvc repro --force train' or, for a run, 'mlx run-experiment'"
        )
    layers = ", ".join(f"{name} ({width})" for name, width in described.layers.items())
    samples = ", ".join(f"{n} {split}" for split, n in described.samples.items())
    return (
        f"read {workspace.model} and {samples} samples from {workspace.splits}, recorded {layers}, "
        f"wrote {workspace.representations}"
    )


def _copy_recorded(
    workspace: Workspace, splits: SplitsDescription, known: RecordedDescription, settings: RepresentationsSettings
) -> str:
    """Copy recorded arrays, of the requested layers and parts."""
    path = from_root(known.folder.path)
    _check_unchanged(path, known)
    if idle := sorted(settings.model_fields_set & {"batch_size", "max_train_samples"}):
        listed = ", ".join(f"representations.{name}" for name in idle)
        note(f"extract-representations: no effect on recorded outputs, of which every sample is taken: {listed}")
    layers = _recorded_layers(known, settings.layers)
    parts = {
        split: replace(
            part, metadata=None, images=None, texts=None, representations={n: part.representations[n] for n in layers}
        )
        for split, part in files_in(path).items()
    }
    with replacing_folder(workspace.representations) as folder:
        sources = made_from(splits=splits.identity)
        recording = open_recording(parts, names=FILES)
        described = write_outputs(folder, recording, beside_in(path), settings.splits, sources)
    samples = ", ".join(f"{n} {split}" for split, n in described.samples.items())
    copied = ", ".join(f"{name} ({width})" for name, width in described.layers.items())
    return f"read {samples} samples from {path}, copied {copied}, wrote {workspace.representations}"


def _check_unchanged(path: Path, known: RecordedDescription) -> None:
    """Reject a folder of recorded arrays whose files are not those that `generate-data` read."""
    found = fingerprint(path) if path.is_dir() else None
    if found is None or found.sha256 != known.folder.sha256:
        raise DataError(
            f"{path}: expected the recorded arrays that generate-data read, {known.folder.text()}, found "
            f"{what_is(path) if found is None else found.text()}; read them again by 'dvc repro --force generate-data' "
            "or a new run"
        )


def _recorded_layers(known: RecordedDescription, asked: list[str]) -> list[str]:
    """Return the layers to copy: the requested ones; by default all, in the order of the recording."""
    if asked == RepresentationsSettings().layers:
        return list(known.layers)
    for name in asked:
        if name not in known.layers:
            raise SettingsError(
                f"expected one of {', '.join(known.layers)}, found '{name}'{nearest(name, known.layers)}",
                key=("representations", "layers"),
            )
    return asked


def _copy_arrays(source: Path, folder: Path) -> None:
    folder.mkdir()
    for path in sorted(source.glob("*.npy")):
        write_array(folder / path.name, open_array(path))


def record_outputs(
    workspace: Workspace,
    folder: Path,
    settings: RepresentationsSettings,
    *,
    model: Model,
    workers: Workers | None = None,
) -> RepresentationsDescription:
    """Run `model`, such as that of a checkpoint, over parts of the data, and write its outputs into an empty `folder`.

    `mlx.pipeline.model_outputs.open_model_outputs` reads the folder. With `workers`, it is the model in ``data/model/``
    that runs, on all of them.

    Raises
    ------
    MlxError
        The model lacks a requested layer, or an artifact is damaged.
    """
    samples: dict[Split, int] = {}
    validation = None
    for split in SPLITS:
        recorded, counted = split in settings.splits, split == "val" and model.task_spec.n_classes > 0
        if not (recorded or counted) or (part := open_part(workspace, split, model, settings)) is None:
            continue
        if recorded:
            (folder / split).mkdir()
        at = folder / split if recorded else None
        written, predicted = record_part(part, model, settings, at, workspace.model, workers)
        if recorded:
            columns, samples[split] = written, len(part.y)
        if counted:
            validation = ValidationDescription(n=len(part.y), errors=int((predicted != part.y).sum()))
    if model.linear_fit is not None:
        write_linear_fit(folder, model.linear_fit)
    last = _last_layer(folder / "test", settings.layers, model)
    if last is not None:
        write_last_layer(folder, last)
    described = _description(workspace, settings.layers, columns, samples, validation)
    described = described.model_copy(update={"last_layer": None if last is None else last.layer})
    write_identified(folder / "representations.json", described.as_dict())
    return described


CHECKED = 256
"""Rows of which the last layer is checked to make the logits."""


def _last_layer(recorded: Path, layers: list[str], model: Model) -> LastLayer | None:
    """Return the last layer under the recorded name of its input, if this is recorded and the logits follow from it."""
    last = model.last_layer
    names = [name for name in layers if last is not None and model.resolve_layer(name) == last.layer]
    if last is None or not names or not (recorded / f"{names[0]}.npy").exists():
        return None
    rows = [open_array(recorded / f"{name}.npy")[:CHECKED] for name in (names[0], "logits")]
    return replace(last, layer=names[0]) if last.gives(*rows) else None


def _description(
    workspace: Workspace,
    layers: list[str],
    columns: dict[str, Column],
    samples: dict[Split, int],
    validation: ValidationDescription | None,
) -> RepresentationsDescription:
    model = read_description(workspace.model / "model.json", ModelDescription)
    splits = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    return RepresentationsDescription(
        task=model.task,
        class_names=model.class_names,
        model=model.name,
        layers={name: columns[name].width for name in layers},
        sparse=[name for name in layers if columns[name].sparse],
        has_logits="logits" in columns,
        samples=samples,
        validation=validation,
        chosen_by_validation=model.chosen_by_validation,
        split_method=splits.split_method,
        features=splits.features,
        made_from=made_from(splits=splits.identity, model=model.identity),
    )
