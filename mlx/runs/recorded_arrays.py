"""Analyzes recorded arrays of any framework: writes them as a workspace, and runs the last steps of the pipeline.

These steps read the outputs and representations of a model, and need neither a configuration nor the model.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlx.core.artifacts import read_json, replacing_folder
from mlx.core.bars import working
from mlx.core.console import note
from mlx.core.descriptions import Split
from mlx.core.errors import SettingsError
from mlx.core.group_names import DUPLICATES, unknown_groups
from mlx.core.locks import run_lock
from mlx.core.own_folders import remove
from mlx.core.paths import Workspace
from mlx.core.recorded import RECORDED_ARRAYS
from mlx.core.workers import SERIAL, Workers
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.report import report
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.received.files import NOTHING_BESIDE, Beside, RecordedPart
from mlx.received.parts import COMMAND, Names, open_recording
from mlx.received.writing import write_outputs, write_samples
from mlx.residuals.errors.factor_choice import choose_factors
from mlx.runs.analysis_settings import DEFAULT, AnalysisSettings


def analyze(
    parts: Mapping[Split, RecordedPart],
    output: Path,
    workers: Workers = SERIAL,
    *,
    name: str,
    settings: AnalysisSettings,
    beside: Beside = NOTHING_BESIDE,
    names: Names = COMMAND,
    say: Callable[[str], None] = note,
) -> Path:
    """Evaluate and analyze recorded outputs; return the path of the report's page.

    Parameters
    ----------
    parts
        The test part, which is analyzed, and the other parts that are recorded.
    output
        Folder to write, with the layout of a workspace: ``data/`` and ``metrics/``.
    workers
        Where the tasks of the residuals analysis run.
    name
        Of the data, for the reader.
    settings
        Of the three steps.
    beside
        Outputs for training samples by models not trained on them, and the last layer, as `beside_in` returns them.
    names
        What the arguments are called in messages.
    say
        Receives a line for each step, of what it read, found and wrote.

    Raises
    ------
    MlxError
        An array is damaged, of another shape than the others, or contains no predictions; or `output` contains other
        files.
    """
    _check_output(output)
    workspace = Workspace(output)
    with run_lock(workspace):
        lay_out(parts, workspace, name, settings, names, beside)
        with working("evaluate"):
            say(evaluate(workspace, evaluation=settings.evaluation))
        with working("residuals-analysis"):
            say(residuals_analysis(workspace, workers, residuals=settings.residuals))
        with working("report"):
            say(report(workspace, report=settings.report))
    return workspace.report / "report.html"


def _check_output(output: Path) -> None:
    """Reject a folder that contains anything but the results of an earlier, perhaps interrupted analysis."""
    if not output.exists() or (output.is_dir() and not any(map(_is_result, output.rglob("*")))):
        return
    described = Workspace(output).representations / "representations.json"
    ours = output.is_dir() and {path.name for path in output.iterdir()} <= {"data", "metrics"} and described.is_file()
    if ours and read_json(described).get("model") == RECORDED_ARRAYS:
        return
    raise SettingsError(f"--output: expected a new or empty folder, or one of an earlier analysis, found {output}")


def _is_result(path: Path) -> bool:
    """Return whether a path is not just an empty or temporary folder of an interrupted analysis."""
    empty = path.name == "data" or path.name.endswith(".lock")
    return not empty and not any(part.startswith(".representations.") for part in path.parts)


def lay_out(
    parts: Mapping[Split, RecordedPart],
    workspace: Workspace,
    name: str,
    settings: AnalysisSettings = DEFAULT,
    names: Names = COMMAND,
    beside: Beside = NOTHING_BESIDE,
) -> None:
    """Write ``data/representations/`` and ``data/raw/`` in place of the earlier steps.

    Raises
    ------
    SettingsError
        The settings name a column that is not there; nothing is written then.
    """
    recording = open_recording(parts, settings.residuals.groups, names)
    _check_names(list(recording.test.factors), settings, names)
    with replacing_folder(workspace.representations) as folder:
        write_outputs(folder, recording, beside)
        # The results of an earlier analysis are of other arrays.
        for earlier in (workspace.metrics, workspace.residuals, workspace.report):
            remove(earlier)
    with replacing_folder(workspace.raw) as folder:
        write_samples(folder, recording, name)


def _check_names(columns: Sequence[str], settings: AnalysisSettings, names: Names) -> None:
    keys = {names.get("groups", "groups"): settings.residuals.groups, "evaluation.groups": settings.evaluation.groups}
    for key, named in keys.items():
        if named not in {None, DUPLICATES, *columns}:
            raise unknown_groups(str(named), columns, key=key)
    choose_factors(settings.residuals.factors, columns)
