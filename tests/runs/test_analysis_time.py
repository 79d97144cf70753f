"""The estimate of the analysis grows with what makes it long, and speaks in units that people use."""

from typing import Any

import pytest

from mlx.config import ExperimentConfig
from mlx.runs.analysis_time import Part, analysis_parts, describe_time, duration


def seconds(n_test: int = 1000, n_classes: int = 5, widths: tuple[int, ...] = (64,), **residuals: Any) -> float:
    config = ExperimentConfig.model_validate(
        {"name": "a", "dataset": {"name": "digits"}, "model": {"name": "cnn"}, "residuals": residuals}
    )
    parts = analysis_parts(config, n_test=n_test, n_classes=n_classes, widths=list(widths), n_factors=3)
    return sum(part.seconds for part in parts)


def test_twice_the_resamples_samples_or_layers_take_about_twice_as_long() -> None:
    base: dict[str, Any] = {"n_permutations": 500_000, "projections": []}
    one = seconds(**base)
    assert seconds(**base | {"n_permutations": 1_000_000}) == pytest.approx(2 * one, rel=0.05)
    assert seconds(500, **base) == pytest.approx(one / 2, rel=0.05)
    assert 1.3 * one < seconds(2000, **base) < 1.7 * one  # as shifts of parts cost little
    assert seconds(widths=(64, 64), **base) == pytest.approx(2 * one, rel=0.15)
    regression = seconds(n_classes=0, **base)
    assert 0 < regression < one


def test_replicates_cost_nothing_where_none_are_drawn() -> None:
    many = {"n_bootstrap": 1_000_000, "projections": []}
    assert seconds(1000, **many) > 100
    assert seconds(100_000, n_classes=2, **many) - seconds(100_000, n_classes=2, projections=[]) < 1


def test_a_warning_names_the_key_that_would_help_most() -> None:
    fact, warnings = describe_time([Part(90.0, "a.b"), Part(10.0)])
    assert (fact, warnings) == ("analysis: about 100 s after the training", [])
    _, (warning,) = describe_time([Part(900.0, "a.b"), Part(20_000.0, "c.d"), Part(10.0)])
    assert warning == "the analysis takes about 5.8 hours, of which 5.6 hours depend on c.d; lower it"
    _, (warning,) = describe_time([Part(900.0, "a.b"), Part(20_000.0)])
    assert warning == "the analysis takes about 5.8 hours, as there are many test samples"


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, "1 s"), (119, "119 s"), (150, "2.5 minutes"), (3600, "60 minutes"), (7e5, "8.1 days")]
)
def test_a_duration_has_two_digits(value: float, text: str) -> None:
    assert duration(value) == text
