"""YAML by the core schema of version 1.2, as DVC reads it, and the line on which each key stands.

``1e-3`` is a number and ``no`` is text, so that what ``dvc params diff`` shows is what runs. No tag of a file can
construct anything.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mlx.core.errors import SettingsError

MOST_NODES = 100_000  # aliases of aliases can unfold a small file into billions of nodes


class CoreLoader(yaml.SafeLoader):
    """PyYAML's safe loader, with the scalars and tags of YAML 1.2's core schema instead of those of 1.1."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node; reject a file with more nodes than a person writes before it takes long."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"more than {MOST_NODES:,} keys and values", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value; whatever a tag that does not fit it raises becomes an error with its place."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            raise yaml.MarkedYAMLError(problem=f"not a usable {kind}", problem_mark=node.start_mark) from None

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as PyYAML declares it


CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)
CoreLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
CoreLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^(?:<<)$"), ["<"])


for foreign in ("binary", "omap", "pairs", "set", "timestamp"):  # JSON has no such values
    CoreLoader.add_constructor(f"tag:yaml.org,2002:{foreign}", yaml.SafeLoader.construct_undefined)  # type: ignore[type-var]


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    return computable(int(text[2:], 8) if text.startswith("0o") else int(text, 16 if text.startswith("0x") else 10))


def computable(number: int) -> int:
    """Return an integer; raises ValueError where no float is as large, as it can't be computed with."""
    try:
        float(number)
    except OverflowError:
        raise ValueError("an integer of more than 308 digits") from None
    return number


CoreLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def key_lines(path: Path, root: yaml.Node) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the line of every key path.

    Raises
    ------
    SettingsError
        A key stands twice, or aliases form a cycle or unfold to more than `MOST_NODES` values.
    """
    stack: list[tuple[tuple[str, ...], yaml.Node, tuple[int, ...]]] = [((), root, ())]
    seen = 0
    while stack:
        key, node, parents = stack.pop()
        seen += 1
        if id(node) in parents or seen > MOST_NODES:
            raise SettingsError(f"{path}:{node.start_mark.line + 1}: aliases unfold without end")
        if isinstance(node, yaml.MappingNode):
            children = [((*key, str(name.value)), name, child) for name, child in node.value]
            _reject_repeats(path, children)
        elif isinstance(node, yaml.SequenceNode):
            children = [((*key, str(i)), child, child) for i, child in enumerate(node.value)]
        else:
            continue
        for child_key, name, child in children:
            yield child_key, name.start_mark.line + 1
            stack.append((child_key, child, (*parents, id(node))))


def _reject_repeats(path: Path, children: list[tuple[tuple[str, ...], yaml.Node, yaml.Node]]) -> None:
    first: dict[tuple[str, ...], int] = {}
    for child_key, name, _ in children:
        line = name.start_mark.line + 1
        if child_key in first:
            shown = ".".join(map(str, child_key))
            raise SettingsError(f"{path}:{line}: {shown}: stands twice, first on line {first[child_key]}")
        first[child_key] = line
