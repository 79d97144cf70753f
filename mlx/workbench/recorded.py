"""Analyzes the outputs of any model from a notebook or a script, as `mlx analyze` does."""

import shutil
import tempfile
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mlx.core.descriptions import Split, Task
from mlx.core.documents import Document
from mlx.core.errors import SettingsError
from mlx.core.paths import expanded
from mlx.core.settings import nearest
from mlx.core.workers import open_workers
from mlx.received.files import RecordedPart, beside_in, files_in, part_in
from mlx.received.last_layer import given_last_layer
from mlx.runs.analysis_settings import SECTIONS, read_settings
from mlx.runs.recorded_arrays import analyze as analyze_parts
from mlx.workbench.analyzed import Analysis

OF_A_PART = ("probabilities", "labels", "representations", "logits", "predictions", "index")
"""What the arguments ``val`` and ``train`` may have."""

CALLED = {name: name for name in (*OF_A_PART, "images", "texts", "groups", "class_names")} | {"factors": "metadata"}


def analyze(
    folder: str | Path | None = None,
    *,
    probabilities: Any = None,
    labels: Any = None,
    representations: Any = None,
    logits: Any = None,
    predictions: Any = None,
    index: Any = None,
    images: Any = None,
    texts: Any = None,
    metadata: Any = None,
    val: "Mapping[str, Any] | str | Path | None" = None,
    train: "Mapping[str, Any] | str | Path | None" = None,
    last_layer: "Mapping[str, Any] | str | Path | None" = None,
    class_names: Any = None,
    name: str | None = None,
    task: Task = "classification",
    groups: str | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    workers: str | None = None,
    evaluation: Mapping[str, Any] | None = None,
    residuals: Mapping[str, Any] | None = None,
    report: Mapping[str, Any] | None = None,
    **unknown: Any,
) -> Analysis:
    """Evaluate and analyze the recorded outputs of a model of any framework.

    Arrays are those of NumPy, pandas, PyTorch, JAX or TensorFlow, lists, or names of files.

    Parameters
    ----------
    folder
        With ``test/``, and ``val/`` and ``train/`` if recorded, in place of arrays; see ``docs/recording.md``.
    probabilities
        (n, K), rows that sum to 1; or (n,), of the second of two classes. By default the softmax of the logits.
    labels
        (n,), integers from 0 or names; the values of a regression.
    representations
        (n, d), an array or sparse; or several layers by name, the headline's first.
    logits
        (n, K) before the softmax: they make entropies exact if probabilities are rounded.
    predictions
        (n,), by default the class of the largest probability. A regression needs them.
    index
        (n,), number of each sample in the data; by default they are counted.
    images
        (n, h, w), (n, h, w, channels) or (n, channels, h, w) of numbers; a folder of n images; n files.
    texts
        n texts, which the page shows; or a file of JSON lines, each ``{"text": "…"}``.
    metadata
        A data frame, columns by name, or a table in a file: what may explain the errors.
    val, train
        The same arrays of the validation and training part, by the names of these arguments; or a folder of them.
        Each may have ``images``, ``texts`` and ``metadata``, of which the page shows the columns that the test part
        has; in that of validation is the column of `groups`, of which no half of validation divides one.
    last_layer
        ``weights`` (d, K) or (K, d) and ``bias`` (K,) that make the logits of the first layer, by name or in a file
        ``.npz``: for neural collapse (NC3) and the origin of ViM.
    class_names
        K names, in any sequence; by default those of the labels in sorted order, or numbers.
    name
        Title of the page.
    task
        ``classification`` or ``regression``.
    groups
        Column of the metadata that says which samples belong together, or ``duplicates``.
    seed
        Of all resampling, 42 by default.
    output
        Folder to write, as `mlx analyze` does; by default a temporary one, which is removed with the result.
    workers
        Where tasks run, as ``--workers``; changes no result.
    evaluation, residuals, report
        Keys of these sections of a configuration.

    Returns
    -------
    Analysis
        Tables, figures and page.

    Raises
    ------
    MlxError
        An argument is unknown, damaged, or does not match the others.
    """
    _check_names(unknown, task, name)
    given = dict(zip(OF_A_PART, (probabilities, labels, representations, logits, predictions, index), strict=True))
    names = () if class_names is None else class_names
    beside = {"metadata": metadata, "images": images, "texts": texts, "class_names": names}
    settings = read_settings(_document(evaluation, residuals, report, groups=groups, seed=seed))
    source = None if folder is None else expanded(folder)
    parts = _parts(source, given, {"val": val, "train": train}, task, beside)
    title = name or ("recorded outputs" if source is None else source.resolve().name)
    last = given_last_layer(last_layer, "last_layer")
    known = {"name": title, "settings": settings, "beside": beside_in(source, last), "names": CALLED}
    return _analysis(parts, output, workers, known)


def _analysis(
    parts: dict[Split, RecordedPart], output: str | Path | None, workers: str | None, known: Mapping[str, Any]
) -> Analysis:
    """Analyze the parts into a folder; a temporary one does not outlive an error."""
    path = Path(tempfile.mkdtemp(prefix="mlx-analysis-")) if output is None else expanded(output)
    try:
        with open_workers(workers, workspace=Path()) as opened:
            analyze_parts(parts, path, opened, say=_nothing, **known)
        return Analysis(path, _temporary=output is None)
    except BaseException:  # also an interrupt
        if output is None:
            shutil.rmtree(path, ignore_errors=True)
        raise


def _nothing(line: str) -> None:
    """Print nothing: the result is shown instead of the files that were read and written."""


TASKS = ("classification", "regression")


def _check_names(unknown: Mapping[str, Any], task: str, name: object) -> None:
    """Reject an unknown argument or task, and suggest the nearest one; reject a name that is not a text."""
    for argument in unknown:
        hint = nearest(argument, analyze.__kwdefaults__ or {}) or _section_hint(argument)
        raise SettingsError(f"{argument}: expected an argument of mlx.analyze, found an unknown one{hint}")
    if not isinstance(name, str | None):
        raise SettingsError(f"name: expected text, found {name!r}")
    if task not in TASKS:
        raise SettingsError(f"task: expected {' or '.join(TASKS)}, found {task!r}{nearest(str(task), TASKS)}")


def _section_hint(argument: str) -> str:
    """Return a hint at the key of a section that was probably meant."""
    for section, schema in SECTIONS.items():
        if near := get_close_matches(argument, schema.model_fields, n=1):
            return f"; give {section}={{'{near[0]}': …}}"
    return ""


def _document(
    evaluation: Mapping[str, Any] | None,
    residuals: Mapping[str, Any] | None,
    report: Mapping[str, Any] | None,
    **common: Any,
) -> Document:
    """Return the sections as given, with the arguments that set the same key of two sections."""
    given = zip(SECTIONS, (evaluation, residuals, report), strict=True)
    values = {section: dict(own) if isinstance(own, Mapping) else {} if own is None else own for section, own in given}
    document = Document(Path("mlx.analyze"), values, {})
    for name, value in common.items():
        for section in ("evaluation", "residuals"):
            if value is not None:
                document = document.with_value((section, name), value, name)
    return document


def _parts(
    folder: Path | None,
    given: Mapping[str, Any],
    others: Mapping[Split, Any],
    task: Task,
    beside: Mapping[str, Any],
) -> dict[Split, RecordedPart]:
    """Return the parts in a folder, or those of the given arrays."""
    if folder is not None:
        if also := [name for name, value in (*given.items(), *others.items()) if value is not None]:
            raise SettingsError(f"{also[0]}: expected either a folder of recorded arrays or arrays, found both")
        return files_in(folder, **beside)
    test = _part(given, "", task, **beside)
    layers = list(test.representations)
    known = {split: _other(part, split, layers, task) for split, part in others.items() if part is not None}
    return {"test": test, **known}


def _part(given: Mapping[str, Any], split: str, task: Task, **beside: Any) -> RecordedPart:
    """Return one part of the data."""
    prefix = f"{split}: " if split else ""
    for name in ("labels", "representations"):
        if given.get(name) is None:
            raise SettingsError(f"{prefix}{name}: expected an array, found none")
    layers = given["representations"]
    named = layers if isinstance(layers, Mapping) else {"representation": layers}
    return RecordedPart(**{**given, "representations": named}, task=task, **beside)


def _other(given: Any, split: Split, layers: list[str], task: Task) -> RecordedPart:
    if isinstance(given, str | Path):
        return part_in(expanded(given), layers, task=task, class_names=())
    if not isinstance(given, Mapping):
        raise SettingsError(
            f"{split}: expected arrays by name ({', '.join(OF_A_PART)}) or a folder, found {type(given).__name__}"
        )
    known = (*OF_A_PART, "metadata", "images", "texts")
    for name in given:
        if name not in known:
            raise SettingsError(f"{split}: expected {', '.join(known)}, found '{name}'{nearest(str(name), known)}")
    return _part(given, split, task)
