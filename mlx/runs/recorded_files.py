"""The files of recorded arrays: named one by one, or found in a folder of the shape of ``data/representations/``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlx.core.console import note
from mlx.core.descriptions import SPLITS, RepresentationsDescription, Split, read_description
from mlx.core.errors import DataError
from mlx.core.linear_fit import COEFFICIENTS, TRIANGLE

NO_LAYERS = frozenset({"logits", "probabilities", "y_true", "y_pred", "index"})
"""Names of the files beside those of the layers."""


@dataclass(frozen=True)
class RecordedFiles:
    """The files of the arrays of n samples and K classes.

    Files of arrays are ``.npy``, ``.npz`` or tables, see `mlx.runs.received.rows.read_rows`.

    Attributes
    ----------
    representations
        By layer, (n, d), or sparse rows in ``.npz``; the layer of the headline first.
    probabilities
        (n, K); or (n,), the probability of the second of two classes.
    labels
        (n,), integers from 0 or names.
    logits
        (n, K), or None.
    predictions
        (n,), as the labels, or None: the class of the largest probability.
    index
        (n,), the number of each sample in the user's data, or None.
    metadata
        Table in any format, with a row for each sample, of what may explain an error, or None.
    class_names
        K names in the order of the columns; by default those of the labels in sorted order, or numbers.
    """

    representations: Mapping[str, Path]
    probabilities: Path
    labels: Path
    logits: Path | None = None
    predictions: Path | None = None
    index: Path | None = None
    metadata: Path | None = None
    class_names: Sequence[str] = field(default=())


def files_in(
    folder: Path, *, metadata: Path | None = None, class_names: Sequence[str] = ()
) -> dict[Split, RecordedFiles]:
    """Return the files in a folder with a folder ``test``, and ``val`` and ``train`` where they are recorded.

    Each has ``probabilities.npy``, ``y_true.npy`` and a file for each layer, and may have ``logits.npy``,
    ``y_pred.npy`` and ``index.npy``. ``representations.json`` beside them, which `extract-representations` writes,
    says which layer is first and what the classes are called; without it, ``penultimate`` is first, the others follow
    by name. The folder may also be one of an earlier version, which holds the arrays of the test part themselves.

    Parameters
    ----------
    folder
        With the shape of ``data/representations/``.
    metadata, class_names
        As in `RecordedFiles`, of the test part.

    Raises
    ------
    DataError
        A file is missing, or the folder describes a regression.
    """
    path = folder / "representations.json"
    described = read_description(path, RepresentationsDescription) if path.exists() else None
    if described is not None and described.task == "regression":
        raise DataError(f"{path}: expected outputs of a classification, found those of a regression")
    names = tuple(class_names or (described.class_names if described else ()))
    places: dict[Split, Path] = {split: folder / split for split in SPLITS if (folder / split).is_dir()}
    if not places and (folder / "y_true.npy").exists():
        note(f"{folder}: expected a folder for each part of the data, found arrays, which are taken for the test part")
        places = {"test": folder}
    if "test" not in places:
        raise DataError(f"{folder}: expected a folder 'test' with y_true.npy, probabilities.npy and layers, found none")
    first = _layer_names(places["test"], described)
    return {
        split: RecordedFiles(
            representations={name: _layer_file(place, name) for name in first},
            probabilities=_required(place / "probabilities.npy"),
            labels=_required(place / "y_true.npy"),
            logits=_optional(place / "logits.npy"),
            predictions=_optional(place / "y_pred.npy"),
            index=_optional(place / "index.npy"),
            metadata=metadata if split == "test" else None,
            class_names=names,
        )
        for split, place in places.items()
    }


def _layer_names(place: Path, described: RepresentationsDescription | None) -> list[str]:
    """Return the names of the layers, the one of the headline first."""
    if described is not None:
        return list(described.layers)
    files = [path for path in place.iterdir() if path.suffix in SUFFIXES and path.name not in {COEFFICIENTS, TRIANGLE}]
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
