"""Folders of images that are published in parts: ``train/`` beside ``test/`` or ``val/``, or two folders."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlx.core.errors import DataError
from mlx.core.settings import nearest
from mlx.datasets.files.decoding import SUFFIXES
from mlx.datasets.files.image_folder import ImageFolder, list_images


def list_image_set(root: Path, test: Path | None = None) -> ImageFolder:
    """List the images of a folder, as `list_images`, with the part of each where it is divided into parts.

    A folder is divided if it has ``train/`` with a subfolder for each class, and ``test/`` or ``val/`` likewise.
    Without ``test/``, or where that has no subfolders, as its labels are not published, ``val/`` is the test part;
    with both, it is the validation part.

    Parameters
    ----------
    test
        A folder with the test part of `root`, in place of that.

    Raises
    ------
    DataError
        As `list_images`; or another part has a class that the training part lacks, or is given twice. It may lack some.
    """
    folders = _divided(root)
    if test is not None:
        if folders:
            raise DataError(
                f"dataset.params.test_path: expected none, as {root} has a part {folders['test'].name}/ of its own, "
                f"found {test}; set dataset.path to {folders['train']} for another one"
            )
        folders = {"train": root, "test": test}
    if not folders:
        return list_images(root)
    return _joined(root, {p: list_images(folder, least=2 if p == "train" else 1) for p, folder in folders.items()})


def _divided(root: Path) -> dict[str, Path]:
    """Return the folder of each part; empty where the folder is not divided."""
    found = {part: root / part for part in ("train", "val", "test") if _has_classes(root / part)}
    if "train" not in found or len(found) < 2:
        return {}
    if "test" not in found:
        return {"train": found["train"], "test": found["val"]}
    return found


def _has_classes(folder: Path) -> bool:
    """Whether a folder has subfolders and no images beside them."""
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        kinds = {entry.is_dir() for entry in entries if entry.is_dir() or entry.name.lower().endswith(SUFFIXES)}
    return kinds == {True}


def _joined(root: Path, listed: dict[str, ImageFolder]) -> ImageFolder:
    """Return all parts as one folder, whose files are relative to `root`."""
    classes = listed["train"].class_names
    files: list[str] = []
    beside: list[str] = []
    labels, parts = [], []
    for part, folder in listed.items():
        if unknown := [name for name in folder.class_names if name not in classes]:
            raise DataError(
                f"{folder.root}: expected the classes of {listed['train'].root}, found '{unknown[0]}' beside them"
                f"{nearest(unknown[0], classes)}"
            )
        place = "" if folder.root == root else f"{Path(os.path.relpath(folder.root, root)).as_posix()}/"
        files += [f"{place}{file}" for file in folder.files]
        beside += [f"{place}{entry}" for entry in folder.passed_over]
        labels.append(np.array([classes.index(name) for name in folder.class_names], np.int64)[folder.labels])
        parts += [part] * len(folder.files)
    return replace(
        listed["train"],
        root=root,
        files=tuple(files),
        labels=np.concatenate(labels),
        passed_over=tuple(beside),
        parts=np.array(parts, dtype=object),
    )
