"""Judges a run by rules, some of them against another run or the recipe of a study, by intervals alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.errors import SettingsError
from mlx.core.metrics import LEVELS
from mlx.core.settings import nearest
from mlx.pipeline.model_outputs import ModelOutputs, open_model_outputs
from mlx.results.comparison import PRIMARY, Metric, metrics_of
from mlx.results.study import Question
from mlx.runs.paired_tests import paired_tests
from mlx.runs.rescore import SPELLINGS
from mlx.runs.shared_samples import SharedOutputs, shared_outputs
from mlx.stats.seed_differences import difference_over_seeds
from mlx.stats.status import Reason, Status
from mlx.studies.cells import estimate_cell
from mlx.studies.differences import why_not_compared
from mlx.studies.gate import Judgment, Rule
from mlx.studies.measure import measure_cell
from mlx.studies.subjects import Subject

NAN = float("nan")


@dataclass(frozen=True)
class _Difference:
    """A difference, run less the other, with its interval."""

    estimate: float
    low: float
    high: float
    confidence: float
    about: str


def judge(run: Subject, rules: Sequence[Rule], against: Sequence[Subject] = ()) -> list[Judgment]:
    """Judge a run by rules.

    Parameters
    ----------
    run
        What is checked.
    rules
        At least one; those about a difference need ``against``.
    against
        Another run, or the runs of a recipe, which differ in their seeds alone.

    Raises
    ------
    SettingsError
        A rule names an unknown metric, or compares while there is nothing to compare with; or the run is one of those
        that it is compared with.
    ArtifactError
        What a model predicted is damaged.
    """
    for other in against:
        if other.folder == run.folder:
            raise SettingsError(f"--against: expected another run than {run.id}, found the run itself")
    rules = [replace(rule, metric=_known(rule.metric, run)) for rule in rules]
    differences: dict[str, _Difference] = {}
    if any(rule.is_relative for rule in rules):
        if not against:
            raise SettingsError("expected --against RUN, as a rule compares with another run, found none")
        differences = _between_two(run, against[0]) if len(against) == 1 else _to_recipe(run, against)
    return [_relative(rule, differences) if rule.is_relative else _absolute(rule, run) for rule in rules]


def _known(name: str, run: Subject) -> str:
    lowered = name.lower().replace("-", "_")
    metrics = run.metrics()
    numbers = [key for key, value in metrics.items() if not isinstance(value, str) and key not in {"n", *LEVELS}]
    known = dict.fromkeys(key for key in numbers if not key.endswith(("_low", "_high")))
    known |= dict.fromkeys(map(str, _of_task(run)))
    found = lowered if lowered in known else SPELLINGS.get(lowered, lowered)
    if found not in known:
        raise SettingsError(
            f"expected a metric of the run, one of {', '.join(known)}, found '{name}'"
            f"{nearest(lowered, [*known, *SPELLINGS])}"
        )
    return found


def _of_task(run: Subject) -> list[Metric]:
    return metrics_of(open_model_outputs(run.workspace.representations).task)


def _absolute(rule: Rule, run: Subject) -> Judgment:
    """Judge by the interval that the metrics files have; where they have none, by that of the recorded outputs."""
    metrics = run.metrics()
    value, low, high = (_number(metrics.get(f"{rule.metric}{end}")) for end in ("", "_low", "_high"))
    about, level = f"{Question.MODEL}", float(run.evaluation.confidence)
    if np.isnan(low) and rule.metric in set(Metric):
        values = measure_cell([open_model_outputs(run.workspace.representations)], n_bins=run.evaluation.n_bins)
        row = estimate_cell("", values[Metric(rule.metric)], level=level)[0]
        value, low, high = row.estimate, row.low, row.high
        about = f"{about}: {row.method}" if row.status.is_ok else str(row.status)
    elif np.isnan(low):
        about = str(metrics.get(f"{rule.metric}_status") or "no interval")
    return Judgment(rule, value, low, high, level, rule.verdict(low, high), about)


def _relative(rule: Rule, differences: dict[str, _Difference]) -> Judgment:
    found = differences.get(rule.metric)
    if found is None:
        known = ", ".join(differences)
        raise SettingsError(f"{rule}: expected a metric with a paired test, one of {known}, found '{rule.metric}'")
    verdict = rule.verdict(found.low, found.high)
    return Judgment(rule, found.estimate, found.low, found.high, found.confidence, verdict, found.about)


def _between_two(run: Subject, other: Subject) -> dict[str, _Difference]:
    """Compare two models on the samples that they share, as `mlx compare` does."""
    shared = shared_outputs(other, run)
    if not shared.outputs:
        return _none(shared.samples.status, run)
    settings = other.evaluation
    tests = paired_tests(other, run, shared, level=settings.confidence, n_bins=settings.n_bins)
    found = {}
    for test in tests:
        low, high, about = test.low, test.high, f"{Question.MODEL}: {test.method}; n = {test.n}"
        if test.status.reason is Reason.NO_TEST and test.difference == 0 and _are_equal(shared):
            low = high = 0.0
            about = "both models predict the same"
        elif not test.status.is_ok:
            about = str(test.status) if np.isnan(low) else f"{about}; {test.status}"
        found[str(test.metric)] = _Difference(test.difference, low, high, settings.confidence, about)
    return found


def _are_equal(shared: SharedOutputs) -> bool:
    first, second = (
        (one.probabilities if one.probabilities is not None else one.y_pred)[rows]
        for one, rows in zip(shared.outputs, shared.rows, strict=True)
    )
    return np.array_equal(first, second)


def _to_recipe(run: Subject, recipe: Sequence[Subject]) -> dict[str, _Difference]:
    """Compare a model with the mean of the runs of a recipe, for other samples, and other seeds of the recipe."""
    shared = [shared_outputs(other, run) for other in recipe]
    if missing := [one for one in shared if not one.outputs]:
        return _none(missing[0].samples.status, run)
    if len({one.rows[1].tobytes() for one in shared}) > 1:
        return _none(Reason.OTHER_TEST_SAMPLES(), run)
    settings = recipe[0].evaluation
    theirs = [_restricted(one.outputs[0], one.rows[0]) for one in shared]
    first = measure_cell(theirs, n_bins=settings.n_bins, groups=shared[0].groups)
    ours = [_restricted(shared[0].outputs[1], shared[0].rows[1])]
    second = measure_cell(ours, n_bins=settings.n_bins, groups=shared[0].groups)
    found = {}
    for metric, values in second.items():
        difference, low, high = values.mean - first[metric].mean, NAN, NAN
        why = why_not_compared(first[metric], values)
        why = Reason.BIASED_BY_BINNING() if values.bias is not None else why
        about = str(Reason.NO_INTERVAL(why))
        if why.is_ok:
            compared = difference_over_seeds(first[metric].table, values.table, settings.confidence)
            low, high, status = compared.interval.low, compared.interval.high, compared.interval.why_missing
            about = f"this model, and other seeds of the recipe, other samples: {compared.interval.method}"
            about = about if status.is_ok else str(Reason.NO_INTERVAL(status))
        found[str(metric)] = _Difference(difference, low, high, settings.confidence, about)
    return found


def _restricted(outputs: ModelOutputs, rows: "np.ndarray[tuple[int, ...], np.dtype[np.intp]]") -> ModelOutputs:
    """Return outputs on some of the samples, with the layer of the headline alone."""
    name, layer = next(iter(outputs.layers.items()))
    return replace(
        outputs,
        y_true=outputs.y_true[rows],
        y_pred=outputs.y_pred[rows],
        index=outputs.index[rows],
        layers={name: layer[rows]},
        probabilities=None if outputs.probabilities is None else outputs.probabilities[rows],
        logits=None if outputs.logits is None else outputs.logits[rows],
    )


def _none(why: Status, run: Subject) -> dict[str, _Difference]:
    return {str(metric): _Difference(NAN, NAN, NAN, NAN, str(why)) for metric in _of_task(run)}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else NAN


def primary_metric(run: Subject) -> str:
    """Return what a run is compared by, where nothing is named: accuracy, or the mean absolute error."""
    return str(next(metric for metric in _of_task(run) if metric in PRIMARY))


def tested_metric(name: str, run: Subject) -> Metric:
    """Return the metric of a name, which two models can be compared by.

    Raises
    ------
    SettingsError
        There is none.
    """
    lowered, known = name.lower().replace("-", "_"), [str(metric) for metric in _of_task(run)]
    found = lowered if lowered in known else SPELLINGS.get(lowered, lowered)
    if found not in known:
        hint = nearest(lowered, known)
        raise SettingsError(f"--metric: expected one of {', '.join(known)}, found '{name}'{hint}")
    return Metric(found)
