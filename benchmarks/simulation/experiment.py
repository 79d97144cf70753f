"""Runs the designs: draws test sets, measures them, and counts."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from unittest.mock import patch
from zlib import crc32

import numpy as np
import pandas as pd

from mlx.evaluation.settings import EvaluationSettings
from mlx.residuals import ResidualsSettings, classification
from mlx.residuals.errors import error_detection
from mlx.residuals.layers import layer_analysis
from mlx.residuals.scores.analysis import FailureScores
from mlx.results.questions import Question, Statistic
from mlx.results.tests import TestResult
from mlx.stats import permutation
from mlx.stats.gates import ValidationErrors
from mlx.stats.status import Reason
from simulation.cells import IntervalCell, PCell, frame
from simulation.comparisons import compared_classifiers, compared_regressions
from simulation.designs import Design, why_not_null
from simulation.drawn import DrawnDesign
from simulation.real import RealDesign
from simulation.regressions import RegressionDesign, regression_metrics, regression_outcomes
from simulation.sample import Sample
from simulation.targets import Outcome, evaluation_outcomes, residual_outcomes

BLOCK = 10
"""Test sets that one task draws."""

DRAWS = 20261126
"""Part of every seed: changed when all methods have been chosen."""

TESTS, EVALUATION, RESIDUALS, COMPARE = "tests.csv", "evaluation.json", "residuals.json", "mlx compare"

Found = list[tuple[str, Outcome]]
Task = tuple[Design, str, int, int]

NULL, SIMILARITY, METRICS = "under the null", "of similarity", "of metrics"
"""What is measured of a test set: p-values of true nulls; intervals of the residuals analysis; other intervals."""

POPULATION = {SIMILARITY: 25_000, METRICS: 200_000}
"""Samples from which the population's values are taken."""

CHEAP = 4
"""Times as many test sets are drawn where measuring takes milliseconds."""

NO_GEOMETRY = TestResult(
    question=Question.GEOMETRY_ADDS, statistic=Statistic.AUROC_DIFFERENCE, status=Reason.NO_SCORE_TO_ADD()
)
UNREAD = (
    (classification, "failure_scores", FailureScores(tests=(NO_GEOMETRY,))),
    (classification, "temperature_curve", ()),
    (layer_analysis, "geometry_of", ()),
    (error_detection, "_cross_validated", 0.5),
)
"""Functions that take a third of the time of an analysis, whose results are not counted, and what they return here."""


def kinds(design: Design) -> dict[str, int]:
    """Return the kinds of test sets of a design, and how many times as many of each."""
    if isinstance(design, DrawnDesign | RealDesign):
        return {NULL: 1, SIMILARITY: 1, METRICS: CHEAP}
    return {NULL: CHEAP, METRICS: CHEAP}


def measured(task: Task) -> list[Found]:
    """Measure the test sets of ``count`` seeds from the first on."""
    design, kind, first, count = task
    found = []
    for seed in range(first, first + count):
        entropy = [DRAWS, crc32(f"{design.name} {kind}".encode()), design.n, seed]
        found.append(outcomes(design, np.random.default_rng(entropy), design.n, kind, seed))
    return found


def outcomes(design: Design, generator: np.random.Generator, n: int, kind: str, seed: int) -> Found:
    """Return the outcomes of one test set, each with the file that it is from."""
    null = kind == NULL
    drawn = design.draw(generator, n, null=null)
    resamples = {"n_permutations": 99, "n_bootstrap": 100} if null else {"n_permutations": 19, "n_bootstrap": 200}
    settings = ResidualsSettings(seed=seed, projections=[], **resamples)
    metrics = EvaluationSettings(seed=seed, n_bootstrap=200)
    if isinstance(design, DrawnDesign | RealDesign):
        [validation] = _validation(design, generator, n, null, of=design.validated)
        if kind == METRICS:
            parts = {EVALUATION: evaluation_outcomes(drawn, validation, metrics)}
        else:
            parts = {TESTS: residual_outcomes(drawn, validation, settings)}
    elif isinstance(design, RegressionDesign):
        true, pred, first, second = drawn
        parts = {
            RESIDUALS: regression_outcomes(true, pred, settings),
            EVALUATION: regression_metrics(true, pred, metrics),
            COMPARE: compared_regressions(true, first, second),
        }
    else:
        parts = {COMPARE: compared_classifiers(drawn, _validation(design, generator, n, null, of=0.5))}
    with only_what_is_counted(p_values=null):
        return [(source, one) for source, part in parts.items() for one in part]


@contextmanager
def only_what_is_counted(*, p_values: bool) -> Iterator[None]:
    """Leave out what takes long and is not counted; p-values, where they are not, take few permutations."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(permutation, "PER_TEST", permutation.PER_TEST if p_values else 1))
        for module, name, value in UNREAD:
            stack.enter_context(patch.object(module, name, return_value=value))
        yield


def _validation(
    design: Design, generator: np.random.Generator, n: int, null: bool, *, of: float
) -> tuple[ValidationErrors | None, ...]:
    """Draw validation samples, a share ``of`` the test samples, and count the errors of each model."""
    if not of:
        return (None,)
    drawn = design.draw(generator, round(n * of), null=null)
    models = [drawn] if isinstance(drawn, Sample) else drawn
    return tuple(ValidationErrors(len(one.y_pred), one.n_errors) for one in models)


@cache
def _population(design: Design) -> dict[str, float]:
    generators = {kind: np.random.default_rng(3) for kind in kinds(design) if kind != NULL}
    found = [one for kind, own in generators.items() for one in outcomes(design, own, POPULATION[kind], kind, 0)]
    known = design.known if isinstance(design, RegressionDesign) else {}
    return {one.target: one.estimate for _, one in reversed(found)} | known


def population(design: Design) -> dict[str, float]:
    """Return the value of every statistic in a design's population, which is the same for every n."""
    return _population(replace(design, n=0))


def simulate(design: Design, runs: int, apply: Callable) -> list[PCell | IntervalCell]:
    """Count what the p-values and the intervals of a design do in so many runs, each with a map ``apply``."""
    tasks = [
        (design, kind, first, min(BLOCK, times * runs - first))
        for kind, times in kinds(design).items()
        for first in range(0, times * runs, BLOCK)
    ]
    counts = Counts(design)
    blocks = apply(measured, tasks)
    [counts.truth] = apply(population, [design])
    for (_, kind, *_), block in zip(tasks, blocks, strict=True):
        for found in block:
            counts.add(found, null=kind == NULL)
    return [*counts.p.values(), *counts.intervals.values()]


class Counts:
    """Cells of one design, which the outcomes of its test sets fill."""

    def __init__(self, design: Design) -> None:
        self.design, self.truth = design, dict[str, float]()
        self.p, self.intervals = dict[str, PCell](), dict[str, IntervalCell]()

    def add(self, found: Found, *, null: bool) -> None:
        """Count the first outcome of each target."""
        first = {one.target: (source, one) for source, one in reversed(found)}
        for source, one in reversed(first.values()):
            cell = (source, one.target, self.design.name, self.design.n)
            tests_calibration = source == EVALUATION and not null
            if null or tests_calibration:
                p = self.p.setdefault(one.target, PCell(*cell, reason=why_not_null(self.design, one.target)))
                if not p.reason:
                    p.add(one)
            if not null and not one.target.startswith("weak slice"):  # whose population changes with the slice
                interval = self.intervals.setdefault(one.target, IntervalCell(*cell))
                interval.add(one, self.truth.get(one.target, np.nan))


def tables(cells: Iterable[PCell | IntervalCell]) -> dict[str, pd.DataFrame]:
    """Return the tables of p-values and of intervals, without the statistics that are defined without them."""
    cells = list(cells)
    found = {}
    for name, kind in (("p_values", PCell), ("intervals", IntervalCell)):
        table = frame(cell for cell in cells if isinstance(cell, kind))
        told = table["given"] > 0
        if kind is IntervalCell:
            told |= table["reason"].str.contains("no interval")
        statistic = table.assign(told=told).groupby(["source", "target"], sort=False)["told"]
        table = table.assign(order=statistic.ngroup())[statistic.transform("any")]
        found[name] = table.sort_values("order", kind="stable").drop(columns="order")
    return found
