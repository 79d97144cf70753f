"""What the words of a slice select in the explorer."""

import pytest

from mlx.plots.page.selections import slice_conditions, slice_query

NAMES = {"salt and pepper", "food", "size", "and", "x and y and z", "is and is"}


@pytest.mark.parametrize(
    ("description", "conditions"),
    [
        ("salt and pepper ≤ 0.5 and size > 3", [("salt and pepper", "<=0.5"), ("size", ">3")]),
        ("not salt and pepper and food is a and b", [("salt and pepper", "=false"), ("food", "=a and b")]),
        ("food is not bread and (size ≤ \N{MINUS SIGN}2 or missing)", [("food", "!=bread"), ("size", "<=-2?")]),
        ("and and and is 3 and x and y and z > 1", [("and", "=true"), ("and", "=3"), ("x and y and z", ">1")]),
        ("is and is is and is and size > 1e-05", [("is and is", "=and is"), ("size", ">1e-05")]),
        ("food is a and b and other > 3", [("food", "=a and b and other > 3")]),
        ("other > 3 and size > 3", []),
        (" and ".join(["size > 1"] * 500 + ["other"]), []),
    ],
)  # fmt: skip
def test_conditions_are_read_whatever_names_hold_and(description, conditions):
    found = slice_conditions(description, NAMES)
    assert [(one.key, one.values) for one in found] == [(f"f.factor.{name}", values) for name, values in conditions]
    assert " and ".join(one.words for one in found) == (description if conditions else "")
    assert bool(slice_query(description, NAMES)) is bool(conditions)
