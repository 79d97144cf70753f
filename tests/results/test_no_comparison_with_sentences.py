"""Results are found by their fields: nothing in the code compares with the text of a question or of a status."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from mlx.results.questions import FAMILIES, Question, Scope, Score, Statistic
from mlx.stats.status import Reason

ROOT = Path(__file__).parents[2]
DEFINED = {ROOT / "mlx/results/tests.py", ROOT / "mlx/stats/status.py"}
KEYS = {"class", "pooled", "entropy"}
"""Titles whose text is also a word of other things: a column, a key."""

TITLES = {str(title) for titles in (Question, Scope, Score, FAMILIES.values()) for title in titles} - KEYS
SENTENCES = {re.sub(r"\{\w*\}", "{}", text) for text in (*TITLES, *(reason.value for reason in Reason))}
PIECES = {piece.strip(" ():") for text in SENTENCES for piece in text.split("{}")}
OPENINGS = {title.partition("{")[0] for title in TITLES}
FORBIDDEN = SENTENCES | OPENINGS | {piece for piece in PIECES if " " in piece}
"""Whole sentences, and what stands before and after the words and numbers of the others."""

FORBIDDEN |= {f"statistic {statistic}" for statistic in Statistic}

FINDERS = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "count", "split", "partition",
           "get", "eq", "isin", "fullmatch", "match", "search", "contains"}  # fmt: skip


def texts(node: ast.AST | None) -> Iterator[str]:
    """The texts that a node is made of, where it is a text or a collection of texts."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            for part in parts:
                yield from texts(part)
        case ast.Dict(keys=parts):
            for key in parts:
                yield from texts(key)


def compared(node: ast.AST) -> Iterator[str]:
    """The texts that a node of the syntax tree compares with, or looks up."""
    match node:
        case ast.Compare(left=ast.Attribute(attr="statistic"), comparators=others):  # whose texts are keys elsewhere
            yield from (f"statistic {text}" for side in others for text in texts(side))
        case ast.Compare(left=left, comparators=others):
            for side in (left, *others):
                yield from texts(side)
        case ast.MatchValue(value=value) | ast.Subscript(slice=value, ctx=ast.Load()):
            yield from texts(value)
        case ast.Call(func=ast.Attribute(attr=name), args=arguments) if name in FINDERS:
            for argument in arguments:
                yield from texts(argument)


def found_in(source: str) -> list[tuple[int, str]]:
    nodes = ast.walk(ast.parse(source))
    return [(node.lineno, text) for node in nodes for text in compared(node) if {text, text.strip(" ():")} & FORBIDDEN]


def test_no_code_compares_with_a_title_or_a_status() -> None:
    files = sorted(set((ROOT / "mlx").rglob("*.py")) - DEFINED)
    assert {file.relative_to(ROOT).as_posix(): found for file in files if (found := found_in(file.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        'test.name == "similarity and entropy"',
        'if "ok" != status: pass',
        'status in ("never predicted", "x")',
        'status.startswith("no interval (")',
        'name.removeprefix("error by ")',
        'rows[rows["name"].eq("weak slices")]',
        'REASONS["constant entropy of {}"] or REASONS["never predicted"]',
        'match status:\n    case "all wrong": pass',
        'f"slice: {x}" == name',
        'score == "low margin"',
        'test.family == "errors by geometry"',
        'test.statistic == "auroc"',
    ],
)
def test_every_kind_of_comparison_is_seen(source: str) -> None:
    assert found_in(source)


def test_what_is_written_or_is_another_word_is_no_comparison() -> None:
    assert not found_in('status = "ok"; table["class"]; f"no interval ({reason})"; x == "pearson"')
    assert issubclass(Question, StrEnum)
