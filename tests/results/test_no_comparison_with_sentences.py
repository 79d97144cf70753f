"""Results are found by their fields: nothing in the code compares with the text of a question or of a status."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

import pytest

from mlx.results.questions import FAMILIES, Question, Scope, Score, Statistic
from mlx.stats.status import Reason

ROOT = Path(__file__).parents[2]
DEFINED = {ROOT / "mlx/results/questions.py", ROOT / "mlx/stats/status.py"}
KEYS = {"class", "pooled", "entropy"}
"""Titles whose text is also a word of other things: a column, a key."""

TITLES = {str(title) for titles in (Question, Scope, Score, FAMILIES.values()) for title in titles} - KEYS
SENTENCES = {re.sub(r"\{\w*\}", "{}", text) for text in (*TITLES, *(reason.value for reason in Reason))}
PIECES = {piece.strip(" ():") for text in SENTENCES for piece in text.split("{}")}
OPENINGS = {title.partition("{")[0] for title in TITLES}
STARTS = {text.partition("{}")[0] for text in SENTENCES} - {""}
FORBIDDEN = SENTENCES | OPENINGS | STARTS | {piece for piece in PIECES if " " in piece}
"""Whole sentences, and what stands before and after the words and numbers of the others."""

FORBIDDEN |= {f"statistic {statistic}" for statistic in Statistic}

FINDERS = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "count", "split", "partition",
           "rfind", "rindex", "rsplit", "rpartition", "get", "pop", "eq", "ne", "isin", "fullmatch", "match", "search",
           "contains", "query", "eval", "xs", "get_group", "map", "compile", "findall", "finditer", "sub", "fnmatch",
           "__eq__", "__contains__"}  # fmt: skip

WRITTEN = {
    "all samples": {"mlx/plots/comparison.py"},
    "within class": {"mlx/plots/comparison.py"},
    "principal component ": {"mlx/plots/table.py"},
    "ok": {"mlx/core/dynamics_columns.py", "mlx/training/dynamics.py"},
}
"""Titles and statuses that other files name, where they are legends, headings or statuses of a table of their own."""


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
        case ast.BinOp(left=left, right=right):
            yield from (*texts(left), *texts(right))


def compared(node: ast.AST) -> Iterator[str]:
    """The texts that a node of the syntax tree compares with, or looks up."""
    match node:
        case ast.Compare(left=ast.Attribute(attr="statistic"), comparators=others):  # whose texts are keys elsewhere
            yield from (f"statistic {text}" for side in others for text in texts(side))
        case ast.Compare(left=left, comparators=others):
            for side in (left, *others):
                yield from texts(side)
        case ast.Subscript(value=ast.Dict() as table, slice=key):
            yield from (*texts(table), *texts(key))
        case ast.MatchValue(value=value) | ast.Subscript(slice=value, ctx=ast.Load()):
            yield from texts(value)
        case ast.MatchMapping(keys=keys):
            for key in keys:
                yield from texts(key)
        case ast.Call(func=ast.Attribute(attr=name), args=arguments) if name in FINDERS:
            for argument in arguments:
                yield from texts(argument)


@cache
def nodes_of(source: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(source)))


def found_in(source: str) -> list[tuple[int, str]]:
    return [(node.lineno, text) for node in nodes_of(source) for text in compared(node) if forms(text) & FORBIDDEN]


@cache
def forms(text: str) -> set[str]:
    """A text, and what stands in quotation marks inside, as in a query."""
    return {text, text.strip(" ():"), *re.findall(r"'([^']+)'", text), *re.findall(r'"([^"]+)"', text)}


def named_in(source: str) -> set[str]:
    """Titles and whole statuses among the texts of a source; what is written once under a name is compared by it."""
    nodes = nodes_of(source)
    documents = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    every = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in documents)
    known = (SENTENCES | OPENINGS) - {"{}", ""}
    return {text for node in every if isinstance(node.value, str) for text in forms(node.value) & known}


def test_no_code_compares_with_a_title_or_a_status() -> None:
    files = {file.relative_to(ROOT).as_posix(): file.read_text() for file in (ROOT / "mlx").rglob("*.py")}
    sources = {name: source for name, source in files.items() if ROOT / name not in DEFINED}
    assert {name: found for name, source in sources.items() if (found := found_in(source))} == {}
    named = {(text, name) for name, source in sources.items() for text in named_in(source)}
    assert named == {(text, name) for text, names in WRITTEN.items() for name in names}


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
        "rows.query('status == \"never predicted\"')",
        '{"never predicted": 1}[status]',
        'match row:\n    case {"weak slices": found}: pass',
        'match row:\n    case Row(status="ok" | "all wrong"): pass',
        'status == "constant " + name',
        'operator.ne(status, "no errors")',
        're.compile("fewer than two groups").match(status)',
        '"weak slices" in name',
    ],
)
def test_every_kind_of_comparison_is_seen(source: str) -> None:
    assert found_in(source)


def test_a_title_under_another_name_is_seen() -> None:
    assert named_in('TITLE = "weak slices"\nif name == TITLE: pass') == {"weak slices"}
    assert named_in('"""weak slices"""\nx = "strong slices"') == set()


def test_what_is_written_or_is_another_word_is_no_comparison() -> None:
    assert not found_in('status = "ok"; table["class"]; f"no interval ({reason})"; x == "pearson"')
    assert issubclass(Question, StrEnum)
