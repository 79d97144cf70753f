"""What a model is to learn, and the shape of its data."""

import math
from dataclasses import dataclass, field

from mlx.core.descriptions import ModelDescription, SplitsDescription, Task

BOTH_TASKS: frozenset[Task] = frozenset({"classification", "regression"})


@dataclass(frozen=True)
class TaskSpec:
    """The task of a model, and the shape of its data.

    Attributes
    ----------
    task
        Classification, or regression of one number.
    sample_shape
        Of one input sample.
    n_classes
        Number of classes K; 0 for regression.
    class_names
        K names, for messages; empty where they are not known.
    """

    task: Task
    sample_shape: tuple[int, ...]
    n_classes: int
    class_names: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, described: SplitsDescription | ModelDescription) -> "TaskSpec":
        """Return the task of described data, or of a described model."""
        names = tuple(described.class_names)
        return cls(described.task, tuple(described.sample_shape), len(names), names)

    @property
    def n_features(self) -> int:
        """How many numbers a sample has."""
        return math.prod(self.sample_shape)

    @property
    def n_outputs(self) -> int:
        """How many values are predicted: one for each class, or one value."""
        return max(self.n_classes, 1)
