"""A sample has its classes in turn, repeats what is rare, names what it lacks, and reads no more than it must."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.datasets import Block, Dataset
from mlx.datasets.dataset import blocks_of
from mlx.preprocessing.settings import SplitSettings
from mlx.preprocessing.split import split_rows
from mlx.runs.caps import SPLIT
from mlx.runs.sample import Sample, draw_sample


def dataset(y: Any, class_names: tuple[str, ...] = ("a", "b", "c")) -> Dataset:
    y = np.asarray(y)
    X = np.arange(len(y), dtype=np.float64)[:, None]
    return Dataset(
        name="counted",
        task="classification" if class_names else "regression",
        class_names=class_names,
        sample_shape=(1,),
        dtype=np.dtype(np.float64),
        n_samples=len(y),
        source="",
        seed=None,
        blocks=blocks_of(X, y, {"half": X[:, 0] / 2}),
    )


def read(sample: Sample) -> Block:
    (block,) = sample.dataset.blocks(10**6)
    return block


def test_the_classes_come_in_turn_with_the_first_samples_of_each_and_their_factors() -> None:
    y = np.repeat([0, 1, 2], [700, 700, 100])
    sample = draw_sample(dataset(y), 30, whole=True)
    block = read(sample)
    assert block.y.tolist() == [0, 1, 2] * 10
    assert block.X[:4, 0].tolist() == [0, 700, 1400, 1]
    assert block.factors is not None
    assert np.array_equal(block.factors["half"], block.X[:, 0] / 2)
    assert (sample.lacking, sample.n_factors, sample.dataset.n_samples) == ((), 1, 30)
    assert np.array_equal(sample.labels, y)


def test_a_rare_class_is_repeated_so_that_a_stratified_split_is_possible() -> None:
    y = np.array([2] + [0] * 600 + [1] * 600)
    sample = draw_sample(dataset(y), 30, whole=True)
    block = read(sample)
    assert block.X[block.y == 2].ravel().tolist() == [0.0] * 10
    assert sample.lacking == ()
    parts = split_rows(block.y, "abc", SplitSettings.model_validate(SPLIT)).parts()
    assert all(set(block.y[rows]) == {0, 1, 2} for rows in parts.values())


def test_a_class_without_samples_is_named_and_gets_some_of_others() -> None:
    sample = draw_sample(dataset(np.arange(900) % 2), 30, whole=True)
    assert sample.lacking == ("c",)
    assert read(sample).y.tolist() == [0, 1, 2] * 10


def test_classes_that_do_not_fit_into_the_sample_are_named() -> None:
    sample = draw_sample(dataset(np.arange(900) % 3), 2, whole=True)
    assert sample.lacking == ("c",)


def test_of_a_large_dataset_only_the_first_samples_are_read() -> None:
    whole = dataset(np.repeat([0, 1, 2], 300))
    taken = []

    def blocks(rows: int) -> Iterator[Block]:
        for block in whole.blocks(rows):
            taken.append(len(block.y))
            yield block

    sample = draw_sample(replace(whole, blocks=blocks), 40, whole=False)
    assert taken == [40]
    assert sample.labels is None
    assert sample.lacking == ("b", "c")
    assert np.bincount(read(sample).y).tolist() == [14, 13, 13]


def test_a_small_dataset_is_its_own_sample() -> None:
    small = dataset([0, 1, 2, 2])
    assert draw_sample(small, 10, whole=True).dataset is small


def test_a_regression_gives_its_first_samples() -> None:
    sample = draw_sample(dataset(np.arange(900) / 7, ()), 20, whole=True)
    assert read(sample).y.tolist() == (np.arange(20) / 7).tolist()


@pytest.mark.parametrize("row", [0, 899])
def test_a_value_that_is_not_finite_is_rejected_wherever_it_is(row: int) -> None:
    damaged = dataset(np.arange(900) % 3)
    X = np.ones((900, 1))
    X[row] = np.inf
    with pytest.raises(DataError, match="counted: expected finite values, found NaN or infinity"):
        draw_sample(replace(damaged, blocks=blocks_of(X, np.arange(900) % 3)), 30, whole=True)
