"""The parameters of ``custom``, and which of them have a meaning for what."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from mlx.core.errors import SettingsError
from mlx.datasets.files.folder_set import PixelSize
from mlx.datasets.files.stored import StoredParams
from mlx.datasets.params import bad_value
from mlx.datasets.roles import Role


def _one_character(value: Any) -> Any:
    """Return the separator; a tab may be written as backslash and t."""
    value = "\t" if value == "\\t" else value
    if value is not None and not (isinstance(value, str) and len(value) == 1 and value not in _NO_SEPARATORS):
        raise bad_value("one character between the cells, such as ';'", value)
    return value


_NO_SEPARATORS = '"\r\n\0'


class CustomParams(StoredParams):
    """Parameters of ``custom``; one that the given kind of file has no use for is an error.

    Attributes
    ----------
    task
        What the targets are for; ``auto`` infers it, see `mlx.datasets.custom.targets.build_target`.
    target
        The target's column in a table; the file with the targets of an ``.npy`` file, beside it or from the
        root of the repository.
    class_names
        Names of the classes in order. Of integers 0 … K − 1 it names each, of other labels the sorted ones;
        of text it sets the order.
    features
        The columns of a table to use; all but the target where it is not given.
    decimal
        The decimal mark of numbers that a table has as text: ``.`` or ``,``; the other one, blanks and
        apostrophes may group thousands. Inferred where only one is possible. A percentage is the number
        before the sign: ``7%`` is 7.
    separator
        The character between the cells of a CSV; inferred among comma, semicolon, tab and ``|`` where only one
        is possible, else among rarer ones. ``dataset.json`` states it.
    metadata
        A table in a file of any format, with a row per sample, whose columns become the factors; for a folder of
        images its column ``file`` (``class/name.jpg``) assigns the rows to images.
    test_path
        A file or folder with the test part of the kind of ``dataset.path`` (tables, arrays or images), which then has
        all others. It may have another format, and lack classes.
    roles
        What columns of the table, the metadata or the factors are for that are no features: ``group`` (what rows
        belong together, such as a patient), ``order`` (numbers or times), ``part`` (``train``, ``val``, ``test``), or
        ``ignore``. See ``split.method``.
    image_size, channels
        What a folder's images are brought to; without a size they must have the same.
    skip_corrupt
        Leave out images that can't be read.
    arguments
        What a function is called with, by name.
    """

    task: Literal["auto", "classification", "regression"] = "auto"
    target: str | None = None
    class_names: list[str] | None = None
    features: list[str] | None = Field(None, min_length=1)
    decimal: Literal[".", ","] | None = None
    separator: Annotated[str, BeforeValidator(_one_character)] | None = None
    metadata: str | None = None
    test_path: str | None = None
    roles: dict[str, Role] = Field(default_factory=dict)
    image_size: PixelSize | None = None
    channels: Literal[1, 3] = 3
    skip_corrupt: bool = False
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _nothing_fitted(cls, values: Any) -> Any:
        """Reject keys of earlier versions, which fitted the mean of a column to all rows, test rows included."""
        moved = [(name, values[name]) for name in MOVED if name in values] if isinstance(values, dict) else []
        if moved:
            raise ValidationError.from_exception_data(cls.__name__, [_moved(name, value) for name, value in moved])
        return values


MOVED: dict[str, dict[str, str]] = {
    "missing": {
        "": "preprocessing.missing (impute, drop or reject)",
        "error": "preprocessing.missing: reject",
        "drop": "preprocessing.missing: drop",
        "mean": "preprocessing.missing: impute, which is the default",
    },
    "encoding": {
        "": "preprocessing.columns: {categorical: {encoder: ...}} (onehot or ordinal)",
        "onehot": "preprocessing.columns: {categorical: {encoder: onehot}}, which is the default",
        "ordinal": "preprocessing.columns: {categorical: {encoder: ordinal}}",
    },
}
"""Keys of earlier versions, and by their values what takes their place."""


def _moved(name: str, value: Any) -> InitErrorDetails:
    instead = MOVED[name].get(str(value).lower(), MOVED[name][""])
    return InitErrorDetails(
        type=PydanticCustomError(
            "moved",
            "expected no such key, as tables are prepared by what is fitted to their training rows: set {instead}, in "
            "its place, found {found}",
            {"instead": instead, "found": str(value)},
        ),
        loc=(name,),
        input=value,
    )


EVERY = {"n_samples", "seed", "normalize", "augmentation", "metadata", "roles"}
LABELED = EVERY | {"task", "class_names"}
TABLE = LABELED | {"test_path", "target", "features", "decimal"}
"""What has a meaning for every source, for those with labels in an array, and for tables."""


def reject_unused(params: CustomParams, used: set[str], what: str) -> None:
    """Reject a parameter that is set and not in `used`: it would silently do nothing.

    Raises
    ------
    SettingsError
        At the parameter's key.
    """
    for name, value in params:
        if name not in used and value != type(params).model_fields[name].get_default(call_default_factory=True):
            raise SettingsError(
                f"expected none, as it has no meaning for {what}, found {value}",
                key=("dataset", "params", name),
            )
