"""Writes docs/tables.md, the columns of every table, from the schemas in mlx/results: ``python docs/tables.py``."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import mlx.results
from mlx.core.dynamics_columns import DYNAMICS
from mlx.results.schema import WORDS, ArraySchema, RowSchema

FILE = Path(__file__).with_suffix(".md")
HEAD = """# Tables

The columns of every table that the pipeline writes. [Methods](methods.md) explains the quantities. Empty cells are
missing values; the `status` of the row gives the reason. In `samples.parquet`, the columns of the first layer have the
names below, those of a further layer `<name>.<layer>`; factors are `factor.<name>`, scores of failure `score.<name>`.
`python docs/tables.py` writes this file from the schemas in `mlx/results/`, and in `mlx/core/descriptions.py` for what
a training writes.
"""
FOLDERS = {"evaluation": "metrics", "recalibration": "metrics", "study": "STUDY"}
"""Where the tables of a module of `mlx.results` are, if not with the residuals analysis."""


def schemas() -> dict[str, list[ArraySchema | RowSchema]]:
    """Return the schemas by the heading of their table; several may describe parts of one table."""
    found: dict[str, list[ArraySchema | RowSchema]] = {}
    for name in sorted(module.name for module in iter_modules(mlx.results.__path__)):
        folder = FOLDERS.get(name, "data/residuals")
        known = [schema for each in found.values() for schema in each]
        for value in vars(import_module(f"mlx.results.{name}")).values():
            if isinstance(value, ArraySchema | RowSchema) and value not in known:
                of_what = " of a regression" if name.startswith("regression") else ""
                found.setdefault(f"{folder}/{value.file}{of_what}", []).append(value)
    return found


def document() -> str:
    """Return the reference as Markdown."""
    sections = [
        "\n\n".join([f"## {heading}", *(part for schema in parts for part in (schema.meaning, schema.reference()))])
        for heading, parts in schemas().items()
    ]
    return "\n\n".join([HEAD.strip(), *sections, _dynamics(), ""])[:-1]


def _dynamics() -> str:
    lines = [f"| `{name}` | {WORDS[kind]} | {meaning} |" for name, (kind, meaning) in DYNAMICS.items()]
    meaning = "One row per training sample; none for a regression, and for a model that is fitted all at once."
    return "\n".join(
        ["## data/model/dynamics.parquet", "", meaning, "", "| column | type | meaning |", "|---|---|---|", *lines]
    )


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8", newline="\n")
