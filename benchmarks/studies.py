"""Do intervals over seeds and samples hold? Draws studies of known components of variance, and counts.

    python benchmarks/studies.py [--runs 1000] [--write docs/simulations.md]

For a cell: how often the interval for other seeds and samples holds the population's value, beside those that one
often sees: of the seeds alone (mean ± t·SD/√S), of the samples alone, and of a single run. For two recipes: how often
p ≤ 0.05 where both have the same value in the population. Seeds are fixed: the same runs give the same table. 1,000
runs take some ten minutes of a processor. ``tests/studies/test_study_coverage.py`` is a short version.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.special import stdtrit

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.recipes import Recipe, truth

from mlx.stats.seed_differences import difference_over_seeds
from mlx.stats.seeds_by_samples import SeedsBySamples, metric_over_seeds

METRICS = ("accuracy", "log loss", "AUROC")
COMPONENTS = {
    "no seed variance": (Recipe(0.0), Recipe(0.0)),
    "small": (Recipe(0.05), Recipe(0.05)),
    "large": (Recipe(0.2), Recipe(0.2)),
    "unequal": (Recipe(0.05, own=0.2, rest=0.5), Recipe(0.2, own=0.6, rest=0.9)),
    "one without randomness": (Recipe(0.0, rest=0.0, equal=True), Recipe(0.1)),
}
"""Variance of seeds, of both recipes; the second is the one whose intervals are counted."""

SIZES = tuple((seeds, samples) for seeds in (3, 5, 10) for samples in (200, 1000))
PLACE = re.compile(r"(?<=<!-- studies -->\n).*?(?=<!-- end of studies -->)", re.DOTALL)


@dataclass(frozen=True)
class Design:
    """A table that is drawn many times."""

    metric: str
    components: str
    n_seeds: int
    n_samples: int


DESIGNS = tuple(Design(metric, name, *size) for metric in METRICS for name in COMPONENTS for size in SIZES)


def draw(design: Design, generator: np.random.Generator) -> tuple[SeedsBySamples, SeedsBySamples]:
    """Draw the runs of both recipes on the same samples."""
    shared = generator.normal(size=design.n_samples)
    first, second = (
        recipe.draw(design.metric, shared, design.n_seeds, generator) for recipe in COMPONENTS[design.components]
    )
    return first, second


def outcomes(design: Design, runs: int, truths: tuple[float, float]) -> Iterator[dict[str, float]]:
    """Yield what holds of each drawn table: 1 or 0, and NaN where it was not given."""
    generator = np.random.default_rng([design.n_seeds, design.n_samples, DESIGNS.index(design)])
    for _ in range(runs):
        first, second = draw(design, generator)
        found = metric_over_seeds(second)
        at_null = SeedsBySamples(second.estimates - (truths[1] - truths[0]), second.influence)
        pair = difference_over_seeds(first, at_null)
        error = second.estimates.std(ddof=1) / design.n_seeds**0.5
        one = (second.influence[0] @ second.influence[0]) ** 0.5 / design.n_samples
        t_seeds, t_samples = stdtrit([design.n_seeds - 1, design.n_samples - 1], 0.975)
        away = abs(found.mean - truths[1])
        yield {
            "both": _holds(found.interval.low, truths[1], found.interval.high),
            "seeds only": float(away <= t_seeds * error),
            "samples only": float(away <= t_samples * found.part_sample**0.5),
            "one run": float(abs(second.estimates[0] - truths[1]) <= t_samples * one),
            "p <= .05": float(pair.p <= 0.05) if pair.p == pair.p else np.nan,
        }


def _holds(low: float, value: float, high: float) -> float:
    return float(low <= value <= high) if low == low else np.nan


def counted(design: Design, runs: int) -> dict[str, object]:
    """Return the row of a design: how often each thing held, in percent, where it was given."""
    first, second = (truth(recipe, design.metric) for recipe in COMPONENTS[design.components])
    table = pd.DataFrame(outcomes(design, runs, (first, second)))
    row: dict[str, object] = {
        "metric": design.metric,
        "variance of seeds": design.components,
        "seeds": design.n_seeds,
        "samples": design.n_samples,
        "runs": runs,
        "given": int(table["both"].notna().sum()),
    }
    return row | {name: round(100 * float(table[name].mean()), 1) for name in table}


def rendered(table: pd.DataFrame) -> str:
    """Return the table in Markdown."""
    shown = table.drop(columns=["runs", "given"])
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    head = f"Each was drawn {table['runs'].min():,} times; every interval was given."
    if (table["given"] < table["runs"]).any():
        head = f"Each was drawn {table['runs'].min():,} times, and the interval given {table['given'].min():,} or more."
    return "\n".join([head, "", "| " + " | ".join(shown) + " |", "|---|---|" + "---:|" * (shown.shape[1] - 2), *lines])


def put_into(document: Path, table: pd.DataFrame) -> None:
    """Write the table into a document, and as CSV into the folder beside it."""
    table.to_csv(document.with_suffix("") / "studies.csv", index=False, lineterminator="\n")
    text = document.read_text(encoding="utf-8")
    document.write_text(PLACE.sub(lambda _: f"\n{rendered(table)}\n\n", text), encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=METRICS)
    parser.add_argument("--write", type=Path, metavar="FILE", help="document whose table to replace")
    chosen = parser.parse_args(arguments)
    rows, started = [], time.monotonic()
    for design in DESIGNS:
        if design.metric in chosen.metrics:
            rows.append(counted(design, chosen.runs))
            print(f"{time.monotonic() - started:4.0f} s {rows[-1]}", flush=True)
    if chosen.write:
        put_into(chosen.write, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
