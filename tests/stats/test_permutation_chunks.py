"""Permutation i is the same whichever blocks of permutations are asked for."""

import numpy as np
import pytest

from mlx.stats.permutation_chunks import CHUNK_VALUES, Chunks


def numbers(n: int, sizes: list[int]) -> np.ndarray:
    """The place of every permutation: its chunk, and which of the chunk it is."""
    chunks = Chunks(n)
    return np.concatenate([
        chunk.of(lambda size, _, index=chunk.index: 10_000 * index + np.arange(size), np.random.default_rng(0))
        for size in sizes
        for chunk in chunks.following(size)
    ])  # fmt: skip


@pytest.mark.parametrize("n", [10, 20_000, 10**6])
def test_the_blocks_that_are_asked_for_do_not_change_the_permutations(n: int) -> None:
    whole = numbers(n, [9999])
    assert whole.size == np.unique(whole).size == 9999
    assert (numbers(n, [64, 64, 128, 256, 512, 1024, 2048, 4096, 1807]) == whole).all()
    assert (numbers(n, [1, 100, 63, 4096, 5739]) == whole).all()


def test_chunks_grow_with_the_test_up_to_a_size_that_depends_on_the_samples_alone() -> None:
    few, many = ([chunk.size for chunk in Chunks(n).following(9999)] for n in (10, 20_000))
    assert few == [64, 64, 128, 256, 512, 1024, 2048, 4096, 1807]
    assert many[:4] == [64, 64, 128, 192]
    assert max(many) * 20_000 <= CHUNK_VALUES
