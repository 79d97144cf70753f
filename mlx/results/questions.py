"""What tests answer: questions, scopes, families of tests, and null hypotheses in words."""

import re
from enum import StrEnum


class Statistic(StrEnum):
    """What a test estimates; the value is the column ``statistic``."""

    PEARSON = "pearson"
    SPEARMAN = "spearman"
    MEAN_ENTROPY = "mean_entropy"
    ENTROPY_DIFFERENCE = "entropy_difference"
    ENTROPY_PRODUCT = "entropy_product"
    SQUARED_DIFFERENCE = "squared_difference"
    AUROC = "auroc"
    AUROC_DIFFERENCE = "auroc_difference"
    LIKELIHOOD_RATIO = "likelihood_ratio"
    AURC = "aurc"
    EAURC = "eaurc"
    AUGRC = "augrc"
    CORRELATION_RATIO = "correlation_ratio"
    ERROR_RATE = "error_rate"
    MEAN = "mean"
    NC1 = "nc1"
    NC2_NORMS = "nc2_norms"
    NC2_ANGLES = "nc2_angles"
    NC2_SIMPLEX = "nc2_simplex"
    NC4 = "nc4"
    TWONN = "twonn"
    VARIANCE_SHARE = "variance_share"
    DEBIASED_CKA = "debiased_cka"


CORRELATIONS = (Statistic.PEARSON, Statistic.SPEARMAN)
"""Statistics of the correlation of similarity with entropy."""


class Score(StrEnum):
    """A score that is meant to be high where the prediction is wrong."""

    ENTROPY = "entropy"
    LOW_SIMILARITY = "low similarity"
    LOW_MARGIN = "low margin"


class Question(StrEnum):
    """What a test answers; the value is the column ``name``, with a word in braces for the subject of the result."""

    SIMILARITY_ENTROPY = "similarity and entropy"
    SIMILARITY_ENTROPY_PAIRS = "similarity and entropy over pairs"
    SIMILARITY_ENTROPY_PAIR_RANKS = "ranks of similarity and entropy over pairs"
    SIMILARITY_ENTROPY_GIVEN_CORRECTNESS = "similarity and entropy given correctness"
    ERROR_BY_ENTROPY = "error by entropy"
    ERROR_BY_LOW_SIMILARITY = "error by low similarity"
    ERROR_BY_LOW_MARGIN = "error by low margin"
    ERROR_BY_SCORES = "error by {scores}"
    GEOMETRY_ADDS = "geometry beside maximum probability"
    ERROR_BY_FACTOR = "error by {factor}"
    ENTROPY_BY_FACTOR = "entropy by {factor}"
    SIMILARITY_BY_FACTOR = "similarity by {factor}"
    ABS_RESIDUAL_BY_FACTOR = "absolute residual by {factor}"
    RESIDUAL_BY_FACTOR = "residual by {factor}"
    WEAK_SLICES = "weak slices"
    SLICE = "slice: {conditions}"
    SILHOUETTE = "silhouette of predicted classes"
    NEURAL_COLLAPSE = "neural collapse"
    INTRINSIC_DIMENSION = "intrinsic dimension"
    PRINCIPAL_COMPONENT = "principal component {number}"
    ALIGNMENT = "alignment of layers"

    @classmethod
    def of_score(cls, score: Score) -> "Question":
        """Return the question of how well a score alone ranks errors."""
        return cls[f"ERROR_BY_{score.name}"]

    def about(self, subject: str) -> str:
        """Return the question on a subject."""
        return re.sub(r"\{\w+\}", lambda _: subject, self.value)

    def subject(self, name: str) -> str | None:
        """Return the subject of the question that `name` is; None where it is another question."""
        before, _, after = self.value.partition("{")
        if not after:
            return "" if name == self.value else None
        return name.removeprefix(before) if name.startswith(before) else None


class FactorTarget(StrEnum):
    """What a factor is related to; the value is the column ``target``."""

    ERROR = "error"
    ENTROPY = "entropy"
    SIMILARITY = "similarity"
    ABS_RESIDUAL = "abs_residual"
    RESIDUAL = "residual"

    @property
    def question(self) -> Question:
        """The question of how a factor is related to it."""
        return Question[f"{self.name}_BY_FACTOR"]

    @property
    def words(self) -> str:
        """Its name in sentences."""
        return self.value.replace("abs_", "absolute ")


class Scope(StrEnum):
    """Over which samples or pairs of samples."""

    ALL_SAMPLES = "all samples"
    POOLED = "pooled"
    WITHIN_CLASS = "within class"
    CLASS = "class"
    ALL_PAIRS = "all pairs"
    SAME_CLASS = "same class"
    HALF = "half of the samples"


FAMILIES = {
    Question.SIMILARITY_ENTROPY: "similarity and entropy{by_class}",
    Question.SIMILARITY_ENTROPY_PAIRS: "similarity and entropy over pairs, {scope}",
    Question.SIMILARITY_ENTROPY_GIVEN_CORRECTNESS: "similarity and entropy given correctness",
    Question.ERROR_BY_ENTROPY: "errors by entropy",
    Question.ERROR_BY_LOW_SIMILARITY: "errors by geometry",
    Question.ERROR_BY_LOW_MARGIN: "errors by geometry",
    Question.ERROR_BY_SCORES: "errors by geometry",
    Question.GEOMETRY_ADDS: "geometry beside maximum probability",
    Question.ERROR_BY_FACTOR: "error by factor",
    Question.ENTROPY_BY_FACTOR: "entropy by factor",
    Question.SIMILARITY_BY_FACTOR: "similarity by factor",
    Question.ABS_RESIDUAL_BY_FACTOR: "absolute residual by factor",
    Question.RESIDUAL_BY_FACTOR: "residual by factor",
    Question.SLICE: "weak slices",
}
"""Which tests, of all layers and statistics, are adjusted together; a question without a family has no p-values."""


PRIMARY = (Question.SIMILARITY_ENTROPY, Statistic.PEARSON, Scope.WITHIN_CLASS)
"""The test that is declared as primary, of the first layer: its p-value is read without adjustment."""


def family_of(question: Question, scope: Scope) -> str:
    """Return the family of a test, whatever its layer and statistic."""
    by_class = " by class" if scope is Scope.CLASS else ""
    return FAMILIES.get(question, "").format(by_class=by_class, scope=scope)


NULL_VALUES = {Statistic.PEARSON: 0.0, Statistic.SPEARMAN: 0.0, Statistic.AUROC: 0.5, Statistic.AUROC_DIFFERENCE: 0.0}
"""Value of a statistic under its null hypothesis, where that is one value."""


OF_SCOPE = {
    Scope.POOLED: "over all samples",
    Scope.WITHIN_CLASS: "within predicted classes",
    Scope.CLASS: "in this predicted class",
    Scope.ALL_SAMPLES: "given whether the prediction is right",
}
"""Where the null hypothesis is that similarity and entropy are unrelated."""


ERRORS_EQUALLY_LIKELY = "a wrong and a right prediction are equally likely to have the higher value"


BY_FACTOR = {target.question: target.words for target in FactorTarget}
"""What a factor is related to."""


EQUALLY_LIKELY: dict[Question, str] = {
    question: f"samples with and without it are equally likely to have the higher {target}"
    for question, target in BY_FACTOR.items()
    if question is not Question.ERROR_BY_FACTOR
}
"""What an AUROC of one half says of a question."""


def null_hypothesis(question: Question, statistic: Statistic, scope: Scope) -> str:
    """Return which null hypothesis the p-value of a test is about; empty where it has none."""
    if statistic == Statistic.AUROC:
        return f"AUROC = 0.5: {EQUALLY_LIKELY.get(question, ERRORS_EQUALLY_LIKELY)}"
    if question in BY_FACTOR:
        target = BY_FACTOR[question]
        return (
            f"no rank correlation with {target}"
            if statistic == Statistic.SPEARMAN
            else f"{target} is independent of it"
        )
    match question:
        case Question.SIMILARITY_ENTROPY | Question.SIMILARITY_ENTROPY_GIVEN_CORRECTNESS:
            kind = "linear" if statistic == Statistic.PEARSON else "rank"
            return f"no {kind} correlation {OF_SCOPE[scope]}"
        case Question.SIMILARITY_ENTROPY_PAIRS:
            return "entropies are independent of which samples are similar"
        case Question.GEOMETRY_ADDS if statistic == Statistic.AUROC_DIFFERENCE:
            return "the combination ranks errors as well as the maximum probability"
        case Question.GEOMETRY_ADDS:
            return "given the maximum probability, errors are independent of geometry"
        case Question.SLICE if statistic == Statistic.ERROR_RATE:
            return "error rate no higher than in the rest"
        case Question.SLICE:
            return "absolute residuals no larger than in the rest"
    return ""
