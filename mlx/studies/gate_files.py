"""The judgment of a run as tables: Markdown for readers, JUnit for services that show test results."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from mlx.results.numbers import ends_text
from mlx.studies.gate import Judgment, Verdict, overall

COLUMNS = ("rule", "found", "interval", "verdict", "about")


def rows(judgments: Sequence[Judgment]) -> list[list[str]]:
    """Return a row of text for each rule, of the columns `COLUMNS`."""
    return [[str(one.rule), _number(one.estimate), interval(one), str(one.verdict), one.about] for one in judgments]


def interval(one: Judgment) -> str:
    """Return the interval as text; empty where there is none."""
    return ends_text(one.low, one.high) or ""


def markdown(title: str, judgments: Sequence[Judgment]) -> str:
    """Return a heading with the verdict, and a table with a row for each rule."""
    lines = [f"## {title}: {overall(judgments)}", "", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
    return "\n".join([*lines, *(_line(row) for row in rows(judgments)), ""])


def junit(title: str, judgments: Sequence[Judgment]) -> bytes:
    """Return a test suite with a case for each rule: failed, skipped where there is not enough data, or passed."""
    counts = {verdict: sum(one.verdict is verdict for one in judgments) for verdict in Verdict}
    suite = ET.Element(
        "testsuite",
        name=title,
        tests=str(len(judgments)),
        failures=str(counts[Verdict.FAILS]),
        errors="0",
        skipped=str(counts[Verdict.NOT_ENOUGH_DATA]),
    )
    for one in judgments:
        case = ET.SubElement(suite, "testcase", classname="mlx.check", name=str(one.rule))
        said = f"found {_number(one.estimate) or 'none'}, interval {interval(one) or 'none'}; {one.about}"
        if one.verdict is Verdict.FAILS:
            ET.SubElement(case, "failure", message=said)
        elif one.verdict is Verdict.NOT_ENOUGH_DATA:
            ET.SubElement(case, "skipped", message=f"not enough data: {said}")
        else:
            ET.SubElement(case, "system-out").text = said
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _number(value: float) -> str:
    return "" if value != value else f"{value:.4g}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
