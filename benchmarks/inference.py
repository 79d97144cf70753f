"""Does the inference hold? Simulates recorded predictions, and counts what each p-value and interval does.

    python benchmarks/inference.py [--runs 600] [--processes 2] [--designs NAME …] [--write docs/simulations.md]

For every p-value of ``tests.csv`` and ``evaluation.json``, and of `mlx compare`: how often it is at most 0.05 when its
null hypothesis is true. For every interval at the 95 % level: how often it is given, how often it holds the
population's value, and on which side it misses. ``simulation/designs.py`` lists the populations.

``--write`` puts a summary into a document, between the lines that mark its place, and every cell into CSV tables in
the folder of the same name beside it. Seeds are fixed: the same runs give the same tables.
600 runs take some fifty minutes of two processors. ``tests/residuals/test_inference_holds.py`` is a short version.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulation.cells import save
from simulation.designs import DESIGNS
from simulation.document import put_into
from simulation.experiment import simulate, tables


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--designs", nargs="+", help="names of designs, or names and n such as 'spread 100'; else all")
    parser.add_argument("--write", type=Path, metavar="FILE", help="document whose tables to replace")
    parser.add_argument("--csv", type=Path, metavar="FOLDER", help="where to put the tables without a document")
    chosen = parser.parse_args(arguments)
    asked = [one for one in DESIGNS if not chosen.designs or {one.name, f"{one.name} {one.n}"} & {*chosen.designs}]
    started = time.monotonic()
    cells = []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for design in asked:
            cells += simulate(design, chosen.runs, pool.map)
            print(f"{design.name} {design.n}: {time.monotonic() - started:.0f} s", flush=True)
            if folder := chosen.csv or (chosen.write and chosen.write.with_suffix("")):
                save(tables(cells), folder)
    if chosen.write:
        put_into(chosen.write)
    else:
        for table in tables(cells).values():
            print(table.to_string(index=False))


if __name__ == "__main__":
    main()
