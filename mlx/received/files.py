"""Recorded arrays: given one by one, or found in a folder of the shape of ``data/representations/``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx.core.console import note
from mlx.core.descriptions import SPLITS, RepresentationsDescription, Split, Task, read_description
from mlx.core.errors import DataError
from mlx.core.last_layer import BIAS, WEIGHTS
from mlx.core.linear_fit import COEFFICIENTS, TRIANGLE
from mlx.core.paths import CROSS_FIT, what_is
from mlx.received.last_layer import GivenLastLayer, last_layer_in

NO_LAYERS = frozenset({"logits", "probabilities", "y_true", "y_pred", "index", "images"})
"""Names of the files beside those of the layers."""

BESIDE_LAYERS = frozenset({COEFFICIENTS, TRIANGLE, WEIGHTS, BIAS})
"""Files of the model in a folder of an earlier version, which has no folder for each part."""


@dataclass(frozen=True)
class RecordedPart:
    """The arrays of n samples of one part of the data, and K classes: in memory, or files.

    Files of arrays are ``.npy``, ``.npz`` or tables, see `mlx.received.rows.read_rows`.

    Attributes
    ----------
    representations
        By layer, (n, d), or sparse rows; the layer of the headline first.
    labels
        (n,), integers from 0 or names; the values of a regression.
    probabilities
        (n, K); or (n,), the probability of the second of two classes; None: the softmax of the logits, or none, for a
        regression.
    logits
        (n, K), or None.
    predictions
        (n,), as the labels, or None: the class of the largest probability. A regression needs them.
    index
        (n,), the number of each sample in the user's data, or None.
    metadata
        Table with a row for each sample, of what may explain an error, or None. Of other parts than the test part, the
        page shows the columns that this has; of the validation part, the analysis reads the column of groups.
    images
        As `mlx.received.images.read_images`, or None.
    texts
        As `mlx.received.texts.read_texts`, or None.
    class_names
        K names in the order of the columns; by default those of the labels in sorted order, or numbers.
    task
        What the model was trained for.
    place
        What the part is called in messages; empty for files.
    """

    representations: Mapping[str, Any]
    labels: Any
    probabilities: Any = None
    logits: Any = None
    predictions: Any = None
    index: Any = None
    metadata: Any = None
    images: Any = None
    texts: Any = None
    class_names: Any = ()
    task: Task = "classification"
    place: str = ""


def files_in(
    folder: Path,
    *,
    metadata: Path | None = None,
    images: Path | None = None,
    texts: Path | None = None,
    class_names: Sequence[str] = (),
) -> dict[Split, RecordedPart]:
    """Return the files in a folder with a folder ``test``, and ``val`` and ``train`` where they are recorded.

    Each has ``y_true.npy``, ``probabilities.npy`` or ``logits.npy`` or both, and a file for each layer, and may have
    ``y_pred.npy``, ``index.npy``, ``images.npy``, ``texts.jsonl`` and ``metadata.jsonl``. A regression
    has ``y_pred.npy`` in place of probabilities.
    ``representations.json`` beside them, which `extract-representations` writes, says which layer is first and what the
    classes are called; without it, ``penultimate`` is first, the others follow by name. The folder may also be one of
    an earlier version, which holds the arrays of the test part themselves.

    Parameters
    ----------
    folder
        With the shape of ``data/representations/``.
    metadata, images, texts, class_names
        As in `RecordedPart`, of the test part.

    Raises
    ------
    DataError
        A file is missing.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of recorded arrays, found {what_is(folder)}")
    path = folder / "representations.json"
    described = read_description(path, RepresentationsDescription) if path.exists() else None
    names = tuple(class_names or (described.class_names if described else ()))
    places: dict[Split, Path] = {split: folder / split for split in SPLITS if (folder / split).is_dir()}
    if not places and (folder / "y_true.npy").exists():
        note(f"{folder}: expected a folder for each part of the data, found arrays, which are taken for the test part")
        places = {"test": folder}
    if "test" not in places:
        raise DataError(f"{folder}: expected a folder 'test' with y_true.npy, probabilities.npy and layers, found none")
    layers, task = _layer_names(places["test"], described), _task(places["test"], described)
    beside_outputs = {
        "metadata": metadata,
        "images": images,
        "texts": texts,
    }
    return {
        split: part_in(place, layers, task=task, class_names=names, **(beside_outputs if split == "test" else {}))
        for split, place in places.items()
    }


@dataclass(frozen=True)
class Beside:
    """What is recorded beside the parts of the data.

    Attributes
    ----------
    cross_fit
        Folder with ``probabilities.npy``, ``y_true.npy`` (integers), ``index.npy`` and perhaps ``logits.npy`` for
        training samples, of models that were not trained on them; None without one.
    last_layer
        The linear map from a layer to the logits; None where it is unknown.
    """

    cross_fit: Path | None = None
    last_layer: GivenLastLayer | None = None


NOTHING_BESIDE = Beside()


def beside_in(folder: Path | None, last_layer: GivenLastLayer | None = None) -> Beside:
    """Return what a folder of recorded arrays has beside the parts, ``cross_fit/`` and ``last_layer_weights.npy``.

    Without a folder, there is nothing but a last layer that is given, which takes the place of the folder's.
    """
    if folder is None:
        return Beside(last_layer=last_layer)
    crossed, path = folder / CROSS_FIT, folder / "representations.json"
    layer = read_description(path, RepresentationsDescription).last_layer if path.exists() else None
    return Beside(crossed if crossed.is_dir() else None, last_layer or last_layer_in(folder, layer))


def part_in(
    place: Path,
    layers: Sequence[str],
    *,
    task: Task,
    class_names: Sequence[str],
    metadata: Path | None = None,
    images: Path | None = None,
    texts: Path | None = None,
) -> RecordedPart:
    """Return the files of one part in a folder, as `files_in`.

    Raises
    ------
    DataError
        A file is missing.
    """
    return RecordedPart(
        representations={name: _layer_file(place, name) for name in layers},
        labels=_required(place / "y_true.npy"),
        probabilities=_optional(place / "probabilities.npy"),
        logits=_optional(place / "logits.npy"),
        predictions=_optional(place / "y_pred.npy"),
        index=_optional(place / "index.npy"),
        metadata=metadata or _optional(place / "metadata.jsonl"),
        images=images or _optional(place / "images.npy"),
        texts=texts or _optional(place / "texts.jsonl"),
        class_names=class_names,
        task=task,
    )


def _task(place: Path, described: RepresentationsDescription | None) -> Task:
    """Return the task that the folder describes, or, without a description, the one that its files are of."""
    if described is not None:
        return described.task
    if any((place / f"{name}.npy").exists() for name in ("probabilities", "logits")):
        return "classification"
    if (place / "y_pred.npy").exists():
        return "regression"
    raise DataError(f"{place}: expected probabilities.npy or logits.npy, or y_pred.npy of a regression, found none")


def _layer_names(place: Path, described: RepresentationsDescription | None) -> list[str]:
    """Return the names of the layers, the one of the headline first."""
    if described is not None:
        return list(described.layers)
    files = [path for path in place.iterdir() if path.suffix in SUFFIXES and path.name not in BESIDE_LAYERS]
    names = sorted({path.stem for path in files} - NO_LAYERS, key=lambda name: (name != "penultimate", name))
    if not names:
        raise DataError(f"{place}: expected at least one layer in a file NAME.npy or NAME.npz, found none")
    return names


SUFFIXES = (".npy", ".npz")


def _layer_file(place: Path, name: str) -> Path:
    dense, sparse = (place / f"{name}{suffix}" for suffix in SUFFIXES)
    return sparse if sparse.exists() and not dense.exists() else _required(dense)


def _required(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path}: expected a file, found none")
    return path


def _optional(path: Path) -> Path | None:
    return path if path.exists() else None
