"""Lines on what became of the columns of a table."""

from collections.abc import Iterator, Mapping, Sequence

from mlx.core.column_descriptions import PreparedColumn


def column_notes(columns: Sequence[PreparedColumn], dropped: Mapping[str, int]) -> Iterator[str]:
    """Yield a line on each column that is left out or has categories unknown to train, and on rows that are dropped."""
    for column in columns:
        if column.reason:
            yield f"column '{column.name}' is left out, as {column.reason}"
        elif not column.features:
            yield f"column '{column.name}' has one category in the training rows, and no feature, as drop says first"
        elif n := _by_part(column.unknown):
            where = "count as infrequent" if column.infrequent else "are in none of its features"
            if column.encoder == "ordinal":
                where = "have the code -1"
            yield f"column '{column.name}' has categories that no training row has: {n} rows {where}"
    if n := _by_part(dropped):
        yield f"left out rows with missing values: {n}; preprocessing.missing: impute keeps them"


def filled_text(columns: Sequence[PreparedColumn]) -> str:
    """Return how many gaps of which columns were filled with what; empty if none."""
    filled = [(column, n) for column in columns if (n := sum(column.gaps.values()))]
    listed = [f"{n} of '{column.name}' with {_value(column)}" for column, n in filled[:10]]
    return f"filled gaps: {', '.join(listed)}{', …' if len(filled) > 10 else ''}" if filled else ""


def _value(column: PreparedColumn) -> str:
    value = column.fill_value if isinstance(column.fill_value, str) else f"{column.fill_value:.6g}"
    return f"'{value}'" if column.kind == "categorical" else f"the {column.strategy} {value}".replace("_", " ")


def _by_part(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {part}" for part, n in counts.items() if n)
