"""`mlx issues` prints what was found in 80 columns, and exports it whole."""

from pathlib import Path

import pandas as pd
import pytest

from mlx.cli import main
from mlx.core.artifacts import write_csv, write_json
from mlx.core.paths import Workspace
from mlx.results.issues import ISSUE_COUNTS, ISSUES, Issue, IssueCount, IssueKind, IssueMethod
from mlx.stats.status import Reason

NAMES = ["a class of a very long name that no column holds", "b"]
LABELS = [
    Issue(kind=IssueKind.LABEL, split="train", index=123_456 + i, score=0.987654 - i / 100, threshold=0.123456,
          suggested_label=i % 2, method=IssueMethod.CONFIDENT_LEARNING, why=f"reason {i}, in words")
    for i in range(14)
]  # fmt: skip
LEAK = Issue(kind=IssueKind.LEAK, split="test", index=7, related_index=654_321, score=0.0, threshold=0.0,
             method=IssueMethod.EQUAL_INPUTS, why="equals sample 654321 of train")  # fmt: skip
COUNTS = [
    IssueCount(kind=IssueKind.LABEL, split="train", method=IssueMethod.CONFIDENT_LEARNING, n=1000, n_issues=14,
               expected=3.21, status=Reason.NOT_RECALIBRATED()),
    IssueCount(kind=IssueKind.LEAK, split="test", method=IssueMethod.EQUAL_INPUTS, n=100, n_issues=1, expected=0),
]  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path)
    found.residuals.mkdir(parents=True)
    found.raw.mkdir()
    write_csv(found.residuals / ISSUES.file, ISSUES.frame([*LABELS, LEAK]))
    write_csv(found.residuals / ISSUE_COUNTS.file, ISSUE_COUNTS.frame(COUNTS))
    described = {"name": "n", "task": "classification", "class_names": NAMES, "shape": [9, 2], "dtype": "float64",
                 "source": "", "seed": None, "params": {}, "augmentation": None,
                 "factors": [], "details": {}}  # fmt: skip
    write_json(found.raw / "dataset.json", described)
    return found


def test_the_table_fits_80_columns_and_leads_with_the_flawless_count(workspace: Workspace, capsys) -> None:
    main(["issues", str(workspace.root)])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "train, confident learning: 14 of 1000; flawless data has 3.21" in printed
    assert "4 more: --kind 'label' lists them" in printed
    assert printed.count(" 1234") == 10
    assert "a class of a ver" in printed
    assert "654321" in printed


def test_one_kind_is_listed_whole_and_exported_with_its_reasons(workspace: Workspace, tmp_path: Path, capsys) -> None:
    file = tmp_path / "labels.csv"
    main(["issues", str(workspace.root), "--kind", "label", "--csv", str(file)])
    printed = capsys.readouterr().out
    assert "123469" in printed
    assert "leak" not in printed
    table = pd.read_csv(file)
    assert table["why"].tolist() == [row.why for row in LABELS]
    assert list(table) == list(ISSUES.columns)
    main(["issues", str(workspace.root), "--kind", "label", "--kind", "leak"])
    assert {"123469", "654321"} <= {*capsys.readouterr().out.split()}


def test_a_run_without_the_tables_and_a_missing_folder_are_named(workspace: Workspace, capsys) -> None:
    with pytest.raises(SystemExit, match="--csv: expected a file in an existing folder"):
        main(["issues", str(workspace.root), "--csv", "nowhere/issues.csv"])
    (workspace.residuals / ISSUES.file).unlink()
    with pytest.raises(SystemExit, match=r"issues\.csv: expected samples to look at, found none"):
        main(["issues", str(workspace.root)])
