"""Results of tests: families, adjustment, and the way through tests.csv and back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlx.core.artifacts import read_csv, write_csv
from mlx.core.errors import ArtifactError
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.tests import TESTS, TestResult, adjusted, first_test, read_tests
from mlx.stats.multiple_testing import benjamini_hochberg, holm
from mlx.stats.status import OK, ClassStatus, Reason, Status, no_interval


def result(question: Question, **values: object) -> TestResult:
    return TestResult(**{"question": question, "statistic": Statistic.PEARSON, "estimate": 0.1} | values)


NAMES = ["same", "same"]
RESULTS = (
    result(Question.SIMILARITY_ENTROPY, scope=Scope.POOLED, layer="layer", p=0.02),
    *(
        result(Question.SIMILARITY_ENTROPY, scope=Scope.CLASS, label=k, class_name=NAMES[k], layer="layer", p=0.03)
        for k in range(2)
    ),
    result(Question.ERROR_BY_ENTROPY, statistic=Statistic.AUROC, p=0.5, n=12),
    result(Question.ERROR_BY_SCORES, subject="entropy + low margin", statistic=Statistic.AUROC, layer="layer"),
    result(
        Question.ERROR_BY_FACTOR, subject="entropy", statistic=Statistic.AUROC, status=no_interval(Reason.TOO_FEW(20))
    ),
    result(Question.SLICE, subject="noise > {3}", statistic=Statistic.ERROR_RATE, scope=Scope.HALF, p=0.2),
    result(Question.WEAK_SLICES, statistic=Statistic.ERROR_RATE, scope=Scope.HALF, status=Reason.NO_WEAK_SLICE()),
    result(Question.PRINCIPAL_COMPONENT, subject="1", statistic=Statistic.VARIANCE_SHARE),
)


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / TESTS.file
    write_csv(path, TESTS.frame(RESULTS))
    assert repr(read_tests(path, read_csv(path, text=TESTS.text), NAMES)) == repr(RESULTS)  # NaN differs from itself


def test_a_test_of_another_question_or_class_is_rejected() -> None:
    table = TESTS.frame(RESULTS)
    with pytest.raises(ArtifactError, match="row 2: expected a test .* found 'similarity and entropy' same"):
        read_tests(Path("tests.csv"), table, ["same", "other"])
    table.loc[3, "name"] = "similarity by and by"
    with pytest.raises(ArtifactError, match="row 3: expected a test .* found 'similarity by and by'"):
        read_tests(Path("tests.csv"), table, NAMES)


def test_an_unknown_statistic_is_rejected() -> None:
    table = TESTS.frame(RESULTS)
    table.loc[1, "statistic"] = "kendall"
    with pytest.raises(ArtifactError, match="row 1: statistic: expected one of pearson, spearman, .* found kendall"):
        read_tests(Path("tests.csv"), table, NAMES)


def test_a_reversed_interval_is_rejected() -> None:
    table = TESTS.frame(RESULTS)
    table.loc[2, ["low", "high"]] = 0.9, 0.1
    with pytest.raises(ArtifactError, match=r"tests\.csv: row 2: low: expected at most high, which is 0.1, found 0.9"):
        read_tests(Path("tests.csv"), table, NAMES)


def test_a_row_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / TESTS.file
    write_csv(path, TESTS.frame(RESULTS))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], lines[3][:25]]) + "\n")
    with pytest.raises(ArtifactError, match="row 2: n: expected integers of at least 0, found nan"):
        read_tests(path, read_csv(path, text=TESTS.text), NAMES)


def test_a_factor_with_the_name_of_a_score_is_another_question() -> None:
    by_score, by_factor = RESULTS[3], RESULTS[5]
    assert by_score.name == by_factor.name == "error by entropy"
    assert by_score.family != by_factor.family
    assert first_test(RESULTS, Question.ERROR_BY_ENTROPY, Statistic.AUROC) is by_score


def test_p_values_are_adjusted_within_a_family_of_all_layers_into_new_results() -> None:
    p = np.array([0.01, 0.04, np.nan])
    of_one = [result(Question.ERROR_BY_LOW_MARGIN, layer=layer, p=value) for layer, value in zip("aba", p, strict=True)]
    other = result(Question.ERROR_BY_ENTROPY, p=0.04)
    found = adjusted([*of_one, other])
    np.testing.assert_array_equal([r.p_holm for r in found[:3]], holm(p))
    np.testing.assert_array_equal([r.p_bh for r in found[:3]], benjamini_hochberg(p))
    assert found[3] == replace(other, p_holm=0.04, p_bh=0.04)
    assert all(np.isnan(r.p_holm) for r in of_one)


def test_every_status_is_read_back_from_its_sentence() -> None:
    for reason in Reason:
        values = (Reason.TOO_FEW(20),) if reason is Reason.NO_INTERVAL else (7, "other", 3)[: reason.value.count("{}")]
        assert Status.parse(str(Status(reason, values))) == Status(reason, values)
    with pytest.raises(ValueError, match="because"):
        Status.parse("because")


@pytest.mark.parametrize(
    ("pearson", "spearman", "text"),
    [
        (OK, OK, "ok"),
        (Reason.NEVER_PREDICTED(), Reason.NEVER_PREDICTED(), "never predicted"),
        (OK, no_interval(Reason.TOO_FEW(60)), "spearman: no interval (n < 60)"),
        (
            no_interval(Reason.TOO_FEW(20)),
            no_interval(Reason.TOO_FEW(60)),
            "pearson: no interval (n < 20); spearman: no interval (n < 60)",
        ),
    ],
)
def test_the_status_of_a_class_tells_both_correlations(pearson: Status, spearman: Status, text: str) -> None:
    status = ClassStatus(pearson, spearman)
    assert str(status) == text
    assert ClassStatus.parse(text) == status
