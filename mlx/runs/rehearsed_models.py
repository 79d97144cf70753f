"""What a dry run tries of a model: enough to fail where a run would, and not a whole fit."""

import math
from dataclasses import dataclass
from typing import Any

from mlx.core.errors import SettingsError
from mlx.core.settings import Settings
from mlx.models import DirectModel, Model, ModelSettings, TaskSpec
from mlx.models.in_sklearn import gradient_boosting, svm
from mlx.models.in_sklearn.params import (
    GradientBoostingParams,
    LogisticRegressionParams,
    RandomForestParams,
    SvmParams,
)

FIRST_ROWS = 512
"""So many samples are kept to be passed through the model."""

FEW = 16
"""Samples of a training step of the rehearsal: enough to see the loss, few enough for a large network."""

FEWEST = 2
"""Samples of such a step of a network so large that more would take minutes."""

VALUES_OF_ONE_NUMBER = 2 * 10**12
"""About how many products a step may cost: at most so many weights times numbers of its samples."""

DIRECT_VALUES = 1 << 22
"""About how many numbers a model that is fitted in one go is given: a large image makes the samples fewer."""

SVM_PRODUCTS = 10**8
"""Products of two samples' features in a support vector machine's kernel, of which it needs all pairs."""

OPTIMIZER_COPIES = 4
"""Weights, gradients and two moments: what training holds of every parameter."""

MOST_UNKNOWNS = 2000
"""Unknowns up to which newton-cholesky is tried: it solves for all at once, in their third power of steps."""


@dataclass(frozen=True)
class Lighter:
    """A model's settings with fewer rounds, the rows to fit it to, and what is thereby not tried.

    Attributes
    ----------
    settings : those of the model to rehearse.
    rows : training samples that it is given.
    note : what of the fit is tried, for the reader.
    """

    settings: ModelSettings
    rows: int
    note: str


def lighter(settings: ModelSettings, model: Model, n_train: int, fewest: int | None) -> Lighter:
    """Return what to rehearse of a model that is fitted in one go.

    Parameters
    ----------
    model : as the run will build it.
    n_train : training samples of the run.
    fewest : training samples of the smallest class, where known.

    Raises
    ------
    DataError
        The training samples are too few for what is asked.
    """
    task_spec, params = model.task_spec, settings.parameters()
    if isinstance(params, GradientBoostingParams):
        gradient_boosting.refuse_few(params, n_train, task_spec.n_classes)
    if isinstance(params, SvmParams) and fewest is not None:
        svm.refuse_few(params, fewest)
    rows = _rows(params, task_spec, n_train)
    changes, tried = _changes(params, task_spec)
    rehearsed = settings.model_copy(update={"params": settings.params | changes})
    what = f"{tried}, " if tried else "a fit "
    return Lighter(rehearsed, rows, f"rehearsed: {what}to {rows} of {n_train} training samples; not the whole fit")


def _rows(params: Settings, task_spec: TaskSpec, n_train: int) -> int:
    sample = math.prod(task_spec.sample_shape)
    rows = min(FIRST_ROWS, DIRECT_VALUES // sample)
    if isinstance(params, SvmParams):
        rows = min(rows, math.isqrt(SVM_PRODUCTS // sample))
    return min(n_train, max(rows, 2 * task_spec.n_classes, FEW))


def _changes(params: Settings, task_spec: TaskSpec) -> tuple[dict[str, Any], str]:
    """Return the parameters that make a fit short, and what remains of it."""
    match params:
        case GradientBoostingParams():
            return {"early_stopping": False, "max_iter": 1}, f"1 of {params.max_iter} rounds fitted"
        case RandomForestParams():
            return {"n_estimators": 1}, f"1 of {params.n_estimators} trees fitted"
        case SvmParams():
            limit = 100 if params.max_iter == -1 else min(100, params.max_iter)
            return {"max_iter": limit} | ({"cv": 2} if task_spec.n_classes else {}), f"{limit} iterations fitted"
        case LogisticRegressionParams():
            limit = min(2, params.max_iter)
            unknowns = math.prod(task_spec.sample_shape) * task_spec.n_classes
            if params.solver == "newton-cholesky" and unknowns > MOST_UNKNOWNS:
                why = f"newton-cholesky solves for {unknowns:,} unknowns at a time"
                return {"max_iter": limit, "solver": "lbfgs"}, f"{limit} iterations of lbfgs, as {why}, fitted"
            return {"max_iter": limit}, f"{limit} of {params.max_iter} iterations fitted"
    return {}, ""


def memory_of(settings: ModelSettings, model: Model, n_train: int) -> int:
    """Return the bytes that a training takes beyond the libraries, about.

    Of a fit in one go it is the least: all of the samples at once, and a solver's matrix.
    """
    if not isinstance(model, DirectModel):
        return model.n_parameters * 4 * OPTIMIZER_COPIES
    n_features, params = math.prod(model.task_spec.sample_shape), settings.parameters()
    needed = n_train * n_features * (4 if isinstance(params, RandomForestParams) else 8)
    if isinstance(params, LogisticRegressionParams) and params.solver == "newton-cholesky":
        needed += (n_features * model.task_spec.n_classes) ** 2 * 8
    return needed


def refuse_too_large(settings: ModelSettings, model: Model, n_train: int) -> None:
    """Refuse what does not fit into memory before the system ends the process for it.

    Raises
    ------
    SettingsError
        Says how much memory there is, and how much is needed.
    """
    import psutil

    if (needed := memory_of(settings, model, n_train)) > (there := psutil.virtual_memory().total):
        direct = isinstance(model, DirectModel)
        raise SettingsError(
            f"expected at most {size_text(there)} of memory, which is there, found {size_text(needed)} for "
            f"{settings.name}; take "
            f"{'fewer or smaller samples, or another model or solver' if direct else 'smaller widths'}",
            key=("model",),
        )


def size_text(n_bytes: float) -> str:
    """Return a number of bytes to a tenth of a megabyte, or of a gigabyte."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{max(0.1, n_bytes / 1e6):.1f} MB"


def step_rows(model: Model, sample: int) -> int:
    """Return how many samples, of `sample` numbers each, a step of the rehearsal takes."""
    return max(FEWEST, min(FEW, VALUES_OF_ONE_NUMBER // max(1, model.n_parameters * sample)))
