"""`mlx run-experiment`: runs every step of an experiment, or of several, in one process."""

import argparse
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.commands.chosen_workers import add_workers, opened
from mlx.commands.places import run_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlx.config import Resolved
    from mlx.core.workers import Workers

NAME = "run-experiment"
HELP = "run every step of an experiment in one process"
PARAMS = Path("params.yaml")
NOT_WITH_RESUME = {
    "name": "NAME",
    "config": "--config",
    "assignments": "--set",
    "dry_run": "--dry-run",
    "strict": "--strict",
    "keep_going": "--keep-going",
}
"""Arguments that have no effect on a run that already has a configuration, and their flags."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("name", nargs="?", help="name of the experiment, instead of the name in the file")
    parser.add_argument("--config", type=Path, help=f"JSON or YAML, one experiment or a list (default: {PARAMS})")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="run the steps on a sample, write nothing",
    )
    parser.add_argument("--strict", action="store_true", help="make unknown keys errors instead of warnings")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="assignments",
        help="override the value of a key, such as training.epochs=3; may be repeated",
    )
    parser.add_argument(
        "--resume", type=run_name, metavar="RUN", help="continue a run that was interrupted, by id or folder"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="with --resume: continue even if it is unknown whether a process still works on the run",
    )
    parser.add_argument("--keep-going", action="store_true", help="with a list: if one fails, run the others")
    add_workers(parser)


def run(chosen: argparse.Namespace) -> str:
    """Return the run's folder, a table for several runs, or the whole configuration for a dry run."""
    from mlx.core.console import note
    from mlx.core.errors import SettingsError

    if chosen.resume is not None:
        if given := [flag for name, flag in NOT_WITH_RESUME.items() if getattr(chosen, name)]:
            raise SettingsError(
                f"--resume: expected nothing beside it, as a run keeps its configuration, found {given[0]}"
            )
        with opened(chosen, Path()) as workers:
            return _resume(chosen.resume, workers, force=chosen.force)
    if chosen.force:
        raise SettingsError("--force: expected --resume RUN beside it, as it has no meaning without, found none")
    experiments = _read(chosen)
    if chosen.dry_run:
        if chosen.workers:
            note("--workers: has no effect on a dry run, which runs in this process")
        return _dry_run(experiments)
    with opened(chosen, Path()) as workers:
        return _run_all(experiments, workers, keep_going=chosen.keep_going)


def _read(chosen: argparse.Namespace) -> "list[Resolved]":
    """Read the configuration, and print a warning for each unknown key."""
    from mlx.config import resolve_all
    from mlx.core.console import note
    from mlx.core.errors import SettingsError

    path = chosen.config or (PARAMS if PARAMS.exists() else None)
    if path is None and chosen.name is None and not chosen.dry_run:
        raise SettingsError(f"expected --config FILE, a {PARAMS} here, or a NAME for the built-in default, found none")
    experiments = resolve_all(path, name=chosen.name, assignments=chosen.assignments, strict=chosen.strict)
    for warning in dict.fromkeys(warning for experiment in experiments for warning in experiment.warnings):
        note(f"warning: ignored: {warning}")
    return experiments


def _run_all(experiments: "list[Resolved]", workers: "Workers", *, keep_going: bool) -> str:
    """Run the experiments in order; return a folder, or a table for several. Fails if one of them failed.

    What one run found is printed on standard error, so that the folder alone is the answer.
    """
    from mlx.commands.places import at_root
    from mlx.commands.tables import HEADLINES, as_table, headline
    from mlx.core.console import answer, note
    from mlx.core.errors import MlxError
    from mlx.core.workers import RESOURCES_UNUSED
    from mlx.experiment import run_experiment
    from mlx.runs.run import read_run
    from mlx.studies.listed import run_each

    rows: list[list[Any]] = []
    failures = 0
    with at_root() as shown:
        if len(experiments) == 1:
            if experiments[0].config.resources:
                note(RESOURCES_UNUSED)
            return _ended(run_experiment(experiments[0].config, workers), shown)
        configs = [experiment.config for experiment in experiments]
        ended = run_each(configs, workers, keep_going=keep_going, begin=lambda name: note(f"experiment {name}"))
        for config, found in zip_longest(configs, ended):
            folder, reason = found or (None, None)
            if folder is not None:
                run = read_run(folder)
                rows.append([config.name, run.status, *headline(run), shown(run.folder)])
                continue
            rows.append([config.name, "failed" if found else "not run"])
            if found:
                failures += 1
                note(f"{config.name}: {reason}")
    table = as_table(["experiment", "status", *HEADLINES, "run"], rows, more="'mlx runs --json'")
    if not failures:
        return table
    answer(table)
    raise MlxError(f"{failures} of {len(experiments)} experiments failed")


def _resume(identity: str, workers: "Workers", *, force: bool) -> str:
    from mlx.commands.places import at_root, find_any_run
    from mlx.experiment import resume_experiment

    run = find_any_run(identity, recover=True)
    with at_root() as shown:
        return _ended(resume_experiment(run, workers, force=force), shown)


def _ended(folder: Path, shown: "Callable[[Path], str]") -> str:
    """Print what a run found, and what opens its page; return its folder."""
    from mlx.commands.tables import metrics_of, result_lines
    from mlx.core.console import note
    from mlx.runs.run import read_run

    run = read_run(folder)
    for line in result_lines(metrics_of(run), shown(folder)):
        note(line)
    return shown(folder)


def _dry_run(experiments: "list[Resolved]") -> str:
    """Return each configuration as YAML with the source of each value, and what the dry run found."""
    from mlx.commands.places import at_root
    from mlx.core.console import note
    from mlx.runs.dry_run import dry_run

    pages = []
    with at_root():
        for experiment in experiments:
            result = dry_run(experiment)
            for line in result.warnings:
                note(f"warning: {line}")
            pages.append("\n".join([*_listing(experiment), *(f"# {fact}" for fact in result.facts)]))
    return "\n---\n".join(pages)


def _listing(experiment: "Resolved") -> "Iterator[str]":
    """Yield the lines of a YAML file, every value with its origin as a comment."""
    import json

    above: tuple[str, ...] = ()
    for key, value, origin in experiment.values():
        *sections, name = map(str, key)
        shared = next((i for i, (a, b) in enumerate(zip(above, sections, strict=False)) if a != b), None)
        shared = min(len(above), len(sections)) if shared is None else shared
        for depth in range(shared, len(sections)):
            yield f"{'  ' * depth}{sections[depth]}:"
        above = tuple(sections)
        text = f"{'  ' * len(sections)}{name}: {json.dumps(value, ensure_ascii=False)}"
        yield f"{text:<46}  # {origin}"
