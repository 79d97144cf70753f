"""``custom``: the user's own arrays, tables, folders of images, or a function."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import from_root, what_is
from mlx.core.user_code import names_function
from mlx.datasets.custom.array_files import ArrayFile, open_npy, open_npz
from mlx.datasets.custom.function import call_function
from mlx.datasets.custom.metadata import read_metadata
from mlx.datasets.custom.params import EVERY, LABELED, TABLE, CustomParams, reject_unused
from mlx.datasets.custom.rows import MemoryRows
from mlx.datasets.custom.samples import Samples, samples_dataset
from mlx.datasets.custom.table_samples import TableRules, read_table_samples
from mlx.datasets.custom.targets import Target, build_target, checked_text
from mlx.datasets.dataset import Dataset, Factors
from mlx.datasets.files.folder_set import ImageForm, open_image_folder
from mlx.datasets.files.image_folder import list_images
from mlx.datasets.roles import Roles, reject_absent, role_values


def open_custom(params: CustomParams, path: str | None) -> Dataset:
    """Open `path`: an ``.npz``, ``.npy``, ``.csv`` or ``.parquet`` file, a folder, or ``file.py:name``.

    Raises
    ------
    DataError
        If it is missing, is none of these, is damaged, or its parts don't fit each other.
    SettingsError
        If a parameter is missing, or has no meaning for it.
    """
    if path is None:
        raise SettingsError(f"expected {_KNOWN}, found nothing", key=("dataset", "path"))
    if names_function(path):
        reject_unused(params, LABELED | {"arguments"}, "a function")
        return samples_dataset(_from_function(params, path), params)
    place = from_root(path)
    if place.is_dir():
        return _from_folder(params, place)
    if not place.is_file():
        raise DataError(f"dataset.path: {place.absolute()}: expected {_KNOWN}, found {what_is(place)}")
    suffix = place.suffix.lower()
    if suffix not in _FILES:
        raise DataError(f"dataset.path: {path}: expected {_KNOWN}, found a file ending in '{place.suffix}'")
    read, used = _FILES[suffix]
    reject_unused(params, LABELED | used, f"a {suffix} file")
    return samples_dataset(read(params, place), params)


_KNOWN = (
    "an .npz, .npy, .csv or .parquet file, a folder with X.npy and y.npy, a folder with a subfolder of "
    "images for each class, or file.py:name"
)


def _from_folder(params: CustomParams, folder: Path) -> Dataset:
    if (folder / "X.npy").is_file():
        reject_unused(params, LABELED, "a folder with X.npy and y.npy")
        labels = _array(folder / "y.npy", "targets").whole()
        return samples_dataset(_from_arrays(params, str(folder), open_npy(folder / "X.npy"), labels), params)
    used = EVERY | {"image_size", "channels", "skip_corrupt"}
    reject_unused(params, used, "a folder of images, whose subfolders are the classes")
    form = ImageForm(params.image_size, params.channels, params.skip_corrupt)
    metadata = None if params.metadata is None else from_root(params.metadata)
    return open_image_folder("custom", list_images(folder), params, form, metadata, params.roles)


def _from_arrays(
    params: CustomParams,
    where: str,
    X: ArrayFile | MemoryRows,
    labels: Array,
    class_names: list[str] | None = None,
    factors: Factors | None = None,
) -> Samples:
    """Combine what was read; names and factors in the settings take precedence over those in the file."""
    target = _target(params, labels, where, class_names)
    known, columns = _known(params, dict(factors or {}), len(target.y), where)
    return Samples(X, target, where, known, roles=_roles(params, columns, [*known, *columns], where))


def _known(params: CustomParams, factors: Factors, n: int, where: str) -> tuple[Factors, dict[str, Array]]:
    """Return the factors of n samples, those of the metadata in their place if any are given, and columns with a role.

    The factors of arrays and functions can have a role, too.
    """
    if params.metadata is not None:
        return read_metadata(from_root(params.metadata), n, roles=params.roles)
    import pandas as pd

    columns = {
        name: role_values(pd.Series(factors.pop(name)), role, f"{where}: factor '{name}'")
        for name, role in params.roles.items()
        if name in factors
    }
    return factors, columns


def _roles(params: CustomParams, columns: dict[str, Array], names: Collection[str], where: str) -> Roles:
    reject_absent(params.roles, names, where if params.metadata is None else f"{where} or {params.metadata}")
    return Roles(columns, params.roles)


def _target(params: CustomParams, labels: Array, where: str, names: list[str] | None) -> Target:
    names = names if params.class_names is None else params.class_names
    return build_target(labels, task=params.task, class_names=names, where=where)


def _array(path: Path, content: str) -> ArrayFile:
    if not path.is_file():
        raise DataError(f"{path.absolute()}: expected an .npy file with the {content}, found {what_is(path)}")
    return open_npy(path)


def _read_npy(params: CustomParams, path: Path) -> Samples:
    if params.target is None:
        raise SettingsError(
            f"expected the .npy file with the targets of {path}, found nothing",
            key=("dataset", "params", "target"),
        )
    beside = path.parent / params.target
    labels = _array(beside if beside.exists() else from_root(params.target), "targets")
    return _from_arrays(params, str(path), open_npy(path), labels.whole())


def _read_npz(params: CustomParams, path: Path) -> Samples:
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
    return _from_arrays(
        params, str(path), arrays["X"], arrays["y"].whole(), listed, _checked_factors(factors, str(path))
    )


def _columns(values: Array, where: str) -> Factors:
    """Return the fields of a structured array, in which NumPy stores a table without pickle."""
    if values.dtype.names is None:
        raise DataError(f"{where}: expected a structured array, a field a factor, found {values.dtype}")
    return {name: np.ascontiguousarray(values[name]) for name in values.dtype.names}


def _checked_factors(factors: Mapping[str, Array], where: str) -> Factors:
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


def _read_table(params: CustomParams, path: Path) -> Samples:
    if params.target is None:
        raise SettingsError(
            f"expected the name of the target's column in {path}, found nothing",
            key=("dataset", "params", "target"),
        )
    rules = TableRules(
        params.target,
        task=params.task,
        features=params.features,
        encoding=params.encoding,
        missing=params.missing,
        decimal=params.decimal,
        separator=params.separator,
        roles=params.roles,
    )
    table = read_table_samples(path, rules)
    factors: Factors = {}
    columns = dict(table.roles)
    if params.metadata is not None:
        elsewhere = {name: role for name, role in params.roles.items() if name not in columns}
        known = read_metadata(from_root(params.metadata), table.n_rows, roles=elsewhere)
        factors, others = ({name: values[table.rows] for name, values in part.items()} for part in known)
        columns |= others
    roles = _roles(params, columns, [*table.columns, *factors, *columns], str(path))
    target = _target(params, table.labels, f"{path}: column '{params.target}'", None)
    return Samples(MemoryRows(table.X), target, str(path), factors, table.details, table.notes, roles)


def _from_function(params: CustomParams, path: str) -> Samples:
    made = call_function(path, params.arguments)
    X, labels = (_as_array(made[name], f"{path}: {name}") for name in ("X", "y"))
    names = made.get("class_names")
    factors = made.get("factors") or {}
    if names is not None and not (isinstance(names, list | tuple) and all(isinstance(n, str) for n in names)):
        raise DataError(f"{path}: expected class_names to be a list of text, found {type(names).__name__}")
    if not isinstance(factors, Mapping):
        raise DataError(f"{path}: expected factors to be a dict of arrays, found {type(factors).__name__}")
    arrays = {str(name): _as_array(values, f"{path}: factor {name}") for name, values in factors.items()}
    listed = None if names is None else list(names)
    return _from_arrays(params, path, MemoryRows(X), labels, listed, _checked_factors(arrays, path))


def _as_array(values: Any, where: str) -> Array:
    try:
        array: Array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: expected an array, found {type(values).__name__} ({error})") from None
    if array.dtype.hasobject and all(isinstance(value, str) for value in array.flat):
        return array.astype(str)  # a column of a data frame
    if array.dtype.hasobject:
        raise DataError(f"{where}: expected an array of numbers or text, found Python objects")
    return array


_FILES: dict[str, tuple[Callable[[CustomParams, Path], Samples], set[str]]] = {
    ".npz": (_read_npz, set()),
    ".npy": (_read_npy, {"target"}),
    ".csv": (_read_table, TABLE | {"separator"}),
    ".parquet": (_read_table, TABLE),
}
