"""A table is written and read back by one schema, which also checks and describes it."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest

from mlx.core.artifacts import read_csv, write_csv
from mlx.core.errors import ArtifactError
from mlx.results.schema import ArraySchema, Column, RowSchema


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Spot:
    color: Annotated[Color, Column("text", "its color")]
    name: Annotated[str, Column("text", "what it is called")] = ""
    size: Annotated[float, Column("number", "in millimeters", name="size_mm")] = float("nan")
    label: Annotated[int, Column("label", "its class")]
    n_seen: Annotated[int | None, Column("number", "how often it was seen", dtype="Int64")] = None
    note: str = "not written"
    words: Annotated[str, Column("text", "color and name")] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", f"{self.color} {self.name}")


SPOTS = RowSchema("spots.csv", Spot, "A row a spot.")


@dataclass(frozen=True)
class Points:
    x: Annotated[np.ndarray, Column("number", "place")]
    kind: Annotated[np.ndarray, Column("text", "its kind")]
    y: Annotated[np.ndarray | None, Column("share", "height")] = None


POINTS = ArraySchema("points.parquet", Points, "A row a point.")


def spots() -> tuple[Spot, ...]:
    return (
        Spot(color=Color.RED, name="01", size=1.5, label=0, n_seen=3),
        Spot(color=Color.BLUE, name="", label=1),
        Spot(color=Color.BLUE, name="NA", size=0.1, label=1),
    )


def round_trip(tmp_path: Path, rows: tuple[Spot, ...]) -> tuple[Spot, ...]:
    write_csv(tmp_path / SPOTS.file, SPOTS.frame(rows))
    return SPOTS.rows(tmp_path / SPOTS.file, read_csv(tmp_path / SPOTS.file, text=SPOTS.text), n_classes=2)


def test_rows_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    assert repr(round_trip(tmp_path, spots())) == repr(spots())  # NaN differs from itself


def test_a_table_without_rows_has_its_header_and_types(tmp_path: Path) -> None:
    assert round_trip(tmp_path, ()) == ()
    assert SPOTS.frame().dtypes.astype(str).to_dict() == SPOTS.frame(spots()).dtypes.astype(str).to_dict()
    assert tuple(SPOTS.frame()) == SPOTS.columns == ("color", "name", "size_mm", "label", "n_seen", "words")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("color", "green", "row 1: color: expected one of red, blue, found green"),
        ("label", 2, "row 1: label: expected class labels below 2, found 2"),
        ("size_mm", np.inf, "row 1: size_mm: expected finite numbers, found inf"),
    ],
)
def test_a_wrong_cell_is_named_by_its_row_and_column(column: str, value: object, message: str) -> None:
    table = SPOTS.frame(spots()).astype({"n_seen": float})  # as a CSV file has it
    table[column] = [table[column][0], value, table[column][2]]
    with pytest.raises(ArtifactError, match=message):
        SPOTS.rows(Path("spots.csv"), table, n_classes=2)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ArtifactError, match="expected a column 'words'"):
        SPOTS.rows(Path("spots.csv"), SPOTS.frame().drop(columns="words"))


def test_arrays_are_columns_with_a_suffix_and_without_those_that_are_not_there() -> None:
    points = Points(np.array([1.0, np.nan]), np.array(["a", "b"], dtype=object))
    table = POINTS.frame(points, suffix=".layer")
    assert list(table) == ["x.layer", "kind.layer"]
    found = POINTS.arrays(Path("points.parquet"), table, suffix=".layer")
    np.testing.assert_array_equal(found.x, points.x)
    assert found.kind.tolist() == ["a", "b"]
    assert found.y is None
    assert list(POINTS.frame()) == ["x", "kind", "y"]
    pd.testing.assert_frame_equal(POINTS.frame(found, suffix=".layer"), table, check_dtype=False)


def test_the_reference_tells_every_column_with_its_meaning() -> None:
    assert SPOTS.reference().splitlines()[2:5] == [
        "| `color` | text | its color |",
        "| `name` | text | what it is called |",
        "| `size_mm` | number | in millimeters |",
    ]
