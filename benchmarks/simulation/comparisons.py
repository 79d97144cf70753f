"""What `mlx compare` says of two models on one simulated test set."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlx.pipeline.model_outputs import ModelOutputs
from mlx.results.comparison import SharedSamples
from mlx.runs.paired_tests import paired_tests
from mlx.runs.run import Run, Summary
from mlx.runs.shared_samples import SharedOutputs
from mlx.stats.gates import ValidationErrors
from mlx.stats.groups import Groups
from simulation.sample import Sample
from simulation.targets import Outcome

LEVEL, N_BINS = 0.95, 10


def compared_classifiers(pair: tuple[Sample, Sample], validation: tuple[ValidationErrors, ...]) -> Iterator[Outcome]:
    """Yield the difference of each metric of two classifiers, second minus first."""
    names = tuple(str(label) for label in range(pair[0].probabilities.shape[1]))
    outputs = [
        _outputs(one.y_true, one.y_pred, one.representation, one.probabilities, names, errors)
        for one, errors in zip(pair, validation, strict=True)
    ]
    labels = pair[0].group_labels
    return _compared(outputs, None if labels is None else Groups.of(labels))


def compared_regressions(true: np.ndarray, first: np.ndarray, second: np.ndarray) -> Iterator[Outcome]:
    """Yield the difference of each metric of two regressions."""
    return _compared([_outputs(true, pred, pred[:, None]) for pred in (first, second)])


def _outputs(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    layer: np.ndarray,
    probabilities: np.ndarray | None = None,
    class_names: tuple[str, ...] = (),
    validation: ValidationErrors | None = None,
) -> ModelOutputs:
    return ModelOutputs(
        task="classification" if class_names else "regression",
        class_names=class_names,
        y_true=y_true,
        y_pred=y_pred,
        index=np.arange(len(y_true)),
        layers={"layer": layer},
        probabilities=probabilities,
        logits=None,
        model="simulated",
        linear_fit=None,
        validation=validation,
    )


def _compared(outputs: list[ModelOutputs], groups: Groups | None = None) -> Iterator[Outcome]:
    first, second = (Run(Path(name), Summary.model_construct()) for name in ("first", "second"))
    rows, n = outputs[0].index, len(outputs[0].index)
    samples = SharedSamples(first=first.id, second=second.id, n_first=n, n_second=n, n_shared=n, n=n)
    shared = SharedOutputs(samples, tuple(outputs), (rows, rows), groups)
    for test in paired_tests(first, second, shared, level=LEVEL, n_bins=N_BINS):
        numbers = (test.difference, test.low, test.high, test.p)
        yield Outcome(f"difference of {test.metric}", *numbers, str(test.status), test.method)
