"""Factors of recorded samples, by the command and in a notebook."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recorded import BASE, TWO, N, R, in_notebook

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
    assert set(found) == set(FACTORS) - {"date", "file"}
    assert found["none"].tolist() == FACTORS["none"]
    assert found["gaps"].isna().tolist() == [True] + [False] * 59
    assert found["text_gaps"].isna().sum() == 1
    assert found["flag"].isna().sum() == 20
    assert found["numbers"].dropna().tolist() == [1.0, 2.0] * 20
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(said) == 2
    assert any("'file'" in line and "name the rows" in line for line in said)
    assert any("'date'" in line and "dates" in line for line in said)
