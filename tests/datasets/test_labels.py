"""Labels: balance, imbalance, and mistakes that are recorded."""

import numpy as np
import pytest

from mlx.datasets.labels import class_counts, draw_labels, mislabel, mislabel_some


@pytest.mark.parametrize(
    ("n_samples", "weights", "expected"),
    [
        (10, None, [4, 3, 3]),
        (9, None, [3, 3, 3]),
        (10, [1, 1, 8], [1, 1, 8]),
        (10, [0.55, 0.25, 0.2], [6, 2, 2]),  # 5.5, 2.5, 2: the tie goes to the lower label
        (7, [3, 2, 1], [4, 2, 1]),  # 3.5, 2.33, 1.17
        (10**6, [1, 2, 4], [142857, 285714, 571429]),
    ],
)
def test_samples_are_shared_out_by_the_largest_remainder(n_samples, weights, expected):
    assert class_counts(n_samples, 3, weights).tolist() == expected


def test_every_group_of_consecutive_samples_has_every_class_once():
    labels = draw_labels(3, 7, 0, 7 * 600)
    np.testing.assert_array_equal(np.sort(labels.reshape(-1, 7), axis=1), np.tile(np.arange(7), (600, 1)))
    assert len(np.unique(labels.reshape(-1, 7), axis=0)) > 500


@pytest.mark.parametrize("weights", [None, [1.0] * 6 + [4.0]])
def test_labels_can_be_drawn_from_anywhere(weights):
    labels = draw_labels(3, 7, 0, 7 * 600, weights)
    for start, stop in [(1790, 1805), (3600, 3610)]:  # across two chunks of labels, and inside the third
        np.testing.assert_array_equal(draw_labels(3, 7, start, stop, weights), labels[start:stop])


def test_weighted_labels_have_the_weights_shares():
    labels = draw_labels(5, 3, 0, 30_000, [1.0, 2.0, 7.0])
    np.testing.assert_allclose(np.bincount(labels) / 30_000, [0.1, 0.2, 0.7], atol=0.012)
    assert abs(np.corrcoef(labels[1:], labels[:-1])[0, 1]) < 0.03


def test_exactly_the_asked_share_of_a_table_is_mislabeled():
    labels = np.arange(1003) % 4
    y, factors = mislabel(labels, 4, 0.25, 0)
    assert factors["label_flipped"].sum() == 251
    np.testing.assert_array_equal(factors["label_flipped"], y != labels)
    np.testing.assert_array_equal(factors["true_label"], labels)
    wrong = np.bincount((y - labels)[y != labels] % 4, minlength=4)
    assert wrong[0] == 0
    assert wrong[1:].min() > 251 / 3 - 5 * np.sqrt(251 * 2 / 9)


def test_mistakes_in_a_sequence_depend_on_the_index_alone():
    labels = np.arange(5000) % 3
    y, factors = mislabel_some(labels, 3, 0.2, 9, 0)
    assert factors["label_flipped"].mean() == pytest.approx(0.2, abs=0.025)
    np.testing.assert_array_equal(factors["label_flipped"], y != labels)
    part, _ = mislabel_some(labels[700:1300], 3, 0.2, 9, 700)
    np.testing.assert_array_equal(part, y[700:1300])


def test_without_label_noise_nothing_is_recorded():
    labels = np.arange(10) % 2
    for y, factors in (mislabel(labels, 2, 0.0, 0), mislabel_some(labels, 2, 0.0, 0, 3)):
        assert y is labels
        assert factors == {}
