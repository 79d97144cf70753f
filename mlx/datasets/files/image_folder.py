"""Images in a folder a class, decoded block by block."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.errors import DataError
from mlx.core.paths import what_is
from mlx.datasets.dataset import Factors
from mlx.datasets.files.decoding import SUFFIXES, UnreadableImageError, decode, image_size, in_parallel

NAMED_AT_MOST = 5

InParallel: TypeAlias = Callable[[Callable[[Path], Any], Iterable[Path]], Iterator[Any]]


@dataclass(frozen=True)
class ImageFolder:
    """What a folder of images holds.

    Attributes
    ----------
    root
        The folder.
    class_names
        Its subfolders, sorted.
    files
        The images relative to it, class by class, sorted.
    labels
        The class of each, int64 of shape (images,).
    passed_over
        Other entries beside the classes and among the images, relative to `root`.
    parts
        The part of each image where the folder is divided into parts; None where it is not.
    run
        How images are read, on all cores or one after the other.
    """

    root: Path
    class_names: tuple[str, ...]
    files: tuple[str, ...]
    labels: Array
    passed_over: tuple[str, ...]
    parts: Array | None = None
    run: InParallel = in_parallel

    def __getstate__(self) -> dict[str, Any]:
        """Let another process find the folder."""
        return vars(self) | {"root": self.root.absolute()}

    def notes(self) -> list[str]:
        """Return a line on what was passed over, by kind; none where there was nothing."""
        if not self.passed_over:
            return []
        kinds = Counter(map(_kind, self.passed_over)).most_common(NAMED_AT_MOST)
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds)
        entries = "1 entry" if len(self.passed_over) == 1 else f"{len(self.passed_over)} entries"
        shown = next(name for name in self.passed_over if _kind(name) == kinds[0][0])
        return [
            f"{self.root}: passed over {entries} beside {len(self.files)} images ({listed}), such as {shown}; only "
            f"files ending in {', '.join(SUFFIXES)} that lie in the folder of a class itself are read"
        ]

    def paths(self, index: Indices | None = None) -> Iterator[Path]:
        """Yield where the images `index` are, all where it is None; a million paths at once are half a GB."""
        return (self.root / self.files[row] for row in (range(len(self.files)) if index is None else index))

    def read(self, size: tuple[int, int], channels: int, index: Indices, rows: int) -> Iterator[Array]:
        """Yield the images `index`, `rows` at a time, uint8 of shape (rows, height, width, channels).

        Raises
        ------
        DataError
            If some can't be read: raised after all were tried, so that it can name and count them.
        """
        block = np.empty((min(rows, len(index)), *size, channels), np.uint8)
        filled, bad = 0, []
        for file, image in zip(self.paths(index), self._decoded(index, size, channels), strict=True):
            if isinstance(image, UnreadableImageError):
                bad.append(f"{file} ({image})")
                continue
            if bad:
                continue
            block[filled] = image
            filled += 1
            if filled == len(block):
                yield block
                block, filled = np.empty_like(block), 0
        if bad:
            raise DataError(_unreadable(self.root, bad, len(index)))
        if filled:
            yield block[:filled]

    def _decoded(
        self, index: Indices | None, size: tuple[int, int], channels: int
    ) -> Iterator[Array | UnreadableImageError]:
        return self.run(partial(_image_or_error, size=size, channels=channels), self.paths(index))

    def file_measures(self, index: Indices) -> Factors:
        """Return ``aspect``, width divided by height, and ``file_size``, in bytes, of the images `index`, as stored."""
        sizes = np.array(list(self.run(image_size, self.paths(index))), np.float64).reshape(-1, 2)
        file_size = np.array([path.stat().st_size for path in self.paths(index)], np.int64)
        return {"aspect": sizes[:, 1] / sizes[:, 0], "file_size": file_size}

    def without_unreadable(self) -> "tuple[ImageFolder, list[str]]":
        """Return the folder without the images that can't be read, and the names of those.

        Each image is decoded for it: a truncated JPEG looks like any other up to the point where it ends.
        """
        tried = self._decoded(None, (8, 8), 3)
        good = np.array([not isinstance(image, UnreadableImageError) for image in tried])
        files = tuple(file for file, whole in zip(self.files, good, strict=True) if whole)
        parts = None if self.parts is None else self.parts[good]
        kept = replace(self, files=files, labels=self.labels[good], parts=parts)
        for label, name in enumerate(self.class_names):
            if not (kept.labels == label).any():
                raise DataError(f"{self.root / name}: expected images, found only such as can't be read")
        return kept, [file for file, whole in zip(self.files, good, strict=True) if not whole]

    def common_size(self) -> tuple[int, int]:
        """Return height and width of the images, if all have the same.

        Raises
        ------
        DataError
            If they differ, or some can't be read.
        """
        first: tuple[Path, tuple[int, int]] | None = None
        bad = []
        for path, size in zip(self.paths(), self.run(_size_or_error, self.paths()), strict=True):
            if isinstance(size, UnreadableImageError):
                bad.append(f"{path} ({size})")
                continue
            first = first or (path, size)
            if size != first[1]:
                raise DataError(
                    f"{self.root}: expected images of one size, or dataset.params.image_size to scale them; "
                    f"found {_by(first[1])} ({first[0].relative_to(self.root)}) and {_by(size)} "
                    f"({path.relative_to(self.root)})"
                )
        if bad or first is None:
            raise DataError(_unreadable(self.root, bad, len(self.files)))
        return first[1]


def list_images(root: Path, *, least: int = 2) -> ImageFolder:
    """List the images in the subfolders of `root`, by name alone: nothing is opened.

    Hidden files and folders, and those that systems put beside images (`NO_CLASSES`), are passed over; of the
    others those ending in .jpg, .jpeg or .png are images.

    Raises
    ------
    DataError
        If there are fewer than `least` subfolders, one has no image or a name that is not UTF-8, or an image is
        no file, such as a pipe, from which nothing may ever come.
    """
    folders: list[str] = []
    beside: list[str] = []
    for entry in _sorted(root):
        is_class = _leads_to_folder(entry) and not _is_hidden(entry.name) and entry.name.lower() not in NO_CLASSES
        if is_class:
            folders.append(entry.name)
        else:
            beside.append(_shown(entry))
    if len(folders) < least:
        found = f"only {folders[0]}" if folders else "none"
        classes = "each of at least two classes" if least > 1 else "a class"
        raise DataError(f"{root}: expected a subfolder of images for {classes}, found {found}")
    files: list[str] = []
    passed_over: list[str] = []
    counts = []
    for name in folders:
        _check_name(root, name)
        images, others = _divided(root / name)
        if not images:
            raise DataError(f"{root / name}: expected images ({', '.join(SUFFIXES)}), found {_what(others)}")
        files += [f"{name}/{item}" for item in images]
        passed_over += [f"{name}/{item}" for item in others]
        counts.append(len(images))
    labels = np.repeat(np.arange(len(folders), dtype=np.int64), counts)
    return ImageFolder(root, tuple(folders), tuple(files), labels, (*passed_over, *beside))


NO_CLASSES = frozenset(
    {"__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "__pycache__"}
)
"""Folders that systems and archives add, in lower case."""


def _sorted(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a link to one; a loop of links is not."""
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def _shown(entry: os.DirEntry[str]) -> str:
    """Return the name of an entry, with a slash behind that of a folder."""
    return f"{entry.name}/" if _leads_to_folder(entry) else entry.name


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _divided(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the images in a class's folder, and of everything else there."""
    images, others = [], []
    for entry in _sorted(folder):
        if _is_hidden(entry.name) or not entry.name.lower().endswith(SUFFIXES) or _leads_to_folder(entry):
            others.append(_shown(entry))
            continue
        path = folder / entry.name
        plain = not entry.is_symlink() and entry.is_file()
        if not plain and path.exists() and not path.is_file():  # a link to nothing is an image that can't be read
            raise DataError(f"{path}: expected an image, found {what_is(path)}; remove it")
        images.append(entry.name)
    return images, others


def _check_name(root: Path, name: str) -> None:
    """Reject a name that is not UTF-8 and can't be written to a report: file systems allow any bytes."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError(f"{root}: expected class folders with names in UTF-8, found {os.fsencode(name)!r}") from None


def _kind(name: str) -> str:
    last = Path(name).name
    if _is_hidden(last):
        return "hidden"
    if name.endswith("/"):
        return "folder(s)"
    return Path(last).suffix.lower()[:12] or "without a suffix"


def _what(inside: Sequence[str]) -> str:
    if not inside:
        return "an empty folder"
    open_ones = [name for name in inside if not _is_hidden(name)]
    if open_ones:
        return f"{len(inside)} other entries, such as {open_ones[0]}"
    return f"{len(inside)} hidden entries, such as {inside[0]}"


def _image_or_error(path: Path, size: tuple[int, int], channels: int) -> Array | UnreadableImageError:
    try:
        return decode(path, size, channels)
    except UnreadableImageError as error:
        return error


def _size_or_error(path: Path) -> tuple[int, int] | UnreadableImageError:
    try:
        return image_size(path)
    except UnreadableImageError as error:
        return error


def _unreadable(root: Path, bad: Sequence[str], tried: int) -> str:
    more = f" and {len(bad) - NAMED_AT_MOST} more" if len(bad) > NAMED_AT_MOST else ""
    return (
        f"{root}: expected JPEG or PNG images, found {len(bad)} of {tried} that can't be read: "
        f"{', '.join(bad[:NAMED_AT_MOST])}{more}; mend or remove them, or set "
        "dataset.params.skip_corrupt: true"
    )


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
