"""Writes the files that a configuration names into the dependencies in ``dvc.yaml``, and removes them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from mlx.config import ExperimentConfig
from mlx.core.artifacts import write_bytes
from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import what_is
from mlx.core.settings import yaml_text
from mlx.core.user_code import names_function
from mlx.datasets.inputs import inputs_of

STAGES = ("generate-data", "train", "extract-representations")
"""The stages that read files of the user's."""

PIPELINE = Path("dvc.yaml")
MARK = "# mlx watch"
"""Ends each line that was written here, and no other."""


def files_of(config: ExperimentConfig) -> dict[str, dict[str, Path]]:
    """Return the files and folders that each stage reads beside its artifacts, by the key that names them."""
    models = config.model.files()
    own = models if names_function(config.model.architecture or "") else {}  # which also restores the model
    return {"generate-data": inputs_of(config.dataset), "train": models, "extract-representations": own}


def watch(config: ExperimentConfig) -> dict[str, list[str]]:
    """Let stages depend on the files and folders that `config` names, in place of others; return them.

    Raises
    ------
    SettingsError
        It names no file.
    DataError
        There is no file or folder, DVC can't depend on it, or ``dvc.yaml`` is not that of the pipeline.
    """
    files = files_of(config)
    if not any(files.values()):
        raise SettingsError(
            f"expected a path to files or a folder, found none: {config.dataset.name} and {config.model.name} read no "
            "file of yours, so there is nothing to watch ('mlx watch --remove' removes what was watched before)",
            key=("dataset", "path"),
        )
    text = _read_pipeline()
    outputs = _outputs(text)
    paths = {
        stage: list(dict.fromkeys(_dependency(key, path, outputs) for key, path in named.items()))
        for stage, named in files.items()
    }
    _write_pipeline(text, with_watched(text, paths))
    return {stage: named for stage, named in paths.items() if named}


def unwatch() -> dict[str, list[str]]:
    """Remove what `watch` wrote; return it."""
    text = _read_pipeline()
    rest = with_watched(text, {})
    _write_pipeline(text, rest)
    removed = {
        stage: [path for path in _dependencies(text, stage) if path not in _dependencies(rest, stage)]
        for stage in STAGES
    }
    return {stage: paths for stage, paths in removed.items() if paths}


def with_watched(text: str, paths: Mapping[str, Iterable[str]]) -> str:
    """Return `text`, a ``dvc.yaml``, with `paths` of stages as their dependencies that are marked as watched.

    Every other line stays as it is. A path that is a dependency without a mark is not written twice.
    """
    lines = [line for line in text.splitlines(keepends=True) if not line.rstrip().endswith(MARK)]
    for stage, new in paths.items():
        lines = _with_dependencies(lines, stage, new)
    return "".join(lines)


def _with_dependencies(lines: list[str], stage: str, paths: Iterable[str]) -> list[str]:
    lines = [*lines]
    node = _sequence("".join(lines), stage)
    there = {item.value for item in node.value}
    last = node.value[-1].end_mark.line
    ending = "\r\n" if lines[0].endswith("\r\n") else "\n"
    new = [path for path in paths if path not in there]
    if new:
        lines[last] = lines[last].rstrip("\r\n") + ending  # the last line of a file may have no end
    lines[last + 1 : last + 1] = [f"{' ' * node.start_mark.column}- {yaml_text(path)} {MARK}{ending}" for path in new]
    return "".join(lines).splitlines(keepends=True)


def _sequence(text: str, stage: str) -> yaml.SequenceNode:
    """Return the list of dependencies of a stage."""
    try:
        node: yaml.Node | None = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise DataError(f"{PIPELINE}: not valid YAML: {' '.join(str(error).split())}") from None
    for key in ("stages", stage, "deps"):
        members = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in members if name.value == key), None)
    if not (isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value):
        raise DataError(
            f"{PIPELINE}: expected the dependencies of {stage} (stages, {stage}, deps), each on a line of its own, "
            "found none; take the dvc.yaml of this project"
        )
    return node


def _dependencies(text: str, stage: str) -> list[str]:
    return [item.value for item in _sequence(text, stage).value]


def _outputs(text: str) -> list[str]:
    _sequence(text, "generate-data")  # rejects an invalid dvc.yaml
    stages = yaml.safe_load(text)["stages"].values()
    outputs = (out for stage in stages if isinstance(stage, dict) for out in stage.get("outs") or ())
    return [next(iter(out)) if isinstance(out, dict) else str(out) for out in outputs]


def _dependency(key: str, path: Path, outputs: Sequence[str]) -> str:
    """Return `path` as ``dvc.yaml`` names it: from the root of the repository, in which this runs, if it is below."""
    if not path.exists():
        raise DataError(f"{key}: expected a file or folder, found {what_is(path)} at {path}")
    absolute, root = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100  # resolve() would follow links
    for out in outputs:
        place = root / out
        if place.is_relative_to(absolute) or absolute.is_relative_to(place):
            raise DataError(
                f"{key}: {path}: expected data apart from the pipeline's own results, found {out} in common, which "
                "DVC can't depend on; move the data to another folder"
            )
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else os.path.normpath(path)


def _read_pipeline() -> str:
    if not PIPELINE.is_file():
        raise DataError(
            f"{PIPELINE.absolute()}: expected the pipeline of this project, found {what_is(PIPELINE)}; without it, "
            "'mlx run-experiment' records size and hash of what it reads"
        )
    try:
        with PIPELINE.open(encoding="utf-8", newline="") as file:  # line ends as they are
            return file.read()
    except UnicodeDecodeError as error:
        raise DataError(f"{PIPELINE}: expected text in UTF-8, found another encoding ({error.reason})") from None


def _write_pipeline(before: str, after: str) -> None:
    if after != before:
        write_bytes(PIPELINE, after.encode())
