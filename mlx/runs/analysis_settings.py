"""The settings of an analysis of recorded arrays: the sections of a configuration that need no model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx.core.documents import Document
from mlx.core.errors import SettingsError
from mlx.core.sections import unknown_key, validated
from mlx.core.settings import Settings
from mlx.evaluation import EvaluationSettings
from mlx.plots.settings import ReportSettings
from mlx.residuals import ResidualsSettings

SECTIONS: Mapping[str, type[Settings]] = {
    "evaluation": EvaluationSettings,
    "residuals": ResidualsSettings,
    "report": ReportSettings,
}


@dataclass(frozen=True)
class AnalysisSettings:
    """The sections ``evaluation``, ``residuals`` and ``report`` of a configuration."""

    evaluation: EvaluationSettings
    residuals: ResidualsSettings
    report: ReportSettings


DEFAULT = AnalysisSettings(EvaluationSettings(), ResidualsSettings(), ReportSettings())


def empty_document(path: str) -> Document:
    """Return a document without settings, whose messages name `path`."""
    return Document(Path(path), {name: {} for name in SECTIONS}, {})


def read_settings(document: Document) -> AnalysisSettings:
    """Validate the sections of a document.

    Raises
    ------
    SettingsError
        A section or key is unknown, or a value is invalid.
    """
    for key in document.values:
        if key not in SECTIONS:
            raise SettingsError(unknown_key(document, (key,), SECTIONS))
    found: dict[str, Any] = {name: validated(document, schema, name) for name, schema in SECTIONS.items()}
    return AnalysisSettings(**found)
