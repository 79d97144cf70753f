"""Reads recorded outputs, labels, representations, images and factors of the same samples."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.checks import check_finite
from mlx.core.console import note
from mlx.core.descriptions import Task
from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.rows import Rows
from mlx.datasets.dataset import Factors
from mlx.received.class_names import read_class_names
from mlx.received.columns import one_column, softmax_rows, two_logits, two_probabilities
from mlx.received.factors import read_factors
from mlx.received.images import read_images
from mlx.received.labels import in_order_of_columns, labels_of
from mlx.received.rows import columns_of, counting_columns, read_rows
from mlx.received.sparse import is_sparse, sparse_rows
from mlx.received.texts import read_texts

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CLASS_NAMES = "class_names"


@dataclass(frozen=True)
class Given:
    """Recorded outputs of n samples and K classes, as the user gives them: arrays, or names of files.

    Attributes
    ----------
    representations
        By layer, (n, d), (n,) or sparse rows; the layer of the headline first.
    probabilities
        (n, K); or (n,) or (n, 1), the probability of the second of two classes; None: the softmax of the logits, or
        none, for a regression.
    labels
        (n,) or (n, 1), integers from 0, whole numbers, truth values, names or bytes; the values of a regression.
    logits
        As the probabilities, or None.
    predictions
        As the labels, or None: the class of the largest probability. A regression needs them.
    task
        What the model was trained for.
    images
        As `mlx.received.images.read_images`, or None.
    texts
        As `mlx.received.texts.read_texts`, or None.
    factors
        A table with a row for each sample, or None.
    groups
        Name of its column that says which samples belong together, or None.
    class_names
        K names in the order of the columns, or None: those of a table of probabilities that has a column of each
        label's name, else the labels' own in sorted order, or numbers.
    names
        Names of the arguments for messages, by their names here, if they differ.
    """

    representations: Mapping[str, Any]
    probabilities: Any
    labels: Any
    logits: Any = None
    predictions: Any = None
    factors: Any = None
    images: Any = None
    texts: Any = None
    task: Task = "classification"
    groups: str | None = None
    class_names: Any = None
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, name: str) -> str:
        """Return the name of the argument `name` for messages."""
        return self.names.get(name, name)


@dataclass(frozen=True)
class Received:
    """Recorded outputs in one form; the values in files are read when they are needed.

    Attributes
    ----------
    probabilities, logits
        (n, K); no logits is None, and a regression has neither.
    y_true, y_pred
        (n,), integers from 0; of a regression, finite numbers.
    class_names
        K of them, no two alike; none for a regression.
    layers
        (n, d) each, rows or sparse rows.
    images
        (n, h, w, channels), or None.
    texts
        n texts, or None.
    factors
        Columns (n,).
    """

    probabilities: Rows | None
    logits: Rows | None
    y_true: Array
    y_pred: Array
    class_names: tuple[str, ...]
    layers: "dict[str, Rows | csr_array[Any]]"
    images: Rows | None
    texts: list[str] | None
    factors: Factors

    def whole_probabilities(self) -> Array:
        """Return the probabilities of a classification, read into memory."""
        assert self.probabilities is not None, "a classification"
        return self.probabilities.whole()

    def whole_logits(self) -> Array | None:
        """Return the logits, read into memory."""
        return None if self.logits is None else self.logits.whole()

    def whole_layers(self) -> "dict[str, Array | csr_array[Any]]":
        """Return the layers, read into memory."""
        layers: dict[str, Any] = self.layers  # two kinds, of which one is a protocol
        return {name: rows if is_sparse(rows) else rows.whole() for name, rows in layers.items()}


def given_in_notebook(
    representations: Any,
    softmax_outputs: Any,
    y_true: Any,
    y_pred: Any,
    logits: Any,
    class_names: Any,
    factors: Any,
    groups: str | None = None,
) -> Given:
    """Return the arguments of the notebook classes; one layer is called ``representations``."""
    layers = representations if isinstance(representations, Mapping) else {"representations": representations}
    names = {"probabilities": "softmax_outputs", "labels": "y_true", "predictions": "y_pred"}
    return Given(
        representations=layers,
        probabilities=softmax_outputs,
        labels=y_true,
        logits=logits,
        predictions=y_pred,
        factors=factors,
        groups=groups,
        class_names=class_names,
        names=names,
    )


def receive(given: Given) -> Received:
    """Read and check the arguments; print how ambiguous ones are interpreted.

    Raises
    ------
    DataError, SettingsError
        An argument does not match the others, or is damaged: names it, and the row.
    OSError
        A file can't be opened.
    """
    if given.task == "regression":
        return _receive_regression(given)
    names = read_class_names(given.class_names, given.called(CLASS_NAMES))
    probabilities = _probabilities(given)
    n, k = probabilities.shape
    if names and len(names) != k:
        raise SettingsError(
            f"{given.called(CLASS_NAMES)}: expected {k} different names, one per column of the probabilities, found "
            f"{len(names)}"
        )
    logits = None if given.logits is None else _scores(given, "logits", (n, k))
    labels = _labels(given, "labels", n)
    names = in_order_of_columns(names, columns_of(probabilities), labels, given.called(CLASS_NAMES))
    names, y_true = labels_of(labels, n, k, names)
    if given.predictions is None:
        y_pred = np.concatenate([block.argmax(axis=1) for block in probabilities.chunks()])
    else:
        names, y_pred = labels_of(_labels(given, "predictions", n), n, k, names)
    return Received(probabilities, logits, y_true, y_pred, names, **_beside_outputs(given, n))


def _receive_regression(given: Given) -> Received:
    for name in ("probabilities", "logits", CLASS_NAMES):
        if (found := getattr(given, name)) is not None and not (isinstance(found, tuple) and not found):
            raise SettingsError(f"{given.called(name)}: expected none, as a regression has no classes, found some")
    y_true = _values(given, "labels", None)
    if given.predictions is None:
        raise SettingsError(f"{given.called('predictions')}: expected the predicted values of a regression, found none")
    y_pred = _values(given, "predictions", len(y_true))
    return Received(None, None, y_true, y_pred, (), **_beside_outputs(given, len(y_true)))


def _values(given: Given, name: str, n: int | None) -> Array:
    """Return the finite numbers (n,) of a regression."""
    rows = read_rows(getattr(given, name), given.called(name), kind=name, n=n)
    expected = n or rows.shape[0]
    if rows.shape not in {(expected,), (expected, 1)} or not expected:
        raise DataError(f"{rows}: expected {name} of shape ({n or 'any'},), found {rows.shape}")
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{rows}: expected {name} that are numbers, as for a regression, found {rows.dtype}")
    values = rows.whole().reshape(-1).astype(np.float64)
    check_finite(str(rows), values, 0)
    return values


def _beside_outputs(given: Given, n: int) -> dict[str, Any]:
    key = given.names.get("groups", "residuals.groups")
    return {
        "layers": _layers(given, n),
        "images": None if given.images is None else read_images(given.images, n, given.called("images")),
        "texts": None if given.texts is None else read_texts(given.texts, n, given.called("texts")),
        "factors": read_factors(given.factors, n, given.called("factors"), given.groups, key=key),
    }


def _probabilities(given: Given) -> Rows:
    """Return the probabilities, given or of the logits."""
    if given.probabilities is not None:
        return _scores(given, "probabilities")
    if given.logits is None:
        expected = "expected probabilities or logits, or predictions of a regression"
        raise SettingsError(f"{given.called('probabilities')}: {expected}, found neither")
    return softmax_rows(_scores(given, "logits"))


def _labels(given: Given, name: str, n: int) -> Rows:
    return read_rows(getattr(given, name), given.called(name), kind=name, n=n, labels=True)


def _scores(given: Given, name: str, shape: tuple[int, int] | None = None) -> Rows:
    """Return probabilities or logits (n, K) with at least one row; of one column for two classes, both."""
    what = given.called(name)
    rows = read_rows(getattr(given, name), what, kind=name, n=shape[0] if shape else None)
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{rows}: expected {name} that are numbers, found {rows.dtype}")
    one_column = len(rows.shape) == 1 or rows.shape[1:] == (1,)
    if one_column and rows.shape[0] and shape in {None, (rows.shape[0], 2)}:
        note(f"{rows}: one column is taken for the {ONE_COLUMN[name]}")
        return two_logits(rows) if name == "logits" else two_probabilities(rows)
    if len(rows.shape) != 2 or 0 in rows.shape or (shape is not None and rows.shape != shape):
        expected = f"shape {shape}" if shape else "2 dimensions and at least one row"
        raise DataError(f"{rows}: expected {name} of {expected}, found shape {rows.shape}")
    return rows


ONE_COLUMN = {
    "probabilities": "probability of the second of two classes, made to [1 - p, p]",
    "logits": "logit of the second of two classes, made to [0, z]",
}


def _layers(given: Given, n: int) -> "dict[str, Rows | csr_array[Any]]":
    layers: dict[str, Rows | csr_array[Any]] = {}
    for name, values in given.representations.items():
        layers[str(name)] = _layer(values, str(name) if len(given.representations) > 1 else "representations", n)
    if not layers:
        raise DataError(f"{given.called('representations')}: expected at least one layer, found none")
    return layers


def _layer(given: Any, what: str, n: int) -> "Rows | csr_array[Any]":
    if is_sparse(given):
        sparse = sparse_rows(given, what)
        if sparse.shape[0] != n or sparse.shape[1] == 0:
            where = given if isinstance(given, str | os.PathLike) else what
            raise DataError(f"{where}: expected representations of shape ({n}, any), found {sparse.shape}")
        return sparse
    rows = read_rows(given, what, kind="representations", n=n)
    if rows.shape == (n,):
        rows = one_column(rows)
    if len(rows.shape) != 2 or rows.shape[0] != n or rows.shape[1] == 0:
        raise DataError(
            f"{rows}: expected representations of shape ({n}, any), as there are {n} rows of probabilities, "
            f"found {rows.shape}"
        )
    if rows.dtype.kind not in "biuf":
        raise DataError(f"{rows}: expected representations that are numbers, found {rows.dtype}")
    for name in counting_columns(rows):
        note(f"warning: {rows}: column '{name}' counts the rows, as an id does; if it is one, remove it")
    return rows
