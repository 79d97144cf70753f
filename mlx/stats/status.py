"""Why a result, or a part of it, is missing: a code with its numbers, and the sentence made from it."""

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any


class Reason(Enum):
    """What is missing and why; the value is the sentence, with ``{}`` for a number or a name.

    A member is called for its `Status`: ``Reason.TOO_FEW_SAMPLES(4)``.
    """

    OK = "ok"
    DUPLICATES = "{}; {} of {} samples are exact duplicates of others, counted as independent"
    DUPLICATE_SAMPLES = "{} of {} samples are exact duplicates of others, counted as independent"
    # Statistics that are undefined.
    TOO_FEW_SAMPLES = "too few samples (n < {})"
    TOO_MANY_PAIRS = "too many samples to visit all pairs (n > {})"
    ONE_GROUP = "fewer than two groups"
    FEW_GROUPS_IN_CLASS = "fewer than {} groups in a class"
    FEW_GROUPS = "fewer than {} groups"
    FEW_EFFECTIVE_ERRORS = "fewer than {} effective errors in groups"
    FEW_EFFECTIVE_CORRECT = "fewer than {} effective correct in groups"
    NOT_BY_GROUP = "not by group"
    TOO_FEW_BEYOND_GROUPS = "fewer than {} samples beyond the groups"
    NEVER_PREDICTED = "never predicted"
    CONSTANT_WITHIN_GROUPS = "constant {} within groups"
    CONSTANT = "constant {}"
    SIDE_TIED = "all {} tied within rounding"
    BINS_TOO_COARSE = "bins too coarse (bound {} > {})"
    NO_ERRORS = "no errors"
    ALL_WRONG = "all wrong"
    TOO_FEW_OF_A_KIND = "fewer than {} errors or correct"
    TOO_MANY_CATEGORIES = "more than {} categories"
    ONE_CLASS_TESTED = "only one class in the test set"
    PROBABILITY_ZERO = "infinite, {} probability 0 for {} class"
    BEYOND_RANGE = "beyond the largest number"
    # Evaluation.
    FEW_EXPECTED_ERRORS = "fewer than {} expected errors"
    FEW_EXPECTED_OF_EQUAL_CLASSES = "fewer than {} expected errors or correct where all classes count the same"
    FEW_EXPECTED_CORRECT = "fewer than {} expected correct"
    FEW_VALIDATION_ERRORS = "fewer than {} errors among {} validation samples, too few to say how many to expect"
    FEW_VALIDATION_CORRECT = "fewer than {} correct among {} validation samples, too few to say how many to expect"
    NOTHING_TO_CHANCE = "predictions leave nothing to chance"
    LOG_LOSS_IS = "log loss is {}"
    NOT_TESTED_NOR_PREDICTED = "not in the test set, never predicted"
    NOT_TESTED = "not in the test set"
    ONLY_CLASS_TESTED = "the only class in the test set"
    # Shape of a layer.
    ONE_PREDICTED_CLASS = "fewer than two predicted classes"
    ONE_CLASS = "fewer than two classes"
    CENTERS_COINCIDE = "a class center coincides with the center of all"
    NO_WEIGHTS = "no nc3 (no weights of a last layer)"
    ZERO_WEIGHTS = "no nc3 (weights are all 0)"
    TOO_LARGE_TO_FILL = "sparse layer of more than {} MiB when filled"
    TOO_FEW_POSITIONS = "fewer than {} samples of different position"
    EQUALLY_FAR = "neighbors are equally far (values on a grid)"
    NO_STRUCTURE = "no structure beyond noise"
    # Scores of failure.
    NO_LOGITS = "no logits"
    REFERENCE = "the score that the others are compared with"
    FEW_TO_FIT = "fewer than {} errors or correct in the half of validation that fits"
    NO_SCORE_TO_ADD = "no score of the first layer"
    SEPARATED = "errors are separated perfectly"
    SHARED_CLASS_MEANS = "scores share class means"
    NO_WEIGHT = "validation gives geometry no weight"
    NOT_CONVERGED = "no convergence in {} iterations"
    # Weak slices.
    NO_VARYING_FACTOR = "no factor that varies"
    NO_ERRORS_TO_FIND_BY = "no errors in the half that looks for slices"
    ALL_WRONG_TO_FIND_BY = "all wrong in the half that looks for slices"
    NO_WEAK_SLICE = "no slice has more errors than the rest"
    NO_LARGE_SLICE = "no slice has larger residuals than the rest"
    EMPTY_SLICE = "no samples in the half that measures"
    WHOLE_SLICE = "holds for every sample that measures"
    # Similarities of one sample, and of one class.
    ONLY_SAMPLE = "the only sample"
    NEIGHBORS_NOT_SEARCHED = "neighbors not searched (too few or too many samples)"
    NO_OTHER_CLASS = "no other predicted class"
    ONLY_GROUP = "the only group"
    ALONE_IN_PREDICTED_CLASS_AS_GROUP = "alone with its group in its predicted class"
    ALONE_IN_TRUE_CLASS_AS_GROUP = "alone with its group in its true class"
    ALONE_IN_PREDICTED_CLASS = "alone in its predicted class"
    OTHERS_CANCEL = "the others of its class cancel out"
    ALONE_IN_TRUE_CLASS = "alone in its true class"
    ZERO_REPRESENTATION = "zero representation"
    TOO_MANY_SAMPLES = "more than {} samples"
    INFINITE_LOG_LOSS = "log loss: {}"
    # Intervals.
    NO_INTERVAL = "no interval ({})"
    NO_P = "no p ({})"
    NO_TEST = "no p and no interval ({})"
    TOO_FEW = "n < {}"
    CLASSES_TOO_SMALL = "mean class size < {}"
    CLASSES_TOO_SMALL_BY_GROUP = "mean class size in groups < {}"
    FEW_ERRORS = "fewer than {} errors"
    FEW_CORRECT = "fewer than {} correct"
    FEW_OF_A_SIDE = "fewer than {} samples of a side"
    FEW_EXPECTED_OF_A_SIDE = "fewer than {} errors or correct expected of a side"
    FEW_SAMPLES = "fewer than {} samples"
    PERFECT_ORDER = "perfect order"
    EXACT_RELATION = "exact relation"
    FEW_CARRY_THE_SPREAD = "few samples carry the spread"
    RESAMPLES_WITHOUT_SPREAD = "resamples without spread"
    AT_END_OF_RANGE = "at the end of its range"
    NO_SPREAD = "no spread to measure"
    ALL_ZERO = "all are 0"
    ALL_THE_SAME = "all are the same"
    CLASS_TOO_SMALL = "a class has fewer than {} samples"
    CLASS_TOO_SMALL_BY_GROUP = "a class has fewer than {} effective samples in groups"
    CLASS_OR_REST_TOO_SMALL = "a class or its rest has fewer than {} samples"
    SHARED_SAMPLES = "samples are shared"
    SHARED_TRAINING_DATA = "folds share training data"
    BIASED_CALIBRATION = "a calibration error is pushed up from 0 by noise"
    BIASED_SHARE = "a share of variance is pushed up from 0 by noise"
    # Several models, several runs.
    TOO_FEW_DIFFERENCES = "too few differences (fewer than {} expected samples that one model alone gets right)"
    DIFFERENT_TEST_SETS = "different test sets (shared: {} of {} and {} samples)"
    MANY_GROUPS = "more than {} groups"
    ALL_TRAINED_ON = "every shared test sample trained one of the models"
    NO_RECORDED_OUTPUTS = "no recorded predictions of {}"
    DIFFERENT_DATASETS = "different datasets share no test samples"
    NO_SHARED_SAMPLES = "no shared test samples"
    DIFFERENT_LABELS = "the labels of shared test samples differ: the data have changed between the runs"
    TOO_WIDE = "layer of more than {} features"
    BIASED_BY_BINNING = "binning biases each model by another amount"
    OTHER_TEST_SAMPLES = "the cells have other test samples"
    SEEDS_NEEDED = "three seeds needed"
    SEEDS_AGREE = "all seeds agree: other samples only"
    APPROXIMATE = "approximate"
    TEMPERATURE_AT_BOUND = "log loss still falls at the temperature {}, the bound"
    FULL_SETS = "full sets (calibration samples < {})"
    # Recalibration and prediction sets.
    ZERO_PROBABILITIES = "{} probabilities of validation samples are 0, whose logarithms are infinite"
    FEW_VALIDATION_IN_CLASS = "a class has fewer than {} validation samples to fit to"
    WEIGHTS_AT_BOUND = "{} of {} weights are at their bounds, as log loss still falls there"
    NO_VALIDATION = "no recorded outputs for validation samples"
    FEW_VALIDATION = "fewer than {} validation samples to fit to"
    UNCHANGED = "the predictions as they are"
    NONE_COVERED_WORSE = "no group is covered less than all samples by more than chance"
    TOO_FEW_TRAINING = "no normalized intervals (fewer than {} training samples)"
    SPARSE_LAYER = "no normalized intervals (a sparse layer that is too large to be filled)"
    NO_TRAINING = "no normalized intervals (no recorded outputs for training samples)"
    EPOCH_CHOSEN = "validation chose the epoch: its scores may be lower than those of new samples"
    # Samples to look at.
    NOT_RECORDED = "no recorded {} samples"
    NONE_RIGHT = "no validation sample is right"
    NOT_RECALIBRATED = "flawless count of probabilities that are not recalibrated (no recorded validation samples)"
    NO_TRAINING_EVIDENCE = "no outputs of cross-fitting and no training dynamics"
    RANKED_ONLY = "ranked, as training.cross_fit is 0 and a ranking has no threshold"
    NOT_CONFIRMED = "not confirmed in the inputs, which are unknown"
    ALL_LEAKED = "every test sample is in another part, too"
    # Residuals of a regression.
    BEYOND_LARGEST_NUMBER = "residuals beyond the largest number"
    NO_CLASSICAL_TESTS = "no tests of normality, spread and memory (n < {})"
    NO_CLASSICAL_BY_GROUP = "no p of normality, spread and memory (not by group)"
    NO_LEVERAGE = "no leverage ({})"
    NO_PREDICTION_INTERVAL = "no prediction interval ({})"
    NO_STANDARD_ERROR = "no standard error ({})"
    NO_FREEDOM = "no residual degrees of freedom ({} coefficients for {} training samples)"
    NOT_LEAST_SQUARES = "the fitted coefficients are not those of least squares"
    NOT_DETERMINED = "not determined: the features depend on each other in the training samples"
    OUTSIDE_SPAN = "{}: no leverage of {} of {} samples, which leave what those span"
    DEPENDENT_FEATURES = "dependent features (rank {} of {} in the training samples)"

    def __call__(self, *values: object) -> "Status":
        """Return the status of this reason, with its numbers and names."""
        return Status(self, values)


@dataclass(frozen=True)
class Status:
    """A reason with what its sentence has to name; its text is the sentence.

    Attributes
    ----------
    reason
        Of `Reason`.
    values
        What stands in the sentence, in order: numbers, names, or the status that says why.
    """

    reason: Reason
    values: tuple[object, ...] = ()

    def __str__(self) -> str:
        return self.reason.value.format(*self.values)

    @property
    def is_ok(self) -> bool:
        """Whether nothing is missing."""
        return self.reason is Reason.OK

    @classmethod
    def parse(cls, text: str) -> "Status":
        """Return the status that a sentence stands for.

        Raises
        ------
        ValueError
            No reason has this sentence.
        """
        for reason, pattern in _patterns():
            if found := pattern.fullmatch(text):
                return cls(reason, tuple(_value(value) for value in found.groups()))
        raise ValueError(text)


OK = Reason.OK()


def no_interval(why: Status) -> Status:
    """Return the status of an estimate without an interval."""
    return Reason.NO_INTERVAL(why)


@cache
def _patterns() -> tuple[tuple[Reason, re.Pattern[str]], ...]:
    # The longest first: a shorter sentence may take the end of a longer one for its name.
    longest = sorted(Reason, key=lambda reason: -len(reason.value))
    return tuple((reason, re.compile(re.escape(reason.value).replace(r"\{\}", "(.+)"))) for reason in longest)


def _value(text: str) -> Any:
    with suppress(ValueError):
        return int(text) if text.isdecimal() else Status.parse(text)
    return text


@dataclass(frozen=True)
class ClassStatus:
    """Statuses of both correlations in a class; as text one sentence where they agree."""

    pearson: Status
    spearman: Status

    def __str__(self) -> str:
        if self.pearson == self.spearman:
            return str(self.pearson)
        each = {"pearson": self.pearson, "spearman": self.spearman}
        return "; ".join(f"{statistic}: {status}" for statistic, status in each.items() if not status.is_ok)

    @classmethod
    def parse(cls, text: str) -> "ClassStatus":
        """Return the statuses that a text stands for.

        Raises
        ------
        ValueError
            The text is not that of a status.
        """
        pattern = r"(?:pearson: (?P<pearson>.+?))?(?:; )?(?:spearman: (?P<spearman>.+))?"
        if not text or not (found := re.fullmatch(pattern, text)):
            both = Status.parse(text)
            return cls(both, both)
        pearson, spearman = (Status.parse(part) if part else OK for part in found.groups())
        return cls(pearson, spearman)
