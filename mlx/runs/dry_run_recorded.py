"""Checks an experiment on recorded outputs by running its steps on some of the samples, in a temporary folder."""

import math
import shutil
from collections.abc import Mapping
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.array_types import Indices
from mlx.core.descriptions import Split
from mlx.core.errors import MlxError
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.datasets.recorded import RecordedParams, recorded_folder
from mlx.pipeline.steps import STEPS
from mlx.received.files import RecordedPart, files_in
from mlx.received.parts import FILES, Recording, open_recording
from mlx.runs.analysis_time import Part, analysis_parts

MOST_ROWS = 1000
"""Samples of each part that are tried."""

FEW = {"n_bootstrap": 100, "n_permutations": 19}


def try_recorded(config: ExperimentConfig) -> tuple[list[str], list[str], list[Part]]:
    """Run all steps but the report on some samples.

    Return facts for the reader, settings without effect, and the parts of the time of the analysis.

    Raises
    ------
    MlxError
        The error with which the run would fail.
    """
    source, params = recorded_folder(config.dataset.path), config.dataset.source()
    assert isinstance(params, RecordedParams)
    files = files_in(source)
    recording = open_recording(files, params.groups, {**FILES, "groups": "dataset.params.groups"})
    sizes = {split: len(part.y_true) for split, part in recording.parts.items()}
    with TemporaryDirectory(prefix="mlx-dry-run-") as name:
        some = Path(name) / "recorded"
        _take_rows(source, some, files, sizes)
        try:
            warnings = _run_steps(_of_sample(config, some), Workspace(Path(name)))
        except MlxError as error:  # which names the folder of the sample
            error.args = (str(error).replace(str(some), str(source)),)
            raise
    kinds = {"n_classes": len(recording.test.class_names), "n_factors": len(recording.test.factors)}
    widths = list(recording.widths().values())
    parts = analysis_parts(config, n_test=sizes["test"], widths=widths, **kinds)
    return [*_facts(recording, source), *_tried(sizes)], warnings, parts


def _facts(recording: Recording, source: Path) -> list[str]:
    sizes = ", ".join(f"{len(part.y_true)} {split}" for split, part in recording.parts.items())
    layers = ", ".join(f"{name} ({width})" for name, width in recording.widths().items())
    n_bytes = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    return [
        f"data: {sizes} samples, {recording.task}; {source}",
        f"model: recorded, layers {layers}",
        f"disk: about {math.ceil(n_bytes / 1e6)} MB, a copy of the arrays",
    ]


def _tried(sizes: Mapping[Split, int]) -> list[str]:
    tried = ", ".join(f"{min(n, MOST_ROWS)} of {n} {split}" for split, n in sizes.items())
    return [f"tried: the analysis of {tried} samples; not all rows were read"]


def _of_sample(config: ExperimentConfig, folder: Path) -> ExperimentConfig:
    return config.model_copy(
        update={
            "dataset": config.dataset.model_copy(update={"path": str(folder)}),
            "evaluation": config.evaluation.model_copy(update={"n_bootstrap": FEW["n_bootstrap"]}),
            "residuals": config.residuals.model_copy(update={**FEW, "projections": []}),
        }
    )


def _take_rows(source: Path, target: Path, files: Mapping[Split, RecordedPart], sizes: Mapping[Split, int]) -> None:
    """Write some rows of each part of a folder of recorded arrays into another."""
    flat = not (source / "test").is_dir()
    for split in files:
        n = sizes[split]
        rows = np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).astype(np.intp))
        place = source if flat else source / split
        (target / split).mkdir(parents=True)
        for path in place.iterdir():
            _take(path, target / split / path.name, rows, n)
    for path in source.glob("*.json"):
        shutil.copy(path, target / path.name)


def _take(path: Path, target: Path, rows: Indices, n: int) -> None:
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r")
        np.save(target, array[rows] if array.shape[:1] == (n,) else array)
    elif path.suffix == ".npz":
        from scipy.sparse import csr_array, load_npz, save_npz

        save_npz(target, csr_array(load_npz(path))[rows])
    elif path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        kept = [lines[row] for row in rows] if len(lines) == n else lines
        target.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _run_steps(config: ExperimentConfig, workspace: Workspace) -> list[str]:
    """Return what the steps say of settings without effect, and the warnings."""
    with redirect_stderr(StringIO()) as log:
        for step in STEPS[:-1]:
            step(workspace, **{name: getattr(config, name) for name in sections_of(step)})
    lines = (line.partition(": ")[2] for line in log.getvalue().splitlines())
    return list(dict.fromkeys(line for line in lines if line.startswith(("no effect on", "warning"))))
