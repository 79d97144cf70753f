"""Draws docs/architecture.svg, the flow of data through the steps, from dvc.yaml: ``python docs/architecture.py``."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import chain
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs/architecture.svg"

# Pixels: height of a row and of the head; left end, width and half the height of a step's box; distance of the
# vertical lines, the first of them, and the names of the artifacts.
ROW, TOP, BOX, HALF, LANE, FIRST, LABEL = 88, 100, (220, 216), 30, 22, 466, 620
COLORS = ("#0072b2", "#d55e00", "#009e73", "#8e5ea2", "#a17c00", "#c2185b", "#555555")
RECORDED = "arrays of another framework"
HEAD = (
    "dvc repro runs stages/*.py, mlx run-experiment runs mlx/experiment.py: both call the same steps (mlx/pipeline/),",
    "which read artifacts, call the domain folders on the left, and write artifacts.",
)


@dataclass(frozen=True)
class Step:
    """A row of the picture: a stage of dvc.yaml, or where other arrays enter."""

    name: str
    rooms: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def artifact(path: str) -> str:
    """Return the folder that stands for a file: ``metrics/`` for each metric, ``data/model/`` for its parts."""
    return "metrics/" if path.startswith("metrics/") else "/".join(path.split("/")[:2]) + "/"


def steps(stages: dict) -> Iterator[Step]:
    """Yield a row for each stage, and after the one that records a model's outputs the way in for other arrays."""
    for name, stage in stages.items():
        paths = [dep for dep in stage["deps"] if dep.startswith(("data/", "metrics/"))]
        rooms = [dep for dep in stage["deps"] if dep.startswith("mlx/") and dep.count("/") == 1 and dep != "mlx/core"]
        written = [next(iter(out)) for out in chain(stage.get("outs", []), stage.get("metrics", []))]
        yield Step(name, tuple(rooms), *(tuple(dict.fromkeys(map(artifact, found))) for found in (paths, written)))
        if name == "extract-representations":
            yield Step(RECORDED, (), (), ("data/representations/",))


def text(x: float, y: float, words: str, look: str = "") -> str:
    """Return a line of text that begins at (x, y)."""
    return f'<text x="{x}" y="{y}" {look}>{escape(words)}</text>'


def box(row: int, step: Step) -> Iterator[str]:
    """Yield the box of a step, with the rooms that it calls."""
    y, (left, width) = TOP + row * ROW, BOX
    look = 'rx="5" fill="#f4f6f8" stroke="#444"' + (' stroke-dasharray="4 3"' if step.name == RECORDED else "")
    yield f'<rect x="{left}" y="{y - HALF}" width="{width}" height="{2 * HALF}" {look}/>'
    middle = 'text-anchor="middle"'
    if step.name == RECORDED:
        yield text(left + width / 2, y - 3, step.name, middle)
        yield text(left + width / 2, y + 14, "mlx analyze, ResidualsAnalyzer", f'{middle} class="small"')
    else:
        yield text(left + width / 2, y + 5, step.name, f'{middle} font-weight="bold"')
    for line, room in enumerate(step.rooms):
        offset = y + 5 + 17 * (line - (len(step.rooms) - 1) / 2)
        yield text(left - 16, offset, f"{room}/", 'text-anchor="end" class="code"')


def height(row: int, place: int, *, written: bool) -> int:
    """Return where a step's line of what it reads (upper half of its box) or writes (lower half) meets the box."""
    return TOP + row * ROW + (12 + 15 * place if written else 9 * place - 24)


def lane(number: int, name: str, rows: list[Step]) -> Iterator[str]:
    """Yield the line of an artifact: from the steps that write it, down to those that read it."""
    x, color, right = FIRST + number * LANE, COLORS[number], sum(BOX)
    writing = [
        height(row, step.writes.index(name), written=True) for row, step in enumerate(rows) if name in step.writes
    ]
    reading = [
        height(row, step.reads.index(name), written=False) for row, step in enumerate(rows) if name in step.reads
    ]
    first = writing[0]
    yield f'<path d="M{right} {first}H{LABEL - 8}M{x} {first}V{max([first, *reading])}" stroke="{color}"/>'
    yield text(LABEL, first + 5, name, f'class="code" fill="{color}"')
    for y in writing[1:]:
        yield f'<path d="M{right} {y}H{x}" stroke="{color}"/>'
    for y in reading:
        yield f'<path d="M{x} {y}H{right + 7}" stroke="{color}"/>'
        yield f'<polygon points="{right},{y} {right + 9},{y - 4} {right + 9},{y + 4}" fill="{color}"/>'
    for y in writing if reading else ():
        yield f'<circle cx="{x}" cy="{y}" r="4" fill="{color}"/>'


def drawing(stages: dict) -> str:
    """Return the picture as SVG."""
    rows = list(steps(stages))
    names = list(dict.fromkeys(name for step in rows for name in step.writes))
    size = f'width="820" height="{TOP + len(rows) * ROW - 20}"'
    style = "text{font:14px sans-serif}.code{font:13px monospace}.small{font-size:12px}path{fill:none;stroke-width:2}"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Flow of data through the steps">']
    lines += [f"<style>{style}</style>", '<rect width="100%" height="100%" fill="#fff"/>']
    lines += [text(24, 26 + 20 * i, words, 'class="small"') for i, words in enumerate(HEAD)]
    lines += [part for number, name in enumerate(names) for part in lane(number, name, rows)]
    lines += [part for row, step in enumerate(rows) for part in box(row, step)]
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    FILE.write_text(drawing(stages), encoding="utf-8", newline="\n")
