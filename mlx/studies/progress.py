"""The progress of a study: a table of its cells on a terminal, a line per run elsewhere."""

import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from mlx.core.bars import open_bar
from mlx.core.console import is_terminal, note
from mlx.core.errors import ArtifactError
from mlx.runs.run import Summary, read_run
from mlx.studies.running import Outcome

SHOWN = ("accuracy", "rmse", "val_accuracy", "val_loss")
"""Metrics of which the first that a run has is shown."""


class StudyDisplay:
    """Shows the progress of the runs of a study.

    Parameters
    ----------
    expected
        Number of runs of each cell, in order.
    """

    def __init__(self, expected: Mapping[str, int], what: str = "run") -> None:
        self.expected, self.what = expected, what
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.last: dict[str, str] = {}
        self._bar = open_bar(f"{what}s", total=sum(expected.values())) if is_terminal(sys.stderr) else None

    def show(self, outcome: Outcome) -> None:
        """Count a run that ended."""
        cell = outcome.planned.cell
        self.done[cell] += 1
        self.failed[cell] += outcome.reason is not None
        self.last[cell] = outcome.reason or _headline(outcome)
        if self._bar is not None:
            self._bar.advance(counts=outcome.is_new)
            self._bar.below = table_lines(self.expected, self.done, self.failed, self.last)
        if outcome.is_new and (self._bar is None or outcome.reason):
            number, total = sum(self.done.values()), sum(self.expected.values())
            status = f"failed: {outcome.reason}" if outcome.reason else self.last[cell]
            note(f"{self.what} {number} of {total}: {outcome.planned.name}: {status}")

    def close(self) -> None:
        """Remove the bar and the table."""
        if self._bar is not None:
            self._bar.close()


def table_lines(
    expected: Mapping[str, int], done: Mapping[str, int], failed: Mapping[str, int], last: Mapping[str, str]
) -> Sequence[str]:
    """Return the lines of the table: a cell in each, with its runs that are done and failed."""
    width = max(map(len, expected), default=4)
    head = f"{'cell':<{width}}  done    failed  last"
    rows = []
    for cell, number in expected.items():
        count = f"{done.get(cell, 0)}/{number}"
        lost = str(failed.get(cell, 0) or "")
        rows.append(f"{cell:<{width}}  {count:<7} {lost:<6}  {last.get(cell, '')}")
    most = max(1, shutil.get_terminal_size().lines - 4)  # what leaves the screen can't be drawn again
    return [head, *rows] if len(rows) <= most else [head, *rows[:most], f"and {len(rows) - most} more cells"]


def _headline(outcome: Outcome) -> str:
    try:
        summary = read_run(outcome.folder).summary
    except ArtifactError:
        return "finished"
    return f"{_metric(summary)}{sum(summary.seconds.values()):.1f} s"


def _metric(summary: Summary) -> str:
    found = {name: value for part in summary.metrics.values() for name, value in part.items()}
    name = next((name for name in SHOWN if isinstance(found.get(name), int | float)), None)
    return f"{name} {found[name]:.4g}, " if name else ""
