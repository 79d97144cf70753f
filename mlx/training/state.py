"""The state of a training between two epochs, as a folder of JSON and arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from mlx.core.array_types import Array
from mlx.core.artifacts import read_json, write_json
from mlx.core.errors import ArtifactError
from mlx.core.reading import digest_of_file, digest_of_values
from mlx.core.settings import Settings
from mlx.models import IterativeModel
from mlx.models.npz import read_all, write_npz
from mlx.training.dynamics import Dynamics
from mlx.training.fingerprint import Fingerprint
from mlx.training.progress import Progress
from mlx.training.schedules import Plateau

DESCRIPTION = "checkpoint.json"
STATE, BEST = FILES = "state.npz", "best.npz"
DYNAMICS = "training_dynamics"
"""The array in the first file beside those of the model."""


class StateDescription(Settings):
    """``checkpoint.json``: the progress of the training, and the SHA-256 of the files beside it and of itself."""

    format: Literal[1]
    fingerprint: dict[str, Any]
    history: list[dict[str, float]] = Field(min_length=1)
    best: int = Field(ge=1)
    plateau: Plateau
    files: dict[str, str]
    digest: str

    @model_validator(mode="after")
    def _consistent(self) -> "StateDescription":
        if self.digest != digest_of_values(self.model_dump(mode="json", exclude={"digest"})):
            raise ValueError("its content is not what was written")
        if self.best > len(self.history) or set(self.files) != set(FILES):
            raise ValueError("its parts contradict each other")
        return self


@dataclass(frozen=True)
class TrainingState:
    """The state of a training between two epochs."""

    fingerprint: Fingerprint
    model: Mapping[str, Array]
    progress: Progress


def write_state(folder: Path, fingerprint: Fingerprint, model: IterativeModel, progress: Progress) -> None:
    """Write the state of a training into an empty `folder`."""
    dynamics = {DYNAMICS: progress.dynamics.state()} if progress.dynamics else {}
    write_npz(folder / STATE, dict(model.state()) | dynamics)
    write_npz(folder / BEST, numbered_weights(progress.best_weights))
    content: dict[str, Any] = {
        "format": 1,
        "fingerprint": fingerprint,
        "history": list(progress.history),
        "best": progress.best,
        "plateau": progress.plateau.as_dict(),
        "files": {name: digest_of_file(folder / name) for name in FILES},
    }
    write_json(folder / DESCRIPTION, content | {"digest": digest_of_values(content)})


def read_state(folder: Path) -> TrainingState:
    """Read the state that `write_state` wrote.

    Raises
    ------
    ArtifactError
        A file is missing, damaged or altered.
    """
    path = folder / DESCRIPTION
    try:
        described = StateDescription.model_validate(read_json(path))
    except ValidationError as error:
        fault = error.errors()[0]
        where = f"{fault['loc'][0]}: " if fault["loc"] else ""
        raise ArtifactError(f"{path}: expected a checkpoint, found another file ({where}{fault['msg']})") from None
    for name, digest in described.files.items():
        if not (folder / name).is_file() or digest_of_file(folder / name) != digest:
            raise ArtifactError(f"{folder / name}: expected the arrays that {DESCRIPTION} describes, found others")
    arrays = read_all(folder / STATE)
    dynamics = arrays.pop(DYNAMICS, None)
    progress = Progress(
        history=tuple(described.history),
        plateau=described.plateau,
        best=described.best,
        best_weights=read_weights(folder / BEST),
        dynamics=None if dynamics is None else Dynamics.of_state(len(described.history), dynamics),
    )
    return TrainingState(described.fingerprint, arrays, progress)


def numbered_weights(weights: list[Array]) -> dict[str, Array]:
    """Name the weights of a model by their position."""
    return {f"weight_{i}": value for i, value in enumerate(weights)}


def read_weights(path: Path) -> list[Array]:
    """Read the arrays that `numbered_weights` named.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or has other names.
    """
    arrays = read_all(path)
    names = [f"weight_{i}" for i in range(len(arrays))]
    if set(names) != set(arrays):
        raise ArtifactError(f"{path}: expected weights numbered from 0, found {', '.join(sorted(arrays))}")
    return [arrays[name] for name in names]
