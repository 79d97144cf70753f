"""``custom``: the user's own arrays, tables, folders of images, or a function."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import from_root, what_is
from mlx.core.user_code import names_function
from mlx.datasets.custom.formats import CSV_SUFFIXES, TABLE_SUFFIXES, TYPED_SUFFIXES, suffix_of
from mlx.datasets.custom.function import call_function
from mlx.datasets.custom.metadata import read_metadata
from mlx.datasets.custom.params import EVERY, LABELED, TABLE, CustomParams, reject_unused
from mlx.datasets.custom.rows import MemoryRows
from mlx.datasets.custom.samples import Samples, samples_dataset
from mlx.datasets.custom.stored_arrays import (
    StoredArrays,
    checked_factors,
    columns_with_gaps,
    read_folder,
    read_npz,
    read_pair,
    with_test_part,
)
from mlx.datasets.custom.table_rules import TableRules
from mlx.datasets.custom.table_samples import TableSamples, read_table_samples
from mlx.datasets.custom.targets import Target, build_target
from mlx.datasets.dataset import Dataset, Factors
from mlx.datasets.files.divided_folder import list_image_set
from mlx.datasets.files.download import existing_folder
from mlx.datasets.files.folder_set import ImageForm, open_image_folder
from mlx.datasets.roles import Roles, reject_absent, role_values


def open_custom(params: CustomParams, path: str | None) -> Dataset:
    """Open `path`: an ``.npz`` or ``.npy`` file, a table, a folder, or ``file.py:name``.

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
    suffix = suffix_of(place)
    if suffix not in _FILES:
        raise DataError(f"dataset.path: {path}: expected {_KNOWN}, found a file ending in '{place.suffix}'")
    read, used = _FILES[suffix]
    reject_unused(params, LABELED | used, f"a {suffix} file")
    return samples_dataset(read(params, place), params)


_KNOWN = (
    "an .npz, .npy, .csv, .tsv, .json, .jsonl, .parquet or .feather file, a folder with X.npy and y.npy, a folder with "
    "a subfolder of images for each class, or file.py:name"
)


def _from_folder(params: CustomParams, folder: Path) -> Dataset:
    if (folder / "X.npy").is_file():
        reject_unused(params, LABELED | {"test_path"}, "a folder with X.npy and y.npy")
        return samples_dataset(_with_test(params, folder), params)
    used = EVERY | {"image_size", "channels", "skip_corrupt", "test_path"}
    reject_unused(params, used, "a folder of images, whose subfolders are the classes")
    form = ImageForm(params.image_size, params.channels, params.skip_corrupt)
    metadata = None if params.metadata is None else from_root(params.metadata)
    test = None if params.test_path is None else existing_folder(params.test_path, CONTENT, TEST_PATH)
    return open_image_folder("custom", list_image_set(folder, test), params, form, metadata, params.roles)


CONTENT = "a subfolder of images for each class"
TEST_PATH = "dataset.params.test_path"


def _with_test(params: CustomParams, path: Path) -> Samples:
    """Return the arrays in an ``.npz`` file or a folder, and after them those of the test part, if one is given."""
    found = _read_arrays(path)
    if params.test_path is not None:
        test = from_root(params.test_path)
        if not ((test / "X.npy").is_file() if test.is_dir() else suffix_of(test) == ".npz"):
            raise _no_test_part(test, f"an .npz file, or a folder with X.npy and y.npy, beside {path}")
        found = with_test_part(found, _read_arrays(test))
    return _from_arrays(params, found)


def _read_arrays(path: Path) -> StoredArrays:
    return read_folder(path) if path.is_dir() else read_npz(path)


def _test_table(params: CustomParams, path: Path) -> Path | None:
    """Return the table with the test part, of any format; None where none is given."""
    if params.test_path is None:
        return None
    test = from_root(params.test_path)
    if not test.is_file() or suffix_of(test) not in TABLE_SUFFIXES:
        raise _no_test_part(test, f"a table ({', '.join(TABLE_SUFFIXES)}) beside {path}")
    return test


def _no_test_part(path: Path, wanted: str) -> DataError:
    found = f"a file ending in '{path.suffix}'" if path.is_file() else what_is(path)
    return DataError(f"{TEST_PATH}: {path.absolute()}: expected {wanted}, found {found}")


def _from_arrays(params: CustomParams, found: StoredArrays) -> Samples:
    """Combine what was read; names and factors in the settings take precedence over those in the file."""
    target = _target(params, found.labels, found.where, found.class_names)
    known, columns = _known(params, dict(found.factors), len(target.y), found.where)
    roles = replace(_roles(params, columns, [*known, *columns], found.where), parts=found.parts)
    return Samples(found.X, target, found.where, known, roles=roles, columns=columns_with_gaps(found.X))


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


def _read_npy(params: CustomParams, path: Path) -> Samples:
    if params.target is None:
        raise SettingsError(
            f"expected the .npy file with the targets of {path}, found nothing",
            key=("dataset", "params", "target"),
        )
    return _from_arrays(params, read_pair(path, targets_file(path, params.target), str(path)))


def targets_file(path: Path, target: str) -> Path:
    """Return the file with the targets of the ``.npy`` file `path`: beside it, or from the root of the repository."""
    beside = path.parent / target
    return beside if beside.exists() else from_root(target)


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
        decimal=params.decimal,
        separator=params.separator,
        roles=params.roles,
    )
    table = _table(params, path, rules)
    factors: Factors = {}
    columns, known = dict(table.roles), table.X.known
    if params.metadata is not None:
        elsewhere = {name: role for name, role in params.roles.items() if name not in columns}
        read = read_metadata(from_root(params.metadata), len(known), roles=elsewhere)
        factors, others = ({name: values[known] for name, values in part.items()} for part in read)
        columns |= others
    parts = None if params.test_path is None else _parts_of(params, known, table.n_first, path)
    names = [column.name for column in table.columns]
    roles = replace(_roles(params, columns, [*names, *factors, *columns], str(path)), parts=parts)
    target = build_target(
        table.labels.values,
        task=params.task,
        class_names=params.class_names,
        where=f"{path}: column '{params.target}'",
        codes=table.labels.codes,
    )
    where = str(path) if params.test_path is None else f"{path} and {params.test_path}"
    described = tuple(_as_target(column, target) if column.use == "target" else column for column in table.columns)
    details = {"written": table.written} if table.written else {}
    return Samples(table.X, target, where, factors, details, table.notes, roles, described)


def _parts_of(params: CustomParams, known: Array, n_first: int, path: Path) -> Array:
    """Return the part of each row whose target is known; there has to be one of each file."""
    parts = np.where(np.arange(len(known)) < n_first, "train", "test").astype(object)[known]
    for part, file in (("train", path), ("test", params.test_path)):
        if not (parts == part).any():
            raise DataError(f"{file}: expected a row with a value of the target '{params.target}', found none")
    return parts


def _as_target(column: ColumnDescription, target: Target) -> ColumnDescription:
    names = list(target.class_names)
    return column.model_copy(update={"kind": "categorical" if names else "numeric", "categories": names})


def _table(params: CustomParams, path: Path, rules: TableRules) -> TableSamples:
    test = _test_table(params, path)
    try:
        return read_table_samples(path, rules, test)
    except DataError as error:
        if test is None:
            raise
        raise DataError(f"{error}; rows of {params.test_path} are counted after those of {path}") from None


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
    return _from_arrays(params, StoredArrays(MemoryRows(X), labels, path, listed, checked_factors(arrays, path)))


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
    ".npz": (_with_test, {"test_path"}),
    ".npy": (_read_npy, {"target"}),
    **dict.fromkeys(CSV_SUFFIXES, (_read_table, TABLE | {"separator"})),
    **dict.fromkeys(TYPED_SUFFIXES, (_read_table, TABLE)),
}
