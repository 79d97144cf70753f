"""Columns of a table of facts as factors: dates, durations, ids, gaps."""

import datetime

import numpy as np
import pandas as pd
import pytest

from mlx.datasets.custom.factors import factors_of

N = 60
DAYS = pd.date_range("2023-12-20", periods=N)
WRITTEN = {
    "ISO": "%Y-%m-%d",
    "slashes": "%Y/%m/%d",
    "dots": "%d.%m.%Y",
    "day first": "%d/%m/%Y",
    "month first": "%m-%d-%Y",
    "with a time": "%Y-%m-%dT%H:%M:%SZ",
}


def read(values, name="x"):
    factors, lines = factors_of(pd.DataFrame({name: values}), "m.csv")
    assert len(lines) <= 1
    return factors.get(name), (lines or [""])[0].removeprefix(f"m.csv: column '{name}' ")


@pytest.mark.parametrize(
    "values",
    [
        DAYS,
        DAYS.tz_localize("UTC"),
        DAYS.to_period("D"),
        [day.date() for day in DAYS],
        [day.to_pydatetime() for day in DAYS],
        *(DAYS.strftime(form) for form in WRITTEN.values()),
    ],
    ids=["moments", "with a zone", "periods", "dates", "objects", *WRITTEN],
)
def test_dates_are_moments_that_count_in_days(values) -> None:
    found, said = read(values)
    assert found.dtype == "datetime64[us]"
    np.testing.assert_array_equal(found, DAYS.to_numpy())
    assert said == "holds dates, which count in days"


def test_dates_may_be_missing() -> None:
    for gap in (None, "NA", ""):
        found, _ = read([gap, *DAYS[1:].strftime("%Y-%m-%d")])
        assert np.isnat(found).tolist() == [True] + [False] * (N - 1)
        np.testing.assert_array_equal(found[1:], DAYS[1:].to_numpy())


@pytest.mark.parametrize("kind", ["text", "moments"])
def test_few_dates_that_repeat_are_categories(kind: str) -> None:
    occasions = ["2024-01-02", "2024-02-03", None] * 20
    found, said = read(occasions if kind == "text" else pd.to_datetime(occasions))
    assert found.tolist() == occasions
    assert said == "holds few dates that repeat, which are categories"
    found, _ = read(pd.to_datetime(["2024-01-02 10:00", "2024-02-03 11:30"] * 30))
    assert found.tolist() == ["2024-01-02T10:00:00", "2024-02-03T11:30:00"] * 30


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["01/02/2024", "03/04/2024"] * 30, "dates begin with the day or the month; write them as YYYY-MM-DD"),
        (["13/02/2024", "03/14/2024"] * 30, "dates begin with the day or the month"),
        (["31.02.2024", "01.02.2024"] * 30, "there is no date '31.02.2024'"),
        ([datetime.time(3, k) for k in range(N)], "it holds times of day"),
        ([None] * N, "it has no value"),
        ([f"p{k}" for k in range(N)], "its 60 texts all differ and name the rows"),
    ],
)
def test_what_explains_nothing_is_left_out_with_a_reason(values, why: str) -> None:
    found, said = read(values)
    assert found is None
    assert said.startswith("is left out of the factors, as ")
    assert why in said


@pytest.mark.parametrize(
    ("name", "kept"),
    [("id", False), ("ID", False), ("patient_id", False), ("PassengerId", False), ("UUID", False), ("paid", True),
     ("age", True), ("Madrid", True)],
)  # fmt: skip
def test_numbers_that_all_differ_are_ids_by_their_name(name: str, kept: bool) -> None:
    found, said = read(np.arange(N) * 3, name)
    assert (found is not None) == kept
    assert ("all differ and it is named as one of ids" in said) != kept
    assert read(np.arange(N) // 2, name)[0] is not None


def test_durations_are_days() -> None:
    found, said = read([None, *(datetime.timedelta(hours=12 * k) for k in range(N - 1))])
    np.testing.assert_array_equal(found, [np.nan, *np.arange(N - 1) / 2])
    assert said == "holds durations, which count in days"
    np.testing.assert_array_equal(read(pd.to_timedelta(np.arange(N), unit="D"))[0], np.arange(N))
