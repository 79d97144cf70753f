"""Finds published files in the user's folder or in Keras's download cache, which is filled on request."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlx.core.console import note
from mlx.core.errors import DataError
from mlx.core.paths import from_root, what_is


@dataclass(frozen=True)
class Layout:
    """A form in which a set is published.

    Attributes
    ----------
    kind
        Its name in descriptions and messages.
    files
        The files that it needs, each with all names that it goes by, the original one first.
    folders
        The folders that its archive unpacks to; its files are looked for there too.
    """

    kind: str
    files: tuple[tuple[str, ...], ...]
    folders: tuple[str, ...] = ()

    def places(self, folder: Path) -> list[Path]:
        """Return the folders in `folder` that may hold the files."""
        return [folder, *(folder / name for name in self.folders)]

    def found(self, folder: Path) -> list[Path]:
        """Return those of the files that are directly in `folder`, in order."""
        named = ([folder / name for name in names if (folder / name).is_file()] for names in self.files)
        return [paths[0] for paths in named if paths]

    def missing(self, folder: Path) -> list[str]:
        """Return the original names of those that are not."""
        return [names[0] for names in self.files if not any((folder / name).is_file() for name in names)]


MD5_DIGITS = 32


@dataclass(frozen=True)
class Download:
    """A file to fetch: its address, its checksum, and its place in the cache, which is that of Keras.

    Attributes
    ----------
    name
        Its name in the cache; for an archive the folder that it is unpacked to.
    url
        Where it is published.
    checksum
        SHA-256 or MD5 of the file, in hexadecimal.
    folder
        Folder of the cache, below ``datasets``.
    archive
        Whether it is unpacked.
    """

    name: str
    url: str
    checksum: str
    folder: str = ""
    archive: bool = False


def cache_folder() -> Path:
    """Return the folder for datasets in Keras's cache, found without importing Keras."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"


def locate(
    name: str,
    path: str | None,
    layouts: Sequence[Layout],
    downloads: Sequence[Download],
    *,
    download: bool,
) -> tuple[Layout, list[Path]]:
    """Return the layout in which the set `name` is found, and the paths of its files.

    With a `path`, only that folder is looked into. Without, Keras's cache is, and what is missing there
    is fetched where `download` allows it.

    Raises
    ------
    DataError
        If the files are missing: the message names them and the folders, and where to put them; or if
        a download fails or does not have the published checksum.
    """
    if path is not None:
        return _in_folder(name, existing_folder(path, f"the files of {name}"), layouts)
    folders = list(dict.fromkeys(cache_folder() / item.folder for item in downloads)) or [cache_folder() / name]
    folders += [folder / item.name for folder in list(folders) for item in downloads if item.archive]
    if found := _whole(folders, layouts):
        return found
    failed = ""
    if download:
        try:
            for item in downloads:
                _fetch(item)
        except _FailedError as error:
            failed = f"could not download {error}; "
        if found := _whole(folders, layouts):
            return found
    raise DataError(f"dataset {name}: {failed}{_absent(folders, layouts, downloads, offered=not download)}")


def existing_folder(path: str | Path, content: str, key: str = "dataset.path") -> Path:
    """Return `path`, which the setting `key` gives, as an existing folder.

    Raises
    ------
    DataError
        If it is not, or is a file.
    """
    folder = from_root(path)
    if not folder.is_dir():
        raise DataError(f"{key}: {folder.absolute()}: expected a folder with {content}, found {what_is(folder)}")
    return folder


def _whole(folders: Iterable[Path], layouts: Sequence[Layout]) -> tuple[Layout, list[Path]] | None:
    for folder in folders:
        for layout in layouts:
            for place in layout.places(folder):
                if not layout.missing(place):
                    return layout, layout.found(place)
    return None


def _in_folder(name: str, folder: Path, layouts: Sequence[Layout]) -> tuple[Layout, list[Path]]:
    if found := _whole([folder], layouts):
        return found
    for layout in layouts:
        for place in layout.places(folder):
            if layout.found(place):  # a part is there: say what the rest is
                missing = ", ".join(layout.missing(place))
                raise DataError(f"dataset.path: {place}: expected all {layout.kind} of {name}, missing {missing}")
    raise DataError(f"dataset.path: {folder}: expected {_wanted(layouts)}, found none of them{_packed(folder)}")


def _wanted(layouts: Sequence[Layout]) -> str:
    return ", or ".join(f"the {layout.kind} ({', '.join(names[0] for names in layout.files)})" for layout in layouts)


def _packed(folder: Path) -> str:
    archives = sorted(item.name for item in folder.iterdir() if item.name.endswith((".tar.gz", ".tgz", ".zip")))
    return f"; unpack {archives[0]} first" if archives else ""


def _absent(folders: Sequence[Path], layouts: Sequence[Layout], downloads: Sequence[Download], *, offered: bool) -> str:
    looked = ", ".join(map(str, folders))
    text = (
        f"its files are not there; looked in {looked} for {_wanted(layouts)}; put them into a folder and set "
        "dataset.path to it"
    )
    if not downloads or not offered:
        return text
    urls = ", ".join(item.url for item in downloads)
    return f"{text}, or set dataset.params.download: true to fetch them from {urls}"


class _FailedError(Exception):
    """A failed download: its text is the address and the reason."""


def _fetch(item: Download) -> None:
    """Fetch a file into the cache unless it is there, and unpack it."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    note(f"fetching {item.url}")
    algorithm = "md5" if len(item.checksum) == MD5_DIGITS else "sha256"
    try:
        pooch.retrieve(
            item.url,
            known_hash=f"{algorithm}:{item.checksum}",
            fname=item.url.rpartition("/")[2] if item.archive else item.name,
            path=cache_folder() / item.folder,
            processor=pooch.Untar(extract_dir=item.name) if item.archive else None,
            downloader=pooch.HTTPDownloader(progressbar=sys.stderr.isatty()),
        )
    except (OSError, ValueError) as error:  # the last of another checksum
        raise _FailedError(f"{item.url}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return why a connection failed, without the libraries' wrappers."""
    inner = error.args[0] if error.args else error
    return " ".join(str(getattr(inner, "reason", None) or error).split())
