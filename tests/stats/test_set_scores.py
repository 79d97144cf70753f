"""Scores of prediction sets: reference values, ties, and the coverage that they are for."""

import numpy as np
import pytest

from mlx.core.log_scores import log_softmax
from mlx.core.streams import stream
from mlx.stats.conformal import coverage_band, threshold
from mlx.stats.set_scores import BLOCK, aps_scores, lac_scores, own_scores, raps_scores, uniform_of

P, U = np.array([[0.5, 0.25, 0.15, 0.1]]), np.array([0.4])


def test_the_reference_values() -> None:
    np.testing.assert_allclose(aps_scores(P, U), [[0.2, 0.6, 0.81, 0.94]], rtol=0, atol=1e-14)
    np.testing.assert_allclose(raps_scores(P, U, free_ranks=1), [[0.2, 0.61, 0.83, 0.97]], rtol=0, atol=1e-14)
    np.testing.assert_allclose(raps_scores(P, U), aps_scores(P, U), rtol=0, atol=1e-14)
    shuffled = [2, 0, 3, 1]
    np.testing.assert_allclose(aps_scores(P[:, shuffled], U), aps_scores(P, U)[:, shuffled], rtol=0, atol=1e-14)


def test_only_larger_probabilities_are_added_and_counted() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(6), 50).round(1)
    u = np.random.default_rng(1).random(50)
    larger = p[:, None, :] > p[:, :, None]
    expected = (larger * p[:, None, :]).sum(axis=2) + u[:, None] * p
    np.testing.assert_allclose(aps_scores(p, u), expected, atol=1e-12)
    extra = 0.5 * np.maximum(0, larger.sum(axis=2) + 1 - 2)
    np.testing.assert_allclose(raps_scores(p, u, penalty=0.5, free_ranks=2), expected + extra, atol=1e-12)


def test_one_minus_a_probability_close_to_one_keeps_its_digits() -> None:
    scores = lac_scores(log_softmax(np.array([[50.0, 0.0]])))
    assert scores[0, 0] == pytest.approx(np.exp(-50), rel=1e-12)


def test_a_sample_has_the_same_number_in_any_set() -> None:
    whole = uniform_of(np.arange(100), seed=3)
    np.testing.assert_array_equal(uniform_of(np.array([70, 2, 99]), seed=3), whole[[70, 2, 99]])
    assert (whole != uniform_of(np.arange(100), seed=4)).all()
    assert len(uniform_of(np.array([], int), seed=3)) == 0
    far = np.array([BLOCK + 5, 3, BLOCK - 1, BLOCK])
    np.testing.assert_array_equal(uniform_of(far, seed=3), stream(3).random(BLOCK + 6)[far])


@pytest.mark.parametrize("method", ["lac", "aps", "raps"])
def test_sets_cover_as_often_as_the_band_says(method: str) -> None:
    generator, n_cal, n_test, inside = np.random.default_rng(5), 100, 200, []
    for _ in range(200):
        z = 1.5 * generator.normal(size=(n_cal + n_test, 4))
        y = (0.6 * z + generator.gumbel(size=z.shape)).argmax(axis=1)  # an overconfident model
        log_p, u = log_softmax(z), generator.random(len(z))
        scores = lac_scores(log_p) if method == "lac" else None
        if scores is None:
            scores = (aps_scores if method == "aps" else raps_scores)(np.exp(log_p), u)
        own = own_scores(scores, y)
        covered = (own[n_cal:] <= threshold(own[:n_cal], 0.1).value).sum()
        inside.append(covered)
    band = coverage_band(n_cal, n_test, 0.1)
    assert np.mean(inside) / n_test == pytest.approx(band.mean, abs=4 * band.sd / 200**0.5)
    assert 0.91 < np.mean([band.low <= covered <= band.high for covered in inside]) <= 1
