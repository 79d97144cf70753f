"""The tables of a document: a row a statistic, with its rates over the designs, and the cells that are outside."""

import re
from pathlib import Path

import pandas as pd

from simulation.verdicts import FEWEST, at_least, judged

PLACE = re.compile(r"(?<=<!-- simulation -->\n).*?(?=<!-- end of simulation -->)", re.DOTALL)
"""Where the tables stand in a document."""

SOURCES = ("tests.csv", "evaluation.json", "residuals.json", "mlx compare")

ASIDE = "copies, not declared"
"""A design that does not count for the ranges: dependent samples are taken for independent ones, as the status says."""

RULES = {
    "rejects too often": ("p at most 0.05 in more than 7 % of true nulls", "chance_high"),
    "rejects too rarely": ("p at most 0.05 in fewer than 3 % of true nulls", "chance_low"),
    "too narrow": ("Intervals that hold the value in fewer than 93 %", "chance_low"),
    "conservative": ("Intervals that hold it in more than 97 %", "chance_high"),
}
"""Title of the list of each verdict, and the column with the chance of it at the nominal rate."""


def put_into(document: Path) -> None:
    """Write the tables of the CSV files in the folder beside a document into it."""
    text = document.read_text(encoding="utf-8")
    content = rendered(*read(document.with_suffix("")))
    document.write_text(PLACE.sub(lambda _: f"\n{content}\n\n", text), encoding="utf-8", newline="\n")


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of p-values and of intervals."""
    return tuple(pd.read_csv(folder / f"{name}.csv", keep_default_na=False) for name in ("p_values", "intervals"))


def rendered(p_values: pd.DataFrame, intervals: pd.DataFrame) -> str:
    """Return all tables, and the cells that are outside the ranges, in Markdown."""
    runs = [int(p_values.loc[p_values["source"] == source, "runs"].max()) for source in SOURCES[:2]]
    parts = [
        f"Each design was drawn {runs[0]} times for `tests.csv`, with and without true nulls; {runs[1]} times else."
    ]
    aside = [judged(table[table["design"] == ASIDE]) for table in (p_values, intervals)]
    p_values, intervals = (counted(table) for table in (p_values, intervals))
    for title, table, line in (
        ("p ≤ 0.05 under the null, %", p_values, _p_line),
        ("95 % intervals that hold the population's value, %", intervals, _interval_line),
    ):
        for source in SOURCES:
            rows = table[table["source"] == source]
            if len(rows):
                parts.append(_summary(f"{title}: `{source}`", rows, line))
    return "\n\n".join(
        [
            *parts,
            *_outside(judged(p_values), judged(intervals)),
            _aside(*aside),
        ]
    )


def _summary(title: str, rows: pd.DataFrame, line) -> str:
    known = judged(rows)
    found = [line(known[known["target"] == target], of_target, target) for target, of_target in _by_target(rows)]
    columns = list(found[0])
    head = [f"**{title}**", "", f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 2) + "---|"]
    return "\n".join([*head, *(f"| {' | '.join(cells.values())} |" for cells in found)])


def _by_target(rows: pd.DataFrame):
    return rows.groupby("target", sort=False)


def _p_line(known: pd.DataFrame, rows: pd.DataFrame, target: str) -> dict[str, str]:
    return (
        {"statistic": target, "designs": f"{len(known)} of {len(rows)}"}
        | _ends(known)
        | {"without a rate": _reasons(rows)}
    )


def _interval_line(known: pd.DataFrame, rows: pd.DataFrame, target: str) -> dict[str, str]:
    return {
        "statistic": target,
        "designs": f"{len(known)} of {len(rows)}",
        "given, %": _range(known["share"], digits=0),
        **_ends(known),
        "without a rate": _reasons(rows),
    }


def _range(values: pd.Series, digits: int = 1) -> str:
    if values.empty:
        return "none"
    low, high = (f"{100 * value:.{digits}f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _ends(known: pd.DataFrame) -> dict[str, str]:
    """Return the least and the greatest rate, each with its design."""
    if known.empty:
        return {"least": "none", "greatest": "none"}
    ends = (known.loc[known["rate"].idxmin()], known.loc[known["rate"].idxmax()])
    return {
        name: f"{100 * row['rate']:.1f} ({row['design']} {row['n']})"
        for name, row in zip(("least", "greatest"), ends, strict=True)
    }


def _reasons(rows: pd.DataFrame) -> str:
    """Say why the remaining designs have no rate, and how many they are."""
    rest = rows[rows["given"] < FEWEST]
    if rest.empty:
        return "none"
    counts = rest["reason"].str.replace(r"^no interval \((.+)\)$", r"\1", regex=True).value_counts(sort=True)
    return "; ".join(f"{reason} ({count})" for reason, count in counts.items())


def _outside(p_values: pd.DataFrame, intervals: pd.DataFrame) -> list[str]:
    found = []
    for verdict, (title, chance) in RULES.items():
        table = p_values if verdict.startswith("rejects") else intervals
        listed = table[table["verdict"] == verdict]
        by_chance = f"{table[chance].sum():.1f} at the nominal rate, P = {at_least(len(listed), table[chance]):.2g}"
        found.append(_listed(f"**{title}** ({len(listed)} of {len(table)} cells; {by_chance}):", listed, _rate))
    for name, table in (("3 to 7 %", p_values), ("93 to 97 %", intervals)):
        title = f"**Outside of {name} by more than chance,** adjusted over all {len(table)} cells (Holm, 5 %):"
        found.append(_listed(title, table[table["certain"]], _rate))
    sided = intervals[intervals["one_sided"]]
    found.append(
        _listed("**Intervals that miss on one side more than three times as often as on the other:**", sided, _misses)
    )
    return found


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of a table that count for the ranges."""
    return table[table["design"] != ASIDE]


def _aside(p_values: pd.DataFrame, intervals: pd.DataFrame) -> str:
    p, held = (_range(table["rate"]) for table in (p_values, intervals))
    rates = f"p is at most 0.05 in {p} %, and intervals hold in {held} %"
    return f"**{ASIDE[0].upper()}{ASIDE[1:]}:** {rates}, as samples count several times."


def _listed(title: str, rows: pd.DataFrame, say) -> str:
    if rows.empty:
        return f"{title} none."
    lines = [f"- {target}: {'; '.join(say(row) for _, row in part.iterrows())}" for target, part in _by_target(rows)]
    return "\n".join([title, "", *lines])


def _rate(row: pd.Series) -> str:
    labeled = ""
    if row["verdict"] == "conservative" and row["labeled"] != "":  # where labels were counted
        labeled = f", labeled in {100 * int(row['labeled']) / row['given']:.0f} %"
    return f"{100 * row['rate']:.1f} at *{row['design']} {row['n']}*{labeled}"


def _misses(row: pd.Series) -> str:
    below, above = (100 * row[side] / row["given"] for side in ("below", "above"))
    return f"{below:.1f} below, {above:.1f} above at *{row['design']} {row['n']}*"
