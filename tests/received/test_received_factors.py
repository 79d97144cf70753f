"""Factors of recorded samples, by the command and in a notebook."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recorded import BASE, TWO, N, R, in_notebook

from mlx.core.errors import DataError
from mlx.received.factors import read_factors
from mlx.stats.groups import Groups

pytestmark = pytest.mark.slow


def test_columns_of_a_frame_that_pandas_keeps_sparse_are_factors() -> None:
    factors = pd.DataFrame({"f": pd.arrays.SparseArray(TWO), "g": pd.arrays.SparseArray(R[:, 0])})
    samples = in_notebook(BASE | {"factors": factors}, Path())
    np.testing.assert_array_equal(samples["factor.f"], TWO)
    np.testing.assert_array_equal(samples["factor.g"], R[:, 0])


FACTORS = {
    "none": ["None", "low", "NA"] * 20,
    "gaps": [np.nan, *range(59)],
    "text_gaps": [None, *["a", "b"] * 29, "a"],
    "flag": [True, None, False] * 20,
    "date": pd.date_range("2024-01-01", periods=N).to_numpy(),
    "file": [f"img_{row}.png" for row in range(N)],
    "numbers": ["1", "2", "NA"] * 20,
    "size": list(range(N)),
}


@pytest.mark.parametrize("form", ["csv", "parquet", "memory"])
def test_factors_have_gaps_and_words_and_what_explains_nothing_is_left_out(door, tmp_path, capsys, form) -> None:
    table = pd.DataFrame(
        {name: pd.Series(values, dtype=object if name == "flag" else None) for name, values in FACTORS.items()}
    )
    path = tmp_path / f"m.{form}"
    if form == "csv":
        table.to_csv(path, index=False)
    elif form == "parquet":
        table.to_parquet(path)
    samples = door(BASE | {"factors": table if form == "memory" else path}, tmp_path)
    found = {name.removeprefix("factor."): samples[name] for name in samples if name.startswith("factor.")}
    assert set(found) == set(FACTORS) - {"file"}
    assert found["date"].tolist() == [*map(pd.Timestamp, FACTORS["date"])]
    assert found["none"].tolist() == FACTORS["none"]
    assert found["gaps"].isna().tolist() == [True] + [False] * 59
    assert found["text_gaps"].isna().sum() == 1
    assert found["flag"].isna().sum() == 20
    assert found["numbers"].dropna().tolist() == [1.0, 2.0] * 20
    said = [line for line in capsys.readouterr().err.splitlines() if "column '" in line]
    assert len(said) == 2
    assert any("'file' is left out" in line and "name the rows" in line for line in said)
    assert any("'date' holds dates, which count in days" in line for line in said)


ROWS = 1200
DAYS = pd.date_range("2020-01-01", periods=ROWS // 2).repeat(2)


@pytest.mark.parametrize(
    ("labels", "n_groups"),
    [
        ([f"s{row}" for row in range(ROWS)], ROWS),
        ([f"s{row // 2}" for row in range(ROWS)], ROWS // 2),
        ([f"s{row % 1100}" for row in range(ROWS)], 1100),
        ([row // 2 for row in range(ROWS)], ROWS // 2),
        ([None if row < 4 else f"s{row // 2}" for row in range(ROWS)], ROWS // 2 + 2),
        ([None if row < 4 else row // 2 for row in range(ROWS)], ROWS // 2 + 2),
        (DAYS, ROWS // 2),
        (DAYS.tz_localize("Asia/Tokyo"), ROWS // 2),
        (DAYS.where(np.arange(ROWS) >= 4), ROWS // 2 + 2),
        ([str(day.date()) for day in DAYS], ROWS // 2),
        (["same"] * ROWS, 1),
        ([True] * (ROWS - 1) + [False], 2),
    ],
)
def test_groups_may_be_what_would_be_no_factor(tmp_path, labels, n_groups: int) -> None:
    table = pd.DataFrame({"group": labels, "x": np.arange(ROWS)})
    table.to_csv(tmp_path / "m.csv", index=False)
    table.to_parquet(tmp_path / "m.parquet")
    for given in (table, {"group": labels}, tmp_path / "m.csv", tmp_path / "m.parquet"):
        found = read_factors(given, ROWS, "factors", "group")["group"]
        assert Groups.of(found).count == n_groups
        pd.DataFrame({"group": found}).to_parquet(tmp_path / "written.parquet")


def test_two_columns_of_groups_are_rejected() -> None:
    table = pd.DataFrame([[1, 2]] * ROWS, columns=["group", "group"])
    with pytest.raises(DataError, match="expected columns of different names, found 'group' 2 times"):
        read_factors(table, ROWS, "factors", "group")
