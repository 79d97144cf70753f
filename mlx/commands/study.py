"""`mlx study`: runs an experiment over seeds, splits and configurations, and says what differs."""

import argparse
import os
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.commands.chosen_workers import add_workers, opened
from mlx.commands.places import run_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlx.results.study import CellDifference, CellEstimate
    from mlx.studies.finished import FinishedStudy
    from mlx.studies.plan import Study

DEFAULT_WORKERS = "processes"
"""A process for each core, as whole runs are independent."""
OF_A_RUN = ("run", "cell", "seed", "fold", "status")

NAME = "study"
HELP = "run an experiment over seeds, splits and configurations, and compare them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below this one, and their flags."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    child = _child(commands, "run", _run, "run what is not done of a study, and write its tables and its page")
    child.add_argument("study", type=Path, metavar="FILE", help="JSON or YAML, such as studies/digits.yaml")
    child.add_argument("--dry-run", action="store_true", help="check every cell, and estimate the cost; write nothing")
    add_workers(child)
    child = _child(commands, "show", _show, "print the estimates and the verdicts of a study")
    _add_study(child)
    child = _child(commands, "runs", _runs, "list the runs of a study with their metrics")
    _add_study(child)
    child.add_argument("--json", action="store_true", help="print JSON")
    child = _child(commands, "compare", _compare, "print the paired differences between cells")
    _add_study(child)
    child.add_argument("cells", nargs="*", metavar="CELL", help="differences with one cell, or between several")
    _add_metric(child)
    child.add_argument("--json", action="store_true", help="print JSON")
    child = _child(commands, "table", _table, "print the estimates as a table for a paper")
    _add_study(child)
    child.add_argument("--latex", action="store_true", required=True, help="as LaTeX with booktabs")
    _add_metric(child)
    child.add_argument("--output", type=Path, metavar="FILE", help="file to write instead of standard output")


def _child(commands: Any, name: str, function: "Callable[[argparse.Namespace], str]", summary: str) -> Any:
    child = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    child.set_defaults(study_command=function)
    return child


def _add_study(parser: Any) -> None:
    parser.add_argument("study", type=run_name, metavar="STUDY", help="a study that was run, by file, folder or name")


def _add_metric(parser: Any) -> None:
    parser.add_argument("--metric", action="append", default=[], help="only this metric; may be repeated")


def run(chosen: argparse.Namespace) -> str:
    """Return what the command below this one prints."""
    printed: str = chosen.study_command(chosen)
    return printed


def _run(chosen: argparse.Namespace) -> str:
    """Run a study; return its cells and verdicts, and its folder in the last line."""
    from mlx.commands.places import at_root
    from mlx.studies.cost import check_metrics
    from mlx.studies.finished import read_finished
    from mlx.studies.page import write_page
    from mlx.studies.plan import read_study
    from mlx.studies.results import results_of, write_results
    from mlx.studies.study import run_study

    study = read_study(chosen.study)
    with at_root() as shown:
        if chosen.dry_run:
            return _dry_run(study)
        check_metrics(study)
        with opened(chosen, Path(), DEFAULT_WORKERS) as workers:
            done = run_study(study, workers)
        results = results_of(done)
        write_results(results)
        write_page(results)
        return "\n\n".join([_summary(read_finished(study.folder), shown(study.folder)), shown(study.folder)])


def _dry_run(study: "Study") -> str:
    """Return a table of the cells and what all runs cost."""
    from mlx.commands.tables import as_prose, as_table
    from mlx.core.console import note
    from mlx.studies.cost import cost_of

    cost = cost_of(study)
    for line in cost.warnings:
        note(f"warning: {line}")
    rows = [[each.name, each.runs, each.done, each.time(), each.space()] for each in cost.cells]
    table = as_table(["cell", "runs", "done", "time of a run", "disk of a run"], rows)
    return "\n".join([table, *as_prose(list(cost.facts()))])


def _show(chosen: argparse.Namespace) -> str:
    from mlx.studies.finished import read_finished, study_folder

    study = read_finished(study_folder(chosen.study))
    return _summary(study, os.path.relpath(study.folder))


def _summary(study: "FinishedStudy", where: str) -> str:
    """Return the verdicts of the first metric, the estimates of all cells, and what opens the page."""
    from shlex import quote

    from mlx.commands.tables import as_prose, as_table

    failed = study.about["n_failed"]
    head = f"{study.about['name']}: {study.about['n_runs']} runs{f', {failed} of them failed' if failed else ''}"
    rows = []
    for name in study.names:
        found = [study.estimates(metric).get(name) for metric in study.metrics]
        rows.append([name, *(None if row is None else _with_interval(row) for row in found)])
    table = as_table(["cell", *map(str, study.metrics)], rows, more=f"{where}/cells.csv")
    first = str(study.metrics[0]) if study.metrics else ""
    said = [verdict["sentence"] for verdict in study.about["verdicts"] if verdict["metric"] == first]
    page = f"look at it  mlx open {quote(where)}" if (study.folder / "study.html").is_file() else ""
    return "\n\n".join(part for part in (head, "\n".join(as_prose(said)), table, page) if part)


def _with_interval(row: "CellEstimate") -> str:
    number = "" if isnan(row.estimate) else f"{row.estimate:.4g}"
    return number if isnan(row.low) or isnan(row.high) else f"{number} [{row.low:.4g}, {row.high:.4g}]"


def _runs(chosen: argparse.Namespace) -> str:
    from dataclasses import asdict
    from json import dumps

    from mlx.commands.tables import as_table
    from mlx.results.numbers import or_none
    from mlx.studies.finished import read_finished, study_folder

    study = read_finished(study_folder(chosen.study))
    records = [{key: or_none(value) for key, value in asdict(run).items()} for run in study.runs]
    if chosen.json:
        return dumps(records, indent=2, ensure_ascii=False)
    shown = [*OF_A_RUN, *map(str, study.metrics), "reason"]
    rows = [[record[key] or None if key == "fold" else record[key] for key in shown] for record in records]
    return as_table(shown, rows, spare=("cell", "seed"), more="--json")


def _compare(chosen: argparse.Namespace) -> str:
    from json import dumps

    from mlx.commands.tables import as_prose, as_table
    from mlx.core.errors import SettingsError
    from mlx.core.settings import nearest
    from mlx.results.numbers import ends_text, or_none, p_text
    from mlx.results.study import DIFFERENCES
    from mlx.studies.finished import read_finished, study_folder

    study = read_finished(study_folder(chosen.study))
    for name in chosen.cells:
        if name not in study.names:
            known = ", ".join(study.names)
            raise SettingsError(f"expected cells out of {known}, found '{name}'{nearest(name, study.names)}")
    metrics = study.chosen(chosen.metric, "--metric")
    rows = [row for row in study.differences if row.metric in metrics and _is_among(row, chosen.cells)]
    if chosen.json:
        records = DIFFERENCES.frame(rows).to_dict("records")
        return dumps([{key: or_none(value) for key, value in record.items()} for record in records], indent=2)
    columns = ["second", "first", "metric", "difference", "interval", "level", "p", "p (Holm)", "status"]
    cells = [
        [
            row.second,
            row.first,
            str(row.metric),
            or_none(row.difference),
            ends_text(row.low_holm, row.high_holm),
            None if isnan(row.low_holm) else f"{100 * row.confidence_holm:.4g} %",
            *(p_text(p, 3) for p in (row.p, row.p_holm_baseline if row.baseline else row.p_holm)),
            str(row.status),
        ]
        for row in rows
    ]
    said = {(v["first"], v["second"], v["metric"]): v["sentence"] for v in study.about["verdicts"]}
    sentences = [said[key] for row in rows if (key := (row.first, row.second, str(row.metric))) in said]
    if not rows:
        return "no pair of cells to compare"
    table = as_table(columns, cells, spare=("status", "level", "p"), more="--json")
    return "\n\n".join(["\n".join(as_prose(sentences)), table])


def _is_among(row: "CellDifference", cells: "Sequence[str]") -> bool:
    """Return whether a pair is shown: every pair without a choice, those of one cell, or those between several."""
    return not cells or len({row.first, row.second} & set(cells)) == min(2, len(set(cells)))


def _table(chosen: argparse.Namespace) -> str:
    from mlx.core.artifacts import write_bytes
    from mlx.studies.finished import read_finished, study_folder
    from mlx.studies.latex import latex_table

    study = read_finished(study_folder(chosen.study))
    text = latex_table(study, study.chosen(chosen.metric, "--metric"))
    if chosen.output is None:
        return text
    write_bytes(chosen.output, f"{text}\n".encode())
    return str(chosen.output)
