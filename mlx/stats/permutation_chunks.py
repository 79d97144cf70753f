"""The permutations of a sequential test, divided into chunks that are drawn independently of each other."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats
from mlx.stats.permutation import FIRST_BLOCK, LARGEST_BLOCK

CHUNK_VALUES = 1 << 22
"""Numbers permuted in a chunk: some tenths of a second of work."""

OF_CLASSES = 8
"""So many times as many numbers are permuted in a chunk of all classes: to begin with each of them takes time."""


@dataclass(frozen=True)
class Chunk:
    """Some of the permutations that come from one random stream.

    Attributes
    ----------
    index
        Part of the key of the stream.
    size
        Permutations to draw.
    skip
        How many of them, the first, are not wanted.
    """

    index: int
    size: int
    skip: int = 0

    def of(self, draw: Callable[[int, np.random.Generator], Floats], generator: np.random.Generator) -> Floats:
        """Return statistics (…, size − skip) of these permutations, of which `draw` returns so many, (…, size)."""
        return draw(self.size, generator)[..., self.skip :]


class Chunks:
    """Divides the permutations of ``n`` samples, in the order in which a sequential test draws them.

    Chunks grow with the blocks of the test up to `CHUNK_VALUES`. Where they begin depends on ``n`` alone, so that
    permutation i is the same whichever blocks are drawn.
    """

    def __init__(self, n: int) -> None:
        self._largest = min(LARGEST_BLOCK, FIRST_BLOCK * max(1, CHUNK_VALUES // (FIRST_BLOCK * max(1, n))))
        self._start, self._index, self._drawn = 0, 0, 0

    def following(self, size: int) -> Iterator[Chunk]:
        """Yield the chunks of the next ``size`` permutations; the last may be continued by the next call."""
        end = self._drawn + size
        while self._drawn < end:
            length = min(max(self._start, FIRST_BLOCK), self._largest)
            stop = min(end, self._start + length)
            yield Chunk(self._index, stop - self._start, self._drawn - self._start)
            self._drawn = stop
            if stop == self._start + length:
                self._start, self._index = stop, self._index + 1


class ChunksBySize:
    """Divides the permutations of several groups, of which those of one size are permuted alike.

    Parameters
    ----------
    sizes
        Samples of each group, by its label.
    """

    def __init__(self, sizes: Mapping[int, int]) -> None:
        self._sizes, self._chunks = sizes, dict[int, Chunks]()

    def following(self, size: int, labels: Iterable[int]) -> list[tuple[list[int], Chunk]]:
        """Return chunks of the next ``size`` permutations, each with the groups of one size; labels may only get fewer.

        The chunks of a group come in the order of its permutations.
        """
        alike = defaultdict[int, list[int]](list)
        for label in labels:
            alike[self._sizes[label]].append(label)
        return [
            (members, chunk)
            for n, members in alike.items()
            for chunk in self._chunks.setdefault(n, Chunks(n)).following(size)
        ]


def by_label(parts: Iterable[Mapping[int, Floats]]) -> dict[int, Floats]:
    """Put the statistics (…, m) of each group in the chunks that have it one after the other."""
    found = defaultdict[int, list[Floats]](list)
    for part in parts:
        for label, values in part.items():
            found[label].append(values)
    return {label: np.concatenate(values, axis=-1) for label, values in found.items()}
