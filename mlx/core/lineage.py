"""Which artifacts an artifact was made from: what keeps a step run by hand from continuing with outdated ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx.core.artifacts import read_json, write_json
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.core.reading import digest_of_file, digest_of_values


@dataclass(frozen=True)
class _Artifact:
    """What a step writes, and the document that has its `identity` and, under `made_from`, those of what was read."""

    step: str
    document: str


ARTIFACTS = {
    "raw": _Artifact("generate-data", "data/raw/dataset.json"),
    "splits": _Artifact("preprocess-split", "data/splits/preprocessing.json"),
    "model": _Artifact("train", "data/model/model.json"),
    "representations": _Artifact("extract-representations", "data/representations/representations.json"),
    "evaluation": _Artifact("evaluate", "metrics/evaluation.json"),
    "residuals": _Artifact("residuals-analysis", "metrics/residuals.json"),
}
"""In the order of the steps."""

SIBLINGS = frozenset({"evaluation", "residuals"})
"""Read by `report` alone."""


def identity(content: Mapping[str, Any], files: Iterable[Path] = ()) -> str:
    """Return the SHA-256 of JSON values, whatever the order of their keys, and of the contents of `files`."""
    digests = [[path.name, digest_of_file(path)] for path in files]
    return digest_of_values([content, digests])


def write_identified(path: Path, content: Mapping[str, Any], files: Iterable[Path] = ()) -> None:
    """Write a document with its `identity`: that of its other content, and of `files`."""
    known = {key: value for key, value in content.items() if key != "identity"}
    write_json(path, {**content, "identity": identity(known, files)})


def made_from(**identities: str | None) -> dict[str, str]:
    """Return the identities that are known, by the name of what was read."""
    return {name: one for name, one in identities.items() if one is not None}


def check_lineage(workspace: Workspace, step: str) -> None:
    """Reject what `step` would read if it was made from other artifacts than are there now.

    Of artifacts that are missing, damaged, or of versions without identities, nothing is known; they pass here.

    Raises
    ------
    ArtifactError
        Names the first step that has to be run again.
    """
    now: dict[str, str] = {}
    for name, artifact in ARTIFACTS.items():
        if artifact.step == step:
            return
        if name in SIBLINGS and step != "report":
            continue
        at = workspace.root / artifact.document
        content = _known(at)
        for source, then in _texts(content.get("made_from")).items():
            if now.get(source, then) != then:
                made = (workspace.root / ARTIFACTS[source].document).parent
                raise ArtifactError(
                    f"{at}: expected what {artifact.step} makes of {made} as it is now, found what it made of an "
                    f"earlier one; run {_again(workspace, artifact.step)}"
                )
        now |= _texts({name: content.get("identity")})


def _texts(content: Any) -> dict[str, str]:
    """Return the values that are text, of what may be anything in a damaged file."""
    known = content.items() if isinstance(content, dict) else ()
    return {name: value for name, value in known if isinstance(value, str)}


def _known(path: Path) -> dict[str, Any]:
    try:
        return read_json(path) if path.is_file() else {}
    except ArtifactError:  # the step that reads it says so
        return {}


def _again(workspace: Workspace, step: str) -> str:
    if (workspace.root / "config.json").is_file():
        return f"{step} and the steps after it again: 'mlx run-experiment --config {workspace.root / 'config.json'}'"
    return f"'python stages/{step.replace('-', '_')}.py' and the stages after it again, or 'dvc repro'"
