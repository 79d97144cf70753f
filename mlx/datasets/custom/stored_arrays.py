"""Features and labels in arrays, with what lies beside them; and those of a test part appended to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import DataError
from mlx.core.paths import what_is
from mlx.datasets.custom.array_files import open_npy, open_npz
from mlx.datasets.custom.rows import JoinedRows, Rows
from mlx.datasets.custom.targets import checked_text
from mlx.datasets.dataset import Factors
from mlx.datasets.roles import two_parts


@dataclass(frozen=True)
class StoredArrays:
    """What was read.

    Attributes
    ----------
    X, labels
        Features or images, and a label or number for each, as they are in the files.
    where
        What they are from, for messages.
    class_names
        Where a file has them.
    factors
        One value a row each.
    parts
        The part of each row where a test part was appended.
    """

    X: Rows
    labels: Array
    where: str
    class_names: list[str] | None = None
    factors: Factors = field(default_factory=dict)
    parts: Array | None = None


def read_folder(folder: Path) -> StoredArrays:
    """Read ``X.npy`` and ``y.npy`` in a folder.

    Raises
    ------
    DataError
        One is missing or damaged.
    """
    return read_pair(folder / "X.npy", folder / "y.npy", str(folder))


def read_pair(X: Path, y: Path, where: str) -> StoredArrays:
    """Read two ``.npy`` files, of features and of targets; raises as `read_folder`."""
    for path, content in ((X, "features"), (y, "targets")):
        if not path.is_file():
            raise DataError(f"{path.absolute()}: expected an .npy file with the {content}, found {what_is(path)}")
    return StoredArrays(open_npy(X), open_npy(y).whole(), where)


def read_npz(path: Path) -> StoredArrays:
    """Read ``X``, ``y`` and, if they are there, ``class_names`` and factors in an ``.npz`` file.

    Raises
    ------
    DataError
        X or y is missing, or an array is damaged or of another kind.
    """
    arrays = open_npz(path)
    for name in ("X", "y"):
        if name not in arrays:
            raise DataError(f"{path}: expected arrays X and y, found {', '.join(arrays) or 'none'}")
    names = arrays["class_names"].whole() if "class_names" in arrays else None
    if names is not None and (names.ndim != 1 or names.dtype.kind != "U"):
        raise DataError(f"{path}: class_names: expected a list of text, found {names.dtype} of shape {names.shape}")
    factors = {name.removeprefix("factors/"): a.whole() for name, a in arrays.items() if name.startswith("factors/")}
    if "factors" in arrays:
        factors |= _columns(arrays["factors"].whole(), f"{path}: factors")
    listed = None if names is None else [str(name) for name in checked_text(names, f"{path}: class_names")]
    return StoredArrays(arrays["X"], arrays["y"].whole(), str(path), listed, checked_factors(factors, str(path)))


def columns_with_gaps(X: Rows) -> tuple[ColumnDescription, ...]:
    """Return a column x0, x1 … for each feature of an array (n, d) with NaN, which is a gap; none for other arrays."""
    if len(X.shape) != 2 or X.dtype.kind != "f" or not any(np.isnan(chunk).any() for chunk in X.chunks()):
        return ()
    return tuple(ColumnDescription(name=f"x{place}", kind="numeric") for place in range(X.shape[1]))


def _columns(values: Array, where: str) -> Factors:
    """Return the fields of a structured array, in which NumPy stores a table without pickle."""
    if values.dtype.names is None:
        raise DataError(f"{where}: expected a structured array, one field per factor, found {values.dtype}")
    return {name: np.ascontiguousarray(values[name]) for name in values.dtype.names}


def checked_factors(factors: Mapping[str, Array], where: str) -> Factors:
    """Return `factors`, each of which has to be a finite number or text a sample.

    Raises
    ------
    DataError
        One is not: names it.
    """
    checked_text(np.array(list(factors), dtype=str), f"{where}: names of factors")
    for name, values in factors.items():
        if values.ndim != 1 or values.dtype.kind not in "biufU":
            raise DataError(
                f"{where}: expected one number or text a sample as factor {name}, found {values.dtype} of "
                f"shape {values.shape}"
            )
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise DataError(f"{where}: expected finite values of factor {name}, found {values[row]} in row {row}")
        checked_text(values, f"{where}: factor {name}")
    return dict(factors)


def with_test_part(train: StoredArrays, test: StoredArrays) -> StoredArrays:
    """Return the samples of both, those of `test` last and as the test part.

    Raises
    ------
    DataError
        They differ in the shape or kind of a sample, the kind of the labels, the class names or the factors, or one
        is empty.
    """
    for what, wanted, found in (
        ("samples of shape", train.X.shape[1:], test.X.shape[1:]),
        ("X of", _kind(train.X), _kind(test.X)),
        ("y of", _kind(train.labels), _kind(test.labels)),
        ("y of shape", train.labels.shape[1:], test.labels.shape[1:]),
        ("class_names", train.class_names, test.class_names),
        ("factors", sorted(train.factors), sorted(test.factors)),
        *((f"factor {name} of", _text_or_numbers(values), _text_or_numbers(test.factors.get(name, values)))
          for name, values in train.factors.items()),
    ):  # fmt: skip
        if wanted != found:
            raise DataError(f"{test.where}: expected {what} {wanted}, as in {train.where}, found {found}")
    for part in (train, test):
        if not len(part.labels):
            raise DataError(f"{part.where}: expected at least one sample, found none")
        if part.X.shape[0] != len(part.labels):
            n = part.X.shape[0]
            raise DataError(f"{part.where}: expected as many rows in X as in y, found {n} and {len(part.labels)}")
    return StoredArrays(
        JoinedRows(train.X, test.X),
        np.concatenate([train.labels, test.labels]),
        f"{train.where} and {test.where}",
        train.class_names,
        {name: np.concatenate([values, test.factors[name]]) for name, values in train.factors.items()},
        two_parts(len(train.labels), len(test.labels)),
    )


def _kind(values: Rows | Array) -> str:
    """Return what the values are, alike where rows can follow each other: 8-bit images have a scale of their own."""
    if values.dtype == np.uint8 and len(values.shape) > 2:
        return "8-bit images"
    return {"b": "truth values", "i": "integers", "u": "integers", "f": "floats"}.get(values.dtype.kind, "text")


def _text_or_numbers(values: Array) -> str:
    return "numbers" if values.dtype.kind in "biuf" else "text"
