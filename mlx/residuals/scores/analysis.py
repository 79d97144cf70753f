"""Every score of failure of the test samples: its values, how well it ranks errors, and what geometry adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlx.core.array_types import Floats
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.errors.error_detection import ErrorScore
from mlx.residuals.parts import OtherParts
from mlx.residuals.predictions import Predictions
from mlx.residuals.scores.addition import addition_tests, combine
from mlx.residuals.scores.fitted import fitted_scores
from mlx.residuals.scores.measured import adjusted_rows, measure_score
from mlx.residuals.scores.outputs import OF_LOGITS, output_scores
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.directions import Representation
from mlx.results.failure_scores import COMBINATION, MAXIMUM_PROBABILITY, FailureScore
from mlx.results.questions import Question, Score
from mlx.results.tests import TestResult
from mlx.stats.correlation import merge_ties
from mlx.stats.status import Reason, Status

ROUNDING = 1e-12
"""Scores that differ by less than this share of themselves are tied."""

NAMES = {Score.ENTROPY: "entropy", Score.LOW_SIMILARITY: "similarity", Score.LOW_MARGIN: "similarity_margin"}
"""Names in the table of scores of those that are in the table of tests, too."""


@dataclass(frozen=True)
class FailureScores:
    """The scores of failure.

    Attributes
    ----------
    rows
        One a score and layer.
    values
        By the name of the column after ``score.``, (n_samples,), higher meaning more likely wrong; NaN where undefined.
    tests
        Whether geometry adds to the softmax.
    """

    rows: tuple[FailureScore, ...] = ()
    values: Mapping[str, Floats] = field(default_factory=dict)
    tests: tuple[TestResult, ...] = ()


@dataclass(frozen=True)
class TestLayer:
    """One layer of the test samples, with the scores that compare these with each other."""

    layer: str
    representation: Representation
    scores: Sequence[ErrorScore]


def failure_scores(
    layers: Sequence[TestLayer],
    tests: Sequence[TestResult],
    predictions: Predictions,
    others: OtherParts,
    settings: ResidualsSettings,
    *,
    map: OrderedMap = in_order,
) -> FailureScores:
    """Compute every score of failure, measure it, and say whether geometry adds to the softmax.

    Parameters
    ----------
    layers
        Of the test samples, the headline's first.
    tests
        Those of the scores that are in the table of tests, which are not made again.
    predictions
        Of the test samples.
    others
        Training samples, on which scores are fitted, and validation samples, on which their weights are.
    """
    table = _Table(predictions, settings, tests, output_scores(predictions.probabilities, predictions.logits))
    for name, values in table.of_outputs.items():
        table.add(ErrorScore(name, values), "none")
    if predictions.logits is None:
        for name in OF_LOGITS:
            table.rows.append(FailureScore.missing(name, "", "none", Reason.NO_LOGITS()))
    fitted = {one.layer: fitted_scores(one.layer, one.representation, predictions, others, map) for one in layers}
    for place, one in enumerate(layers):
        suffix = f".{one.layer}" if place else ""
        for name, score in fitted[one.layer].items():
            if isinstance(score, Status):
                table.rows.append(FailureScore.missing(name, one.layer, "train", score))
            else:
                table.add(ErrorScore(name, score.test, layer=one.layer), "train", suffix)
        for beside in one.scores:
            table.add(replace(beside, score=NAMES[Score(beside.score)]), "test without labels", suffix)
    first = layers[0].layer
    combined = combine(fitted[first], table.of_outputs, others)
    if isinstance(combined, Status):
        table.rows.append(FailureScore.missing(COMBINATION, first, "train and val", combined))
    else:
        table.add(ErrorScore(COMBINATION, combined.total, layer=first), "train and val")
        if not combined.has_geometry:
            nothing: dict[str, Any] = {"difference": 0.0, "difference_status": Reason.NO_TEST(Reason.NO_WEIGHT())}
            table.rows[-1] = replace(table.rows[-1], **nothing)
    made = addition_tests(table.rows[-1], combined, predictions, seed=settings.seed)
    return FailureScores(adjusted_rows(table.rows, COMBINATION), table.columns, tuple(made))


@dataclass
class _Table:
    """The rows and columns, as they are made."""

    predictions: Predictions
    settings: ResidualsSettings
    tests: Sequence[TestResult]
    of_outputs: Mapping[str, Floats]
    rows: list[FailureScore] = field(default_factory=list)
    columns: dict[str, Floats] = field(default_factory=dict)

    def add(self, score: ErrorScore, fitted_on: str, suffix: str = "") -> None:
        """Measure a score, and keep its values; those that differ by rounding alone are tied."""
        name, values = str(score.score), score.values  # of no data frame
        self.columns[name + suffix] = values
        question = {NAMES[one]: Question.of_score(one) for one in NAMES}.get(name)
        known = [test for test in self.tests if test.question is question and test.layer == score.layer]
        row = measure_score(
            replace(score, values=_tied(values)),
            fitted_on,
            _tied(self.of_outputs[MAXIMUM_PROBABILITY]),
            self.predictions,
            self.settings,
            known=known,
        )
        if name == MAXIMUM_PROBABILITY:
            row = replace(row, difference=0.0, difference_status=Reason.NO_TEST(Reason.REFERENCE()))
        self.rows.append(row)


def _tied(values: Floats) -> Floats:
    return merge_ties(values, 0.0, relative=ROUNDING)
