"""What identifies the result of a step: configuration, code, data and library versions of it and of all steps before.

Steps of two runs with the same key write the same bytes, so that one of them is enough.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import mlx
from mlx.config import ExperimentConfig
from mlx.core.reading import digest_of_file, digest_of_values
from mlx.core.stage import optional_sections, sections_of
from mlx.core.versions import versions
from mlx.datasets.inputs import fingerprint, inputs_of
from mlx.experiment import NAMES
from mlx.models.catalogue import MODELS
from mlx.pipeline.steps import STEPS

DATA = ("core", "datasets", "preprocessing", "received")
MODELING = (*DATA, "models", "training", "representations")
ANALYSIS = (*MODELING, "stats", "results", "evaluation", "residuals")
ROOMS: Mapping[str, tuple[str, ...]] = {
    "generate-data": DATA,
    "preprocess-split": DATA,
    "train": MODELING,
    "extract-representations": MODELING,
    "evaluate": ANALYSIS,
    "residuals-analysis": ANALYSIS,
}
"""The folders of this package with the code of each step of a study; the report is drawn when it is asked for."""

BESIDE: Mapping[str, tuple[str, ...]] = {"extract-representations": ("recorded_rows",)}
"""Further modules of a step before the analysis."""


def step_keys(config: ExperimentConfig, steps: Iterable[str] = ROOMS, *, threads: int = 1) -> dict[str, str]:
    """Return the key of each step, 64 hexadecimal digits; that of a TensorFlow model depends on its `threads`, too.

    Raises
    ------
    OSError
        A file of the data can't be read.
    """
    keys: dict[str, str] = {}
    key = ""
    isolated = needs_own_process(config.model.name)
    for name in steps:
        step = STEPS[NAMES.index(name)]
        idle = optional_sections(step)
        sections = {section: getattr(config, section).as_dict() for section in sections_of(step) if section not in idle}
        read: dict[str, Any] = {}
        if name == "generate-data":
            read = {at: _content(path) for at, path in inputs_of(config.dataset).items()}
        elif name == "train":
            read = {at: _content(path) for at, path in config.model.files().items()}
        if name == "train" and isolated:
            read["threads"] = threads
        used = versions_used(keras=isolated and ROOMS[name] != DATA)
        key = digest_of_values([key, name, sections, read, _code(name), used])
        keys[name] = key
    return keys


@cache
def versions_used(*, keras: bool) -> dict[str, str]:
    """Return the versions of the libraries that numbers depend on, those of Keras only for what uses it."""
    unused = {"matplotlib"} if keras else {"matplotlib", "tensorflow", "keras"}
    return {name: found for name, found in versions().items() if name not in unused}


def needs_own_process(model: str) -> bool:
    """Return whether a model is of a library that keeps memory of every model that a process makes."""
    return MODELS[model].library not in OWN_LIBRARIES


OWN_LIBRARIES = frozenset({"in_numpy", "in_sklearn", "own_sklearn", "recorded"})
"""Subpackages of `mlx.models` that need no TensorFlow."""


@cache
def _code(step: str) -> str:
    """Return a digest of the source of a step, and of all that it can import."""
    package = Path(mlx.__file__).parent
    rooms = [file for room in ROOMS[step] for file in (package / room).rglob("*.py")]
    files = sorted([*rooms, *pipeline_modules(step)], key=lambda file: file.as_posix())
    return digest_of_values([[file.relative_to(package).as_posix(), digest_of_file(file)] for file in files])


def pipeline_modules(step: str) -> list[Path]:
    """Return the modules of a step, and those that steps of the analysis share."""
    modules = (Path(mlx.__file__).parent / "pipeline").glob("*.py")
    own, shared = {step.replace("-", "_"), *BESIDE.get(step, ())}, ROOMS[step] == ANALYSIS
    steps = {name.replace("-", "_") for name in NAMES}
    return [file for file in modules if file.stem in own or (shared and file.stem not in steps)]


def _content(path: Path) -> str:
    """Return a digest of a file or folder, read once for all runs unless it changes."""
    status = path.stat()
    return _content_at(path, status.st_mtime_ns, status.st_size) if path.is_file() else _of_folder(path)


@cache
def _content_at(path: Path, _changed: int, _size: int) -> str:
    return fingerprint(path).sha256


@cache
def _of_folder(path: Path) -> str:
    return fingerprint(path).sha256
