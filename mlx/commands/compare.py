"""`mlx compare`: compares runs."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.commands.places import run_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from mlx.results.comparison import PairedTest, SharedSamples
    from mlx.runs.compare import Comparison
    from mlx.runs.run import Run
    from mlx.runs.shared_samples import SharedOutputs

NAME = "compare"
HELP = "compare runs: configuration, metrics, and paired tests of the metrics on their common test samples"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "runs", nargs="+", type=run_name, metavar="RUN", help="a run's folder, name/time, or a name (its latest run)"
    )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="folder of runs (default: the output directory)")
    parser.add_argument(
        "--html",
        type=Path,
        nargs="?",
        const=Path("comparison.html"),
        metavar="FILE",
        help="write a page: what the tests say, and samples that one model alone gets right (default: %(const)s)",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a metric of all runs to a PNG or PDF file")
    parser.add_argument("--metric", help="the metric to draw (default: accuracy, or rmse for a regression)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> str:
    """Return the tables: configuration, metrics, shared test samples, and the paired tests of each further run."""
    import json
    from contextlib import ExitStack

    from mlx.commands.places import find_any_run
    from mlx.core.checksums import verified
    from mlx.core.errors import SettingsError
    from mlx.runs.compare import compare_outputs

    if chosen.html is not None and chosen.html.suffix.lower() not in {".html", ".htm"}:
        raise SettingsError(
            f"--html: expected a file that ends in .html, found {chosen.html}; runs stand before --html"
        )
    if len(chosen.runs) < 2:
        raise SettingsError("expected two runs or more to compare, found one")
    runs = [find_any_run(identity, chosen.run_dir) for identity in chosen.runs]
    if len({run.folder for run in runs}) < len(runs):
        raise SettingsError(f"expected different runs, found one of them twice: {', '.join(r.id for r in runs)}")
    if chosen.metric is not None and chosen.plot is None:
        raise SettingsError("--metric: expected --plot FILE beside it, as it chooses what is drawn")
    if chosen.plot is not None:
        _draw(runs, chosen.metric, chosen.plot)
    with ExitStack() as stack:
        for each in runs:
            stack.enter_context(verified(each.folder))
        comparison, outputs = compare_outputs(runs)
        if chosen.html is not None:
            _write_page(comparison, runs, outputs, chosen.html)
    if chosen.json:
        return json.dumps(as_json(comparison), indent=2)
    return _tables(comparison) if chosen.html is None else f"{_verdicts(comparison)}\n{chosen.html}"


def _write_page(comparison: "Comparison", runs: "list[Run]", outputs: "Sequence[SharedOutputs]", file: Path) -> None:
    from mlx.core.artifacts import write_bytes
    from mlx.runs.comparison_page import render_comparison

    write_bytes(file, render_comparison(comparison, runs, outputs, beside=file.absolute().parent).encode())


BESIDE_NUMBERS = ("_status", "_permutations", "_method")
"""Ends of the names of rows that say how a number was made; on a terminal they are left out."""

BY_GROUP = "paired tests go by residuals.groups of the first run; evaluation.groups has no effect on them"
"""Line below the table of samples that come in groups."""


def _draw(runs: "list[Run]", metric: str | None, path: Path) -> None:
    from mlx.core.artifacts import write_bytes
    from mlx.core.errors import SettingsError
    from mlx.core.metrics import LEVELS
    from mlx.core.settings import nearest
    from mlx.plots.comparison import plot_runs
    from mlx.plots.style import render_pdf, render_png

    renderers: dict[str, Callable[[Figure], bytes]] = {".png": render_png, ".pdf": render_pdf}
    if path.suffix.lower() not in renderers:
        raise SettingsError(f"--plot: expected a file that ends in .png or .pdf, found {path}")
    evaluated = {run.id: run.summary.metrics.get("evaluation", {}) for run in runs}
    metrics = {name: {key: found[key] for key in found if key not in LEVELS} for name, found in evaluated.items()}
    known = sorted(
        {name for found in metrics.values() for name, value in found.items() if isinstance(value, int | float)}
    )
    if metric is not None and metric not in known:
        shown = [name for name in known if not name.endswith(("_low", "_high"))]
        raise SettingsError(f"--metric: expected one of {', '.join(shown)}, found '{metric}'{nearest(metric, shown)}")
    chosen = metric or next((name for name in ("accuracy", "rmse") if any(name in m for m in metrics.values())), "rmse")
    figure = plot_runs(metrics, chosen).figure
    assert figure is not None
    write_bytes(path, renderers[path.suffix.lower()](figure.get_figure(root=True)))


def _verdicts(comparison: "Comparison") -> str:
    from mlx.commands.tables import as_prose

    return "\n".join(as_prose([verdict.sentence for verdict in comparison.verdicts()]))


def _tables(comparison: "Comparison") -> str:
    """Return the verdicts, then the tests and their samples, the metrics and the configuration."""
    from mlx.commands.tables import as_prose, as_table
    from mlx.core.console import answer_width
    from mlx.runs.compare import with_intervals

    parts = [_verdicts(comparison)]
    parts += [_tests(comparison, samples) for samples in comparison.samples] + [_samples(comparison)]
    every = with_intervals(comparison.metrics)
    metrics = [row for row in every if answer_width() is None or not row[0].endswith(BESIDE_NUMBERS)]
    for title, rows in (("metrics", metrics), ("configuration", comparison.configuration)):
        cells = [[name, *map(_cell, values)] for name, values in rows]
        table = as_table([title, *comparison.runs], cells, more="--json")
        parts.append(table if cells else f"{title}: no difference")
    if metrics != every:
        hidden = len(every) - len(metrics)
        said = f"not shown: {hidden} rows on how intervals were made, or why not (--json or a pipe shows them)"
        parts.append("\n".join(as_prose([said])))
    return "\n\n".join(filter(None, parts))


def _samples(comparison: "Comparison") -> str:
    from mlx.commands.tables import as_prose, as_table

    columns = ["test samples", "against", "own", "other", "shared", "trained on", "compared", "groups", "status"]
    rows = [
        [s.second, s.first, s.n_second, s.n_first, s.n_shared, s.n_trained, s.n, s.n_groups, str(s.status)]
        for s in comparison.samples
    ]
    by = [] if all(s.n_groups is None for s in comparison.samples) else as_prose([BY_GROUP])
    return "\n".join([as_table(columns, rows, spare=("against",), more="--json"), *by])


def _tests(comparison: "Comparison", samples: "SharedSamples") -> str:
    """Return the tests of one pair of runs."""
    from mlx.commands.tables import as_table
    from mlx.results.numbers import ends_text, or_none, p_text

    tests = [test for test in comparison.tests if test.second == samples.second]
    level = next((f"{100 * test.confidence:.4g} %" for test in tests if test.confidence == test.confidence), "")
    columns = ["paired test", samples.first, samples.second, "difference", f"{level} interval".strip()]
    columns += ["p", "p (Holm)", "status"]
    rows = [
        [
            f"{test.metric or 'none'}{' (primary)' if test.primary else ''}",
            *map(or_none, (test.estimate_first, test.estimate_second, test.difference)),
            ends_text(test.low, test.high),
            *map(p_text, (test.p, test.p_holm) if len(comparison.samples) > 1 else (test.p, NAN)),
            str(test.status),
        ]
        for test in tests
    ]
    return as_table(columns, rows, spare=((samples.first, samples.second),), more="--json")


NAN = float("nan")


def as_json(comparison: "Comparison") -> dict[str, Any]:
    """Return the comparison as JSON has it: null for a number that is missing, and text for a status."""
    rows = {name: [_record(row) for row in getattr(comparison, name)] for name in ("samples", "tests")}
    return {field.name: getattr(comparison, field.name) for field in fields(comparison)} | rows


def _record(row: "PairedTest | SharedSamples") -> dict[str, Any]:
    from mlx.results.numbers import or_none
    from mlx.stats.status import Status

    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {name: str(value) if isinstance(value, Status) else or_none(value) for name, value in values.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return value if isinstance(value, int | float) else str(value)
