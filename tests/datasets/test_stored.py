"""Subsets of what files hold, and how blocks are cut from a file's chunks."""

import numpy as np
import pytest

from mlx.datasets.files.subsets import choose_rows, picked


def test_all_rows_are_taken_where_no_number_is_given():
    np.testing.assert_array_equal(choose_rows(np.zeros(5), None, 0), np.arange(5))


def test_a_subset_is_ascending_without_repeats_and_depends_on_the_seed():
    labels = np.random.default_rng(0).integers(0, 5, 1000)
    one, again, other = (choose_rows(labels, 300, seed) for seed in (1, 1, 2))
    assert (np.diff(one) > 0).all()
    np.testing.assert_array_equal(one, again)
    assert len(np.intersect1d(one, other)) < 200
    np.testing.assert_allclose(np.bincount(labels[one]) / 300, np.bincount(labels) / 1000, atol=0.004)


def test_a_regression_has_no_classes_to_keep():
    rows = choose_rows(np.random.default_rng(0).normal(size=50), 3, 0, stratify=False)
    assert (len(rows), (np.diff(rows) > 0).all()) == (3, True)


@pytest.mark.parametrize("rows", [1, 7, 64, 1000])
@pytest.mark.parametrize("length", [1, 10, 333])
def test_picked_rows_come_in_whole_blocks_from_chunks_of_any_length(rows, length):
    values = np.arange(333)
    index = np.flatnonzero(np.random.default_rng(0).random(333) < 0.4)
    chunks = (values[start : start + length] for start in range(0, 333, length))
    blocks = list(picked(chunks, index, rows))
    np.testing.assert_array_equal(np.concatenate(blocks), index)
    assert {len(block) for block in blocks[:-1]} <= {rows}


def test_the_rest_of_the_chunks_is_read_so_that_damage_at_the_end_is_seen():
    read = []

    def chunks():
        for k in range(5):
            read.append(k)
            yield np.arange(10)

    list(picked(chunks(), np.array([0, 1]), 2))
    assert read == [0, 1, 2, 3, 4]
