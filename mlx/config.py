"""One experiment: its sections put together, read from a file and checked as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo, field_validator

from mlx.core.documents import Document, Key, parse_value, read_document, read_documents
from mlx.core.errors import SettingsError
from mlx.core.output import OutputSettings
from mlx.core.recorded import RECORDED
from mlx.core.sections import validated, without_unknown
from mlx.core.settings import ExperimentHead
from mlx.datasets import DatasetSettings
from mlx.evaluation.settings import EvaluationSettings
from mlx.models.settings import ModelSettings
from mlx.plots.settings import ReportSettings
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.representations.settings import RepresentationsSettings
from mlx.residuals.settings import ResidualsSettings
from mlx.training.settings import TrainingSettings


class ExperimentConfig(ExperimentHead):
    """A whole study, as ``params.yaml`` and the files in ``examples/`` describe it."""

    dataset: DatasetSettings
    split: SplitSettings = SplitSettings()
    preprocessing: PreprocessingSettings = PreprocessingSettings()
    model: ModelSettings
    training: TrainingSettings = TrainingSettings()
    representations: RepresentationsSettings = RepresentationsSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    residuals: ResidualsSettings = ResidualsSettings()
    report: ReportSettings = ReportSettings()
    output: OutputSettings = OutputSettings()

    @field_validator("model")
    @classmethod
    def _of_the_dataset(cls, model: ModelSettings, info: ValidationInfo) -> ModelSettings:
        dataset = info.data.get("dataset")
        if dataset is not None and (dataset.name == RECORDED) != (model.name == RECORDED):
            found = f"dataset {dataset.name} and model {model.name}"
            raise ValueError(f"expected the name recorded of both dataset and model, or of neither, found {found}")
        return model


BUILT_IN = Document(
    Path("built-in default"),
    {
        "name": "shapes-cnn",
        "dataset": {"name": "shapes", "params": {"n_samples": 1000, "n_classes": 5}},
        "preprocessing": {"scaling": "unit"},
        "model": {"name": "cnn"},
        "training": {"epochs": 30, "early_stopping_patience": 10},
    },
    {},
)
"""What `mlx run-experiment NAME` runs where there is no configuration: the study of this project's params.yaml."""


@dataclass(frozen=True)
class Resolved:
    """A configuration with all defaults, and where each of its values comes from.

    Attributes
    ----------
    config
        The configuration.
    document
        What was read, without the keys that are unknown.
    warnings
        A message for each key that is unknown and was left out.
    """

    config: ExperimentConfig
    document: Document
    warnings: tuple[str, ...]

    def values(self) -> Iterator[tuple[Key, Any, str]]:
        """Yield each key, its value, and the file and line, the option, or "default" that it comes from."""
        for key, value in _leaves((), self.config.as_dict()):
            yield key, value, self.document.where(key) if self.document.has(key) else "default"


def read_config(path: Path) -> ExperimentConfig:
    """Read an experiment configuration from YAML or JSON.

    Raises
    ------
    SettingsError
        With a line for each fault: the file and line, the key, what was expected and what was found.
    """
    return validated(read_document(path), ExperimentConfig)


def resolve_all(
    path: Path | None, *, name: str | None = None, assignments: Sequence[str] = (), strict: bool = False
) -> list[Resolved]:
    """Read one experiment or a list of them, and fill in what the command line says.

    Parameters
    ----------
    path
        The file; None for `BUILT_IN`.
    name
        Takes the place of the name in the file.
    assignments
        ``section.key=value``, the value as YAML.
    strict
        Unknown keys are errors, as in the pipeline; otherwise warnings.

    Raises
    ------
    SettingsError
        With a line for each fault of any of the experiments.
    """
    documents = [BUILT_IN] if path is None else read_documents(path)
    if name is not None and len(documents) > 1:
        raise SettingsError(f"{path}: expected one experiment to be called {name}, found a list of {len(documents)}")
    resolved, faults = [], []
    for document in documents:
        changed = document if name is None else document.with_value(("name",), name, "the command line")
        for assignment in assignments:
            changed = assigned(changed, assignment)
        try:
            resolved.append(resolve(changed, strict=strict))
        except SettingsError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(dict.fromkeys(faults)))
    return resolved


def resolve(document: Document, *, strict: bool = False) -> Resolved:
    """Check one document as a whole configuration.

    Raises
    ------
    SettingsError
        As in `read_config`.
    """
    known, warnings = (document, []) if strict else without_unknown(document, ExperimentConfig)
    return Resolved(validated(known, ExperimentConfig), known, tuple(warnings))


def assigned(document: Document, assignment: str) -> Document:
    """Return a document with the value of one key changed by ``section.key=value``, as `--set` gives it.

    Raises
    ------
    SettingsError
        It has another form, or the value is no YAML.
    """
    dotted, sign, text = assignment.partition("=")
    key = tuple(dotted.strip().split("."))
    if not sign or not all(key):
        raise SettingsError(f"--set {assignment}: expected section.key=value, such as training.epochs=3")
    return document.with_value(key, parse_value(text, f"--set {dotted}"), f"--set {dotted}")


def _leaves(key: Key, value: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves((*key, name), inner)
    else:
        yield key, value
