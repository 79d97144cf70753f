"""Conditions on factors that make up a slice of samples, and the shallow tree that finds slices with many errors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.scale import exponent_of, in_unit
from mlx.residuals.errors.factor_values import Factor

MAX_DEPTH = 3
MIN_LEAF = 10
LEAF_SHARE = 0.05
"""A slice has at least `MIN_LEAF` samples, and this share, of the half that found it."""

SINGLE = 100
"""Numbers below 2^SINGLE, and above its inverse, are given to the tree as they are."""


@dataclass(frozen=True)
class Condition:
    """One side of a split: a factor above or at most a number, in a category or not, missing or not.

    Attributes
    ----------
    factor
        The factor that is split.
    category
        Place of the required category; None for a number.
    threshold
        The number; of no meaning with a category.
    above
        Whether the factor is above the threshold, in the category, or missing.
    fill
        What a missing number counts as; a missing category meets no condition.
    exponent
        The tree, which reads single precision, is given the number in units of 2^exponent.
    of_gaps
        Whether the condition is that a value is missing.
    """

    factor: Factor
    category: int | None
    threshold: float
    above: bool
    fill: float
    exponent: int = 0
    of_gaps: bool = False

    def holds(self, rows: Integers) -> Flags:
        """Whether the condition holds for each of the rows."""
        values = self.factor.numbers[rows]
        if self.of_gaps:
            met = np.isnan(values)
        elif self.category is not None:
            met = values == self.category
        else:
            met = np.where(np.isnan(values), self.fill, values) > self.threshold
        holds: Flags = met if self.above else ~met
        return holds

    def words(self) -> str:
        """Say it: "noise > 0.31", "(age ≤ 40 or missing)", "color is red", "not occluded"."""
        name = self.factor.name
        if self.of_gaps:
            return f"{name} is {'missing' if self.above else 'known'}"
        if self.factor.kind == "boolean":
            return name if self.above else f"not {name}"
        if self.category is not None:
            return f"{name} {'is' if self.above else 'is not'} {self.factor.categories[self.category]}"
        words = f"{name} {'>' if self.above else '≤'} {self.factor.shown(self.threshold, 15)}"
        with_missing = not self.factor.present.all() and (self.fill > self.threshold) == self.above
        return f"({words} or missing)" if with_missing else words


def members_of(conditions: Sequence[Condition], rows: Integers) -> Flags:
    """Return for which of the rows every condition holds."""
    members = np.ones(rows.size, dtype=bool)
    for condition in conditions:
        members &= condition.holds(rows)
    return members


def leaves(factors: Sequence[Factor], target: Flags | Floats, rows: Integers) -> list[list[Condition]]:
    """Conditions of every leaf of a tree grown on the given rows, for errors or for numbers (n_samples,)."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    questions = [question for factor in factors for question in _questions(factor, rows)]
    columns = np.stack([_answers(question, rows) for question in questions], axis=1)
    least = max(MIN_LEAF, int(LEAF_SHARE * rows.size))
    kind = DecisionTreeClassifier if target.dtype == bool else DecisionTreeRegressor
    model = kind(max_depth=MAX_DEPTH, min_samples_leaf=least, random_state=0)
    tree: Any = model.fit(columns, target[rows]).tree_
    return _paths(tree, 0, [], questions, columns) if tree.node_count > 1 else []


def _questions(factor: Factor, rows: Integers) -> list[Condition]:
    known = factor.numbers[rows][factor.present[rows]]
    fill = float(np.median(known)) if known.size else 0.0
    gaps = [Condition(factor, None, 0.5, True, fill, of_gaps=True)] if known.size < rows.size else []
    if factor.kind == "numeric":
        return [Condition(factor, None, 0.0, True, fill, _single_exponent(known)), *gaps]
    asked = range(len(factor.categories)) if factor.kind == "categorical" else (1,)
    return [*(Condition(factor, place, 0.5, True, fill) for place in asked), *gaps]


def _single_exponent(known: Floats) -> int:
    """Exponent of numbers that single precision can't hold as they are; else 0."""
    exponent = exponent_of(known)
    return exponent if known.any() and abs(exponent) > SINGLE else 0


def _answers(question: Condition, rows: Integers) -> Floats:
    if question.category is not None or question.of_gaps:
        return question.holds(rows).astype(np.float64)
    values = question.factor.numbers[rows]
    return in_unit(np.where(np.isnan(values), question.fill, values), question.exponent)


def _paths(
    tree: Any, node: int, above: list[Condition], questions: Sequence[Condition], columns: Floats
) -> list[list[Condition]]:
    if tree.children_left[node] < 0:
        return [_merged(above)]
    column = int(tree.feature[node])
    question = questions[column]
    unscaled = in_unit(columns[:, column], -question.exponent)
    threshold = _rounded(float(in_unit(tree.threshold[node], -question.exponent)), unscaled)
    paths = []
    for child, upper in ((tree.children_left[node], False), (tree.children_right[node], True)):
        condition = replace(question, threshold=threshold, above=upper)
        paths += _paths(tree, int(child), [*above, condition], questions, columns)
    return paths


def _rounded(threshold: float, values: Floats) -> float:
    """Return the threshold in as few digits as split the values alike, so that the words can be checked."""
    for digits in range(2, 16):
        short = float(f"{threshold:.{digits}g}")
        if np.array_equal(values > short, values > threshold):
            return short
    return threshold


def _merged(conditions: Sequence[Condition]) -> list[Condition]:
    """Keep, of the conditions on one side of one number, the tightest, in the order of first mention."""
    kept: dict[tuple[str, int | None, bool, bool], Condition] = {}
    for condition in conditions:
        key = (condition.factor.name, condition.category, condition.above, condition.of_gaps)
        tighter = kept.get(key)
        if tighter is None or (condition.threshold > tighter.threshold) == condition.above:
            kept[key] = condition
    return list(kept.values())
