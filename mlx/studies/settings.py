"""The schema of a study file."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlx.core.class_names import clash_of
from mlx.core.output import WORKSPACE
from mlx.core.paths import foreign_path, repository_root
from mlx.core.settings import ANY_CASE, NamedSettings, Settings, known_name, quoted
from mlx.core.workers import MOST
from mlx.results.comparison import Metric

Vary = Annotated[Literal["training", "split", "data"], ANY_CASE]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Number = int | float

DEFAULT_SEEDS = 5
MOST_SEEDS = 100_000


class DistributionSettings(Settings):
    """The values of a key that a search may try: either `choices`, or the numbers from `low` to `high`.

    Attributes
    ----------
    choices
        Values of any kind.
    low, high
        Bounds, included; integers where both are integers.
    step
        Distance of the values from `low` on; null: any number, or any integer.
    log
        Whether values are drawn evenly on a logarithmic scale.
    """

    choices: Annotated[list[Any], Field(min_length=1)] | None = None
    low: Number | None = None
    high: Number | None = Field(None, validate_default=True)
    step: Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0)] | None = None
    log: bool = False

    @field_validator("high")
    @classmethod
    def _above(cls, high: Number | None, info: ValidationInfo) -> Number | None:
        if "low" not in info.data or "choices" not in info.data:
            return high
        low, choices = info.data["low"], info.data["choices"]
        if choices is not None:
            if low is not None or high is not None:
                raise ValueError("expected choices, or low and high, found both")
        elif low is None or high is None:
            raise ValueError("expected choices, or low and high, found neither")
        elif not low < high:
            raise ValueError(f"expected a number above low, {low:g}, found {high:g}")
        return high

    @field_validator("step")
    @classmethod
    def _within_range(cls, step: Number | None, info: ValidationInfo) -> Number | None:
        low, high = info.data.get("low"), info.data.get("high")
        if step is not None and low is not None and high is not None and step > high - low:
            raise ValueError(f"expected at most high - low, {high - low:g}, found {step:g}")
        return step

    @field_validator("log")
    @classmethod
    def _of_positive_numbers(cls, log: bool, info: ValidationInfo) -> bool:  # pydantic's signature
        low = info.data.get("low")
        if log and (low is None or low <= 0):
            raise ValueError(f"expected true only where low is above 0, found true with low {low}")
        if log and info.data.get("step") is not None:
            raise ValueError("expected log or step, found both")
        return log

    def tried(self) -> list[Any]:
        """Return the values by which it is checked that a configuration accepts them."""
        if self.choices is not None:
            return self.choices
        assert self.low is not None
        return [self.low, *([] if self.step is None else [self.low + self.step]), self.high]


class SearchSettings(Settings):
    """A search for the values of some keys, for each cell, by a metric of the validation samples.

    Attributes
    ----------
    space
        The values to choose from, by key, such as ``training.learning_rate``.
    trials
        Configurations that are tried for each cell.
    metric
        Of ``metrics/training.json``; a loss is minimized, an accuracy maximized.
    batch
        Trials that are drawn at a time. What a trial may learn from depends on it, and on nothing else, so that results
        depend neither on the workers nor on interruptions.
    sampler
        ``tpe``, the tree-structured Parzen estimator of Optuna, or ``random``.
    seed
        Of the draws.
    """

    space: dict[str, DistributionSettings] = Field(min_length=1)
    trials: int = Field(ge=1)
    metric: Literal["val_loss", "val_accuracy"] = "val_loss"
    batch: int = Field(8, ge=1)
    sampler: Annotated[Literal["tpe", "random"], ANY_CASE] = "tpe"
    seed: Seed = 0


class StudySettings(NamedSettings):
    """A study: an experiment, what is varied in it, and which of its metrics are compared.

    Attributes
    ----------
    base
        A file with an experiment, from the root of the repository or beside the study file; or its sections.
    seeds
        How many, counted from 1, or which; by default 5. Not beside `folds`.
    vary
        What a seed sets: ``training.seed``, ``split.seed``, ``dataset.params.seed``.
    folds, repeats
        K-fold cross-validation in place of seeds, repeated with other folds.
    grid
        Lists of values by key; every combination is a cell.
    cells
        Named configurations: values by key, such as ``{model: {name: svm}}`` or ``[training.epochs=5]``. With a grid,
        every combination of both is a cell.
    search
        Keys whose values are chosen by validation, for each cell.
    baseline
        The cell that all others are compared with, by default the first.
    metrics
        Those that are compared, by default all of the task.
    threads
        Of the training of a TensorFlow model, each in a process of its own. Sums depend on it in their last digits, so
        that it is part of the study, where the number of workers is not.
    tables
        A folder, from the root of the repository, that gets a copy of the tables, for git or DVC.
    """

    base: dict[str, Any] | str
    seeds: Annotated[int, Field(ge=1, le=MOST_SEEDS)] | Annotated[list[Seed], Field(min_length=1)] | None = None
    vary: list[Vary] = Field(["training"], min_length=1)
    folds: int | None = Field(None, ge=2)
    repeats: int | None = Field(None, ge=1)
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field({})
    cells: dict[str, dict[str, Any] | list[Any]] = Field({})
    search: SearchSettings | None = None
    baseline: str | None = None
    metrics: Annotated[list[str], Field(min_length=1)] | None = None
    threads: int = Field(1, ge=1, le=MOST)
    tables: str | None = None

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> type[Settings] | None:
        """Return the schema of `search`, which may also be null."""
        return SearchSettings if key == "search" and isinstance(values.get(key), dict) else None

    @field_validator("seeds")
    @classmethod
    def _different(cls, seeds: int | list[int] | None) -> int | list[int] | None:
        if isinstance(seeds, list) and len(set(seeds)) < len(seeds):
            raise ValueError(f"expected different seeds, found {seeds}")
        return seeds

    @field_validator("folds")
    @classmethod
    def _instead_of_seeds(cls, folds: int | None, info: ValidationInfo) -> int | None:
        if folds is not None and info.data.get("seeds") is not None:
            raise ValueError("expected seeds, or folds with repeats, found both")
        if folds is not None and "data" in info.data.get("vary", []):
            raise ValueError("expected seeds with vary: data, as folds are of the same data, found folds")
        return folds

    @field_validator("repeats")
    @classmethod
    def _of_folds(cls, repeats: int | None, info: ValidationInfo) -> int | None:
        if repeats is not None and info.data.get("folds", 0) is None:
            raise ValueError("expected folds beside it; for other random splits, set vary: [training, split] and seeds")
        return repeats

    @field_validator("tables")
    @classmethod
    def _inside(cls, tables: str | None) -> str | None:
        if tables is None:
            return None
        root = repository_root()
        inside = (root / tables).resolve()
        below = inside.relative_to(root).parts if inside.is_relative_to(root) else ()
        if foreign_path(tables) or not below or below[0] in WORKSPACE:
            raise ValueError(f"expected a folder of its own inside of the repository, {root}, found '{tables}'")
        return tables

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: list[str] | None) -> list[str] | None:
        return None if metrics is None else [known_name(name, Metric) for name in metrics]

    @field_validator("cells")
    @classmethod
    def _named(cls, cells: dict[str, Any]) -> dict[str, Any]:
        for name in cells:
            if not name.strip() or len(name) > LONGEST_CELL or not name.isprintable():
                raise ValueError(f"expected names of 1 to {LONGEST_CELL} printable characters, found {quoted(name)}")
        if clash := clash_of(cells, "cells"):
            raise ValueError(f"expected names that differ from each other, found {clash}")
        return cells

    def seed_list(self) -> list[int]:
        """Return the seeds; of cross-validation, one for each repetition."""
        if self.folds is not None:
            return list(range(1, (self.repeats or 1) + 1))
        seeds = DEFAULT_SEEDS if self.seeds is None else self.seeds
        return list(range(1, seeds + 1)) if isinstance(seeds, int) else seeds


LONGEST_CELL = 60
