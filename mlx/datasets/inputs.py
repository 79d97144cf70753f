"""The files and folders that a dataset is read from, and what identifies their content."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlx.core.descriptions import InputDescription
from mlx.core.paths import from_root, what_is
from mlx.core.reading import digest_of_file
from mlx.core.user_code import function_file, names_function
from mlx.datasets.custom.source import targets_file
from mlx.datasets.dataset import Dataset
from mlx.datasets.settings import DatasetSettings


def inputs_of(settings: DatasetSettings) -> dict[str, Path]:
    """Return each file and folder that the settings name, by its key; of a function, its file.

    Empty for generated and installed data, and for files in the download cache, which `inputs_read` tells.
    """
    found: dict[str, Path] = {}
    if settings.path is not None:
        named = function_file(settings.path) if names_function(settings.path) else settings.path
        found["dataset.path"] = from_root(named)
    for name in ("test_path", "metadata"):
        if (other := settings.params.get(name)) is not None:
            found[f"dataset.params.{name}"] = from_root(other)
    if (path := found.get("dataset.path")) and path.suffix.lower() == ".npy" and settings.params.get("target"):
        found["dataset.params.target"] = targets_file(path, settings.params["target"])
    return found


def inputs_read(settings: DatasetSettings, opened: Dataset) -> dict[str, InputDescription]:
    """Describe each file and folder that samples are read from, by the key that names them.

    Files in the download cache are named by ``dataset.name``.
    """
    named = {key: fingerprint(path) for key, path in inputs_of(settings).items()}
    if settings.path is None and opened.files:
        cached = {file.name: file for file in sorted(opened.files)}
        named["dataset.name"] = _described(opened.files[0] if len(cached) == 1 else opened.files[0].parent, cached)
    return named


def fingerprint(path: Path) -> InputDescription:
    """Return size and SHA-256 of a file, or of all files in a folder and its subfolders; read in blocks.

    The hash of a folder is that of a line per file, its own hash, two blanks and its name, sorted by name, which is
    what ``find * -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`` prints in it.
    """
    return _described(path, dict(_files(path)))


def _described(path: Path, files: Mapping[str, Path]) -> InputDescription:
    digests = {name: digest_of_file(file) for name, file in files.items()}
    if path.is_dir():
        lines = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
        digest = hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()
    else:
        digest = digests[path.name]
    size = sum(file.stat().st_size for file in files.values())
    return InputDescription(path=str(path), files=len(files), bytes=size, sha256=digest)


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the regular files at or below `path`, links followed, sorted by the bytes of their names."""
    if path.is_file():
        yield path.name, path
        return
    named: dict[str, Path] = {}
    seen: set[str] = set()
    for place, folders, names in os.walk(path, followlinks=True):
        if (real := os.path.realpath(place)) in seen:  # a link to a folder around it
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        files = (Path(place) / name for name in names)
        named |= {file.relative_to(path).as_posix(): file for file in files if file.is_file()}
    yield from sorted(named.items(), key=lambda item: item[0].encode(errors="surrogateescape"))


def changes(read: Mapping[str, InputDescription], settings: DatasetSettings) -> Iterator[str]:
    """Yield a line on each input whose content differs from what was `read`, or that is no longer there."""
    for key, path in inputs_of(settings).items():
        if (before := read.get(key)) is None:
            continue
        if not path.exists():
            yield f"{key}: {path} was read, and there is {what_is(path)} now"
            continue
        now = fingerprint(path)
        if now.sha256 != before.sha256:
            yield f"{key}: {path} has changed: {before.text()} when it was read, {now.text()} now"
