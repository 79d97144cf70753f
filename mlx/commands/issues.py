"""`mlx issues`: the samples of a run to look at, as a table and as a file."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.commands.places import run_name

if TYPE_CHECKING:
    from mlx.results.issues import Issue, IssueCount

NAME = "issues"
HELP = "list the samples of a run to look at: likely wrong labels, duplicates, leaks, outliers, confident mistakes"

KINDS = ("label", "duplicate", "leak", "outlier", "confidently wrong")
WIDTH = 80
MOST = 10
"""Rows of each kind in the table, unless one kind is asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    add("run", type=run_name, metavar="RUN", help="a run by id, name or folder; or a folder with data/ and metrics/")
    kinds = f"one of {', '.join(KINDS)}: all of this kind; may be repeated"
    add("--kind", choices=KINDS, action="append", metavar="KIND", help=kinds)
    add("--csv", type=Path, metavar="FILE", help="write these rows with all columns to FILE")
    add("--run-dir", type=Path, metavar="DIR", help="folder of runs (default: the output directory)")


def run(chosen: argparse.Namespace) -> str:
    """Return the table; write the file.

    Raises
    ------
    ArtifactError
        The tables are missing, as in a run of an earlier version, or damaged.
    """
    from mlx.commands.places import results_folder
    from mlx.core.artifacts import write_csv
    from mlx.core.checksums import verified
    from mlx.core.descriptions import DatasetDescription, read_description
    from mlx.core.errors import ArtifactError, SettingsError
    from mlx.core.paths import Workspace
    from mlx.pipeline.results import read_issues
    from mlx.results.issues import ISSUES

    workspace = Workspace(results_folder(chosen.run, chosen.run_dir))
    path = workspace.residuals / ISSUES.file
    if not path.exists():
        raise ArtifactError(
            f"{path}: expected samples to look at, found none, as an earlier version analyzed this run or its analysis "
            "did not end; a new run, or 'dvc repro' for the workspace, finds them"
        )
    with verified(workspace.root):
        tables = read_issues(workspace.residuals)
        names = read_description(workspace.raw / "dataset.json", DatasetDescription).class_names
    issues, counts = (
        [row for row in tables[name] if row.kind in (chosen.kind or KINDS)] for name in ("issues", "issue_counts")
    )
    if chosen.csv is not None:
        if not chosen.csv.absolute().parent.is_dir():
            raise SettingsError(f"--csv: expected a file in an existing folder, found {chosen.csv}")
        write_csv(chosen.csv, ISSUES.frame(issues))
    kinds = dict.fromkeys(row.kind for row in counts)
    parts = [_of_kind(kind, issues, counts, names, most=len(issues) if chosen.kind else MOST) for kind in kinds]
    return "\n\n".join(parts)


def _of_kind(
    kind: str, issues: "Sequence[Issue]", counts: "Sequence[IssueCount]", names: Sequence[str], *, most: int
) -> str:
    from textwrap import wrap

    from mlx.commands.tables import as_table

    lines = [kind]
    for count in counts:
        if count.kind == kind:
            lines += wrap(_counted(count), WIDTH, initial_indent="  ", subsequent_indent="    ")
    own = [issue for issue in issues if issue.kind == kind]
    if own:
        rows = [_cells(issue, names) for issue in own[:most]]
        columns = ["split", "index", "repeats", "suggested", "score", "threshold", "found by"]
        lines.append(as_table(columns, rows, more="--csv FILE"))
    if len(own) > most:
        lines.append(f"… {len(own) - most} more: --kind '{kind}' lists them, --csv FILE has the reasons")
    return "\n".join(lines)


def _counted(count: "IssueCount") -> str:
    expected = "" if count.expected != count.expected else f"; flawless data has {count.expected:.3g}"
    status = "" if count.status.is_ok else f" ({count.status})"
    return f"{count.split}, {count.method}: {count.n_issues} of {count.n}{expected}{status}"


SHORT = {
    "confident learning": "learning", "area under the margin": "margin", "equal inputs": "equal",
    "equal representation and output": "equal", "near in the representation": "near",
    "distance to training neighbors": "distance", "confidence": "confidence",
}  # fmt: skip
"""How a sample was found, in a word that fits the line."""


def _cells(issue: "Issue", names: Sequence[str]) -> list[Any]:
    label = issue.suggested_label
    named = "" if label is None else names[label] if label < len(names) else str(label)
    threshold = None if issue.threshold != issue.threshold else issue.threshold
    return [issue.split, issue.index, issue.related_index, named[:16], issue.score, threshold, SHORT[issue.method]]
