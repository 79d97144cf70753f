"""The JSON files that each step writes beside its arrays for the next: written and read through one schema."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from mlx.core.artifacts import read_json
from mlx.core.class_names import clash_of
from mlx.core.column_descriptions import ColumnDescription, PreparedColumn
from mlx.core.documents import shown
from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE
from mlx.core.settings import Settings, expectation

Task = Literal["classification", "regression"]
Split = Literal["test", "val", "train"]
SPLITS: tuple[Split, ...] = ("test", "val", "train")
"""The parts of the data, in the order in which a model's outputs on them are recorded."""
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*$")]
Size = Annotated[int, Field(ge=1)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _different(names: list[str]) -> list[str]:
    if clash := clash_of(names):
        raise ValueError(f"expected class names that differ from each other, found {clash}")
    return names


ClassNames = Annotated[list[str], AfterValidator(_different)]


class AugmentationDescription(Settings):
    """What the dataset allows to be done to its images; `mlx.training.Augmentation` says how."""

    flip: bool
    shift: float = Field(ge=0, lt=1)


class InputDescription(Settings):
    """A file or folder that samples were read from; of a folder of the download cache, those files of it that were.

    Attributes
    ----------
    path
        As it was found: absolute, or from the root of the repository.
    files, bytes
        How many files there are, 1 for a file, and their size together.
    sha256
        Of the content of a file, or of the names and contents of the files in a folder, see
        `mlx.datasets.inputs.fingerprint`.
    """

    path: str
    files: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: Hash

    def text(self) -> str:
        """Return size and hash for a reader."""
        return f"{self.files:,} file{'s' * (self.files != 1)}, {self.bytes:,} bytes, SHA-256 {self.sha256}"


class RecordedDescription(Settings):
    """The folder of recorded arrays of which the first steps keep the labels, and `extract-representations` the rest.

    Attributes
    ----------
    folder
        What was read.
    layers
        How wide the rows of each layer are, the layer of the headline first.
    """

    folder: InputDescription
    layers: dict[FileName, Size] = Field(min_length=1)


class _Identified(Settings):
    """An artifact that `mlx.core.lineage` tells from another.

    Attributes
    ----------
    identity
        Of what the step wrote; None in files of earlier versions.
    made_from
        The identities of what it read, by folder.
    """

    identity: Hash | None = None
    made_from: dict[str, Hash] = Field({})


class DatasetDescription(_Identified):
    """``data/raw/dataset.json``: what the samples are and where they come from.

    Attributes
    ----------
    columns
        Those of a table, with a name each; empty for other samples.
    roles
        What the columns of ``roles.parquet`` are for.
    parts
        Samples in each of the source's own parts; empty where it has none.
    inputs
        The files and folders that the samples were read from, by the key that names them.
    recorded
        Where the outputs of a model were recorded elsewhere; None for samples.
    """

    name: str
    task: Task
    class_names: ClassNames
    shape: list[Size] = Field(min_length=2)
    dtype: str
    source: str
    seed: int | None
    params: dict[str, Any]
    augmentation: AugmentationDescription | None
    factors: list[str]
    columns: list[ColumnDescription] = Field([])
    roles: dict[str, str] = Field({})
    parts: dict[str, int] = Field({})
    inputs: dict[str, InputDescription] = Field({})
    recorded: RecordedDescription | None = None
    details: dict[str, Any]

    @property
    def features(self) -> list[ColumnDescription]:
        """The columns of ``X.npy``; empty where they have no names."""
        return [column for column in self.columns if column.use == "feature"]


class SplitsDescription(_Identified):
    """``data/splits/preprocessing.json``: what the samples are after scaling, and how they were divided and scaled.

    Attributes
    ----------
    split_method
        How they were divided, resolved; None in files of earlier versions.
    split_by
        The column that the division went by; None where it went by none.
    groups
        By column with the role ``group``, and for equal samples (``duplicates``): how many groups there are, and how
        many groups and test samples have members on the other side of the test part.
    notes
        What the user should know of the division.
    missing, dropped_rows
        What was done about rows with gaps, None where samples can have none; and by part, how many were left out.
    columns, features
        What became of each column of a table, and the names of the features, in order; empty for other samples.
    recorded
        As in `DatasetDescription`.
    """

    task: Task
    class_names: ClassNames
    sample_shape: list[Size] = Field(min_length=1)
    augmentation: AugmentationDescription | None
    scaling: str
    dtype: str
    mean: list[float] | None
    scale: list[float] | None
    sizes: dict[str, int]
    split_method: str | None = None
    split_by: str | None = None
    groups: dict[str, dict[str, int]] = Field({})
    notes: list[str] = Field([])
    missing: str | None = None
    dropped_rows: dict[str, int] = Field({})
    columns: list[PreparedColumn] = Field([])
    features: list[str] = Field([])
    recorded: RecordedDescription | None = None


class ModelDescription(_Identified):
    """``data/model/model.json``: from what the checkpoint is rebuilt.

    Attributes
    ----------
    chosen_by_validation
        Whether the validation loss chose the epoch whose weights these are; None without epochs, in checkpoints, and in
        files of earlier versions.
    """

    name: str
    architecture: str | None = None
    params: dict[str, Any]
    task: Task
    class_names: ClassNames
    sample_shape: list[Size] = Field(min_length=1)
    layers: list[str]
    penultimate: str
    parameters: int
    chosen_by_validation: bool | None = None


class ValidationDescription(Settings):
    """How many validation samples there are, and how many of them the model gets wrong."""

    n: int = Field(ge=1)
    errors: int = Field(ge=0)

    @model_validator(mode="after")
    def _errors_are_samples(self) -> "ValidationDescription":
        if self.errors > self.n:
            raise ValueError(f"expected at most {self.n} errors, found {self.errors}")
        return self


class RepresentationsDescription(_Identified):
    """``data/representations/representations.json``: which arrays are in the folders of the parts, and of what.

    Attributes
    ----------
    layers
        How wide the rows of each layer are, the layer of the headline first.
    sparse
        The layers that are ``.npz`` files of sparse rows; the others are ``.npy``.
    samples
        How many samples of each part are recorded; empty in files of earlier versions, which recorded the test part
        alone, beside this file.
    validation
        What the model gets wrong on the validation samples; None for a regression, or if unknown.
    chosen_by_validation
        Whether the validation loss chose the epoch whose weights the model has; None if unknown.
    last_layer
        The recorded layer that the logits are a linear map of, whose weights are beside this file; None where unknown.
    split_method
        How the data were divided into parts; None where that is unknown.
    features
        Names of the model's inputs; empty where they have none.
    """

    task: Task
    class_names: ClassNames
    model: str
    layers: dict[FileName, Size] = Field(min_length=1)
    sparse: list[FileName] = Field([])
    has_logits: bool
    samples: dict[Split, Size] = Field({})
    validation: ValidationDescription | None = None
    chosen_by_validation: bool | None = None
    last_layer: FileName | None = None
    split_method: str | None = None
    features: list[str] = Field([])

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, content: Any) -> Any:
        """Drop ``split``, which named the one part that was recorded."""
        return {k: v for k, v in content.items() if k != "split"} if isinstance(content, dict) else content


D = TypeVar("D", bound=Settings)


def read_description(path: Path, schema: type[D]) -> D:
    """Read a JSON artifact as its `schema`.

    Raises
    ------
    ArtifactError
        It is missing or damaged, or a key is missing, unknown or not what it should be.
    """
    content = read_json(path)
    try:
        found = schema.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        key = str(fault["loc"][0])
        if fault["type"] == "value_error":
            raise ArtifactError(f"{path}: {key}: {fault['ctx']['error']}{REMAKE}") from None
        wanted = expectation(schema, key) if key in schema.model_fields else "no such key"
        there = "nothing" if fault["type"] == "missing" else shown(fault["input"])
        raise ArtifactError(f"{path}: {key}: expected {wanted}, found {there}{REMAKE}") from None
    if {"task", "class_names"} <= schema.model_fields.keys():
        _reject_contradiction(path, found)
    return found


def _reject_contradiction(path: Path, found: Any) -> None:
    """Reject a classification without classes or with two of one name, and a regression with any."""
    names, classes = found.class_names, found.task == "classification"
    if bool(names) != classes or len(set(names)) < len(names):
        wanted = "different names of classes" if classes else "no names, as for a regression"
        raise ArtifactError(f"{path}: class_names: expected {wanted}, found {shown(names)}{REMAKE}")
