"""How fast the page of a run opens and selects in Chromium, and how large it is, over the number of test samples.

Run it on an idle machine, with the extra ``test``:  python benchmarks/page.py [n[+others] …]

The samples are made up, with images of noise. The first view is the time until the browser has painted the answer,
ready that until the explorer answers, and a selection the time from the click of a confusion cell to the next frame.
Each is the median of 5.
"""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/plots"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from browser import Browser, started
from made_pages import with_others, with_views
from made_reports import make_classification

from mlx.plots.page import render_page

SIZES = ("1000", "5000", "20000", "20000+40000", "50000", "200000")
"""Test samples, and samples of the other parts, half of them of validation."""

RUNS = 5
READY = "return performance.getEntriesByName('ready')[0].startTime"
PAINTED = """
const done = arguments[arguments.length - 1];
const report = (entries) => done(entries.getEntriesByName("first-contentful-paint")[0].startTime);
new PerformanceObserver(report).observe({type: "paint", buffered: true}); // the page may be loaded before it is painted
"""
SELECTED = """
const done = arguments[arguments.length - 1], cells = [...document.querySelectorAll(".confusions .miss a")];
const cell = cells[arguments[0] % cells.length];
const start = performance.now();
cell.click();
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


def write(n: int, others: int, path: Path) -> int:
    """Write a page of `n` test samples and `others`; return its size in bytes."""
    report = with_views(make_classification(n))
    if others:
        report = with_others(report, {"val": others // 2, "train": others - others // 2})
    path.write_text(render_page(report, {}), encoding="utf-8")
    return path.stat().st_size


def measure(browser: Browser, path: Path) -> tuple[float, float, float]:
    """Return the medians of first view, ready and selection, in seconds."""
    opened = []
    for _ in range(RUNS):
        browser.open(path)
        painted = browser.driver.execute_async_script(PAINTED)
        opened.append((float(painted), float(browser.js(READY))))  # type: ignore[arg-type]
    chosen = [float(browser.driver.execute_async_script(SELECTED, run)) for run in range(RUNS)]
    painted, ready = zip(*opened, strict=True)
    return tuple(statistics.median(times) / 1000 for times in (painted, ready, chosen))  # type: ignore[return-value]


def main() -> None:
    """Print a table in Markdown."""
    sizes = sys.argv[1:] or SIZES
    print("| samples | page | first view | ready | selection |\n|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder, started() as browser:
        for one in sizes:
            n, _, others = one.partition("+")
            path = Path(folder) / f"{one}.html"
            size = write(int(n), int(others or 0), path)
            painted, ready, chosen = measure(browser, path)
            print(
                f"| {one} | {size / 1e6:.2f} MB | {painted:.2f} s | {ready:.2f} s | {1000 * chosen:.0f} ms |",
                flush=True,
            )


if __name__ == "__main__":
    main()
