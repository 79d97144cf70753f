"""The numbers that `dvc metrics show` has as columns."""

import pytest

from mlx.results.headline import EVALUATION, RESIDUALS, headline


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_every_study_of_a_task_has_the_same_few_columns(task):
    names = [*EVALUATION[task], *RESIDUALS[task]]
    assert len(names) == len(set(names)) <= 10
    assert list(headline(task, {}, {})) == names


def test_a_number_that_is_undefined_is_none_and_a_status_is_no_number():
    found = headline("classification", {"accuracy": 1.0, "ece": "not a number"}, {"error_auroc_entropy": None})
    assert found["accuracy"] == 1.0
    assert found["ece"] is found["error_auroc_entropy"] is found["pearson"] is None
