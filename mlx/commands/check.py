"""`mlx check`: judges a run by intervals, for continuous integration."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from mlx.commands.places import run_name

if TYPE_CHECKING:
    from mlx.studies.gate import Judgment, Rule
    from mlx.studies.subjects import Subject

NAME = "check"
HELP = "check a run against rules, another run or a study: passes, fails, or not enough data"

EXIT_CODES = {"passes": 0, "fails": 3, "not enough data": 4}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "run", type=run_name, metavar="RUN", help="a run, or a folder of recorded arrays or of an analysis"
    )
    parser.add_argument(
        "--against", type=run_name, metavar="RUN_OR_STUDY", help="another one, or a study, whose baseline counts"
    )
    parser.add_argument("--cell", metavar="NAME", help="cell of the study (default: its baseline)")
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        help="no worse than that of --against; may be repeated (default: accuracy, or mae of a regression)",
    )
    parser.add_argument(
        "--margin",
        action="append",
        type=float,
        default=[],
        metavar="NUMBER",
        help="by how much it may be worse: one for all metrics, or one for each (default: 0.01)",
    )
    parser.add_argument(
        "--rules", type=Path, metavar="FILE", help="a rule in each line: ece < 0.05, accuracy >= against - 0.01"
    )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="folder of runs (default: the output directory)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table in Markdown")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the results as those of tests")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> str:
    """Print what was found of each rule; the exit code is 0 where all pass, 3 where one fails, else 4."""
    import sys

    from mlx.core.artifacts import write_bytes
    from mlx.core.console import answer
    from mlx.studies.check import judge
    from mlx.studies.gate import overall
    from mlx.studies.gate_files import junit, markdown

    with ExitStack() as stack:
        subject = _opened(chosen.run, chosen.run_dir, stack)
        against = _against(chosen, stack)
        judgments = judge(subject, _rules(chosen, subject), against)
        title = f"mlx check {subject.id}"
    if chosen.markdown is not None:
        write_bytes(chosen.markdown, markdown(title, judgments).encode())
    if chosen.junit is not None:
        write_bytes(chosen.junit, junit(title, judgments))
    verdict = overall(judgments)
    text = _json(subject, judgments) if chosen.json else _table(judgments)
    if code := EXIT_CODES[verdict]:
        answer(text)
        sys.exit(code)
    return text


def _opened(identity: str, directory: Path | None, stack: ExitStack) -> "Subject":
    from mlx.commands.places import find_any_run
    from mlx.runs.run import SUMMARY
    from mlx.studies.subjects import is_recorded, opened_folder, opened_run

    folder = Path(identity)
    if is_recorded(folder) and not (folder / SUMMARY).exists():
        return stack.enter_context(opened_folder(folder))
    return stack.enter_context(opened_run(find_any_run(identity, directory)))


def _against(chosen: argparse.Namespace, stack: ExitStack) -> "list[Subject]":
    from mlx.core.errors import SettingsError
    from mlx.runs.run import read_run
    from mlx.studies.recipe import runs_of_cell, study_of
    from mlx.studies.subjects import opened_run

    if chosen.against is None:
        return []
    if (folder := study_of(chosen.against)) is not None:
        folders = runs_of_cell(folder, chosen.cell)
        return [stack.enter_context(opened_run(read_run(path.resolve()))) for path in folders]
    if chosen.cell is not None:
        raise SettingsError("--cell: expected --against STUDY beside it, found no study")
    return [_opened(chosen.against, chosen.run_dir, stack)]


def _rules(chosen: argparse.Namespace, subject: "Subject") -> "list[Rule]":
    from mlx.core.errors import SettingsError
    from mlx.studies.check import primary_metric, tested_metric
    from mlx.studies.gate import no_worse, read_rules

    rules = [] if chosen.rules is None else read_rules(chosen.rules)
    names, margins = list(chosen.metric), list(chosen.margin)
    if chosen.against is None and (names or margins):
        raise SettingsError("--metric and --margin: expected --against RUN beside them, found none")
    if chosen.against is not None and not names and not rules:
        names = [primary_metric(subject)]
    if not names and margins:
        raise SettingsError("--margin: expected --metric beside it, found none")
    if len(margins) not in {0, 1, len(names)}:
        raise SettingsError(f"--margin: expected one, or {len(names)} for as many metrics, found {len(margins)}")
    of_each = margins * len(names) if len(margins) == 1 else margins or [None] * len(names)
    for name, margin in zip(names, of_each, strict=True):
        rules += no_worse(tested_metric(name, subject), margin)
    if not rules:
        raise SettingsError("expected --against RUN or --rules FILE, found neither")
    return rules


def _table(judgments: "list[Judgment]") -> str:
    from mlx.commands.tables import STYLES, as_table
    from mlx.core.console import styled
    from mlx.studies.gate import overall
    from mlx.studies.gate_files import COLUMNS, rows

    verdict = str(overall(judgments))
    return f"{as_table(list(COLUMNS), rows(judgments), more='--json')}\n\n{styled(verdict, STYLES[verdict])}"


def _json(subject: "Subject", judgments: "list[Judgment]") -> str:
    import json

    from mlx.results.numbers import or_none
    from mlx.studies.gate import overall

    rules = [
        {"rule": str(one.rule), "metric": one.rule.metric, "bound": one.rule.bound, "verdict": str(one.verdict)}
        | {name: or_none(getattr(one, name)) for name in ("estimate", "low", "high", "confidence")}
        | {"about": one.about}
        for one in judgments
    ]
    return json.dumps({"run": subject.id, "verdict": str(overall(judgments)), "rules": rules}, indent=2)
