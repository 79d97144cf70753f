"""Samples whose entropies are permuted for the Mantel tests, and the moments of their pairs under permutation."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import ClassVar, Self

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit
from mlx.residuals.pairs.entropy_pairs import DEGREES, PAIR_STATISTICS
from mlx.residuals.pairs.pair_moments import (
    EMPTY,
    Center,
    PairGroup,
    PairMoments,
    group_moments,
    pair_group,
    products_about,
)
from mlx.residuals.pairs.pair_products import (
    ORDERS_AT_ONCE,
    gram_of,
    is_held,
    is_short,
    products_from_gram,
    products_from_lifted,
    to_others,
)
from mlx.residuals.similarity.directions import Directions
from mlx.residuals.streams import Stream, stream
from mlx.results.questions import Statistic
from mlx.stats.cyclic_shifts import FEWEST, CyclicShifts, added_up
from mlx.stats.permutation import CACHE_BYTES, random_orders
from mlx.stats.permutation_chunks import Chunk

MEAN = PAIR_STATISTICS.index(Statistic.MEAN_ENTROPY)


@dataclass(frozen=True)
class ShiftedMeans:
    """Products of the mean entropy of many samples, of which a permutation shifts parts.

    Attributes
    ----------
    shifts
        Of which parts.
    sums
        Sums over each part of similarities to all others times entropies, under each of its shifts.
    """

    shifts: CyclicShifts
    sums: Sequence[Floats]

    def drawn(self, n_permutations: int, generator: np.random.Generator) -> Floats:
        """Return the products (n_permutations,) under random shifts."""
        return added_up(self.sums, self.shifts.draw(n_permutations, generator)) / 2


@dataclass(frozen=True)
class Deck:
    """Samples whose entropies are permuted, and what every permutation needs.

    Attributes
    ----------
    moments
        Those of the data.
    group, to_others
        The samples, and the sum (n,) of each one's similarities to all others less the mean; None of fewer than two.
    center
        That of the entropies of all groups.
    seed, label
        Of the permutations.
    """

    moments: PairMoments
    group: PairGroup | None
    to_others: Floats
    center: Center
    seed: int
    label: int

    @classmethod
    def of(
        cls,
        units: Directions,
        entropy: Floats,
        rows: Integers,
        center: Center,
        seed: int,
        label: int = 0,
        *,
        moments: PairMoments | None = None,
        map: OrderedMap = in_order,
    ) -> "Deck":
        """Return the deck of the samples ``rows``, whose moments may be known; of fewer than two it has no pairs."""
        if rows.size < 2:
            return cls(replace(EMPTY, n=rows.size), None, np.empty(0), center, seed, label)
        group = pair_group(units, entropy, rows, map=map)
        moments = moments or group_moments(group, map=map)
        return cls(moments, group, to_others(group, map=map), center, seed, label)

    @property
    def entropies(self) -> Floats:
        """Centered entropies (n,), in the order of the permutations."""
        return np.empty(0) if self.group is None else self.group.h

    @cached_property
    def shifted(self) -> ShiftedMeans | None:
        """How the mean entropy of many samples is permuted: by shifts of parts, apart from the other statistics."""
        n = self.to_others.size
        if n <= FEWEST:
            return None
        shifts = CyclicShifts.of(n, stream(self.seed, Stream.SHIFTED_PARTS, self.label))
        return ShiftedMeans(shifts, shifts.products(self.entropies, self.to_others))

    @cached_property
    def gram(self) -> Floats | None:
        """Products (n, n) of all pairs, where permuting them is the least work."""
        return gram_of(self.group) if self.group is not None and is_short(self.group) else None

    @cached_property
    def lifted(self) -> Floats | None:
        """Lifted vectors (n, width) in the order of the entropies, where they are held instead."""
        return self.group.lifted.take(self.group.rows) if self.group is not None and is_held(self.group) else None

    def products(self, chunk: Chunk, needed: Set[int]) -> Floats:
        """Return the products of a chunk of permutations for the statistics ``needed``; others may be 0."""
        products = np.zeros((len(PAIR_STATISTICS), chunk.size))
        if self.group is None or not needed:
            return products[:, chunk.skip :]
        generator = stream(self.seed, Stream.PAIR_PERMUTATION, self.label, chunk.index)
        if self.shifted is not None:
            means = self.shifted.drawn(chunk.size, generator)  # first, whatever else is needed
            if others := needed - {MEAN}:
                self._permute(products, others, generator)
            products[MEAN] = means
        else:
            self._permute(products, needed, generator)
        return products[:, chunk.skip :]

    def _permute(self, products: Floats, needed: Set[int], generator: np.random.Generator) -> None:
        """Fill in the products (4, size) of as many random permutations, for the statistics ``needed``."""
        group = self.group
        assert group is not None, "has permutations"
        one_by_one = needed <= {MEAN} or (self.gram is None and self.lifted is None)
        block = CACHE_BYTES if one_by_one else ORDERS_AT_ONCE * group.rows.size * 8
        for where, orders in random_orders(group.rows.size, products.shape[1], generator, block_bytes=block):
            if needed <= {MEAN}:
                products[MEAN, where] = self.to_others.take(orders) @ group.h / 2
            elif self.gram is not None:
                products[:, where] = products_from_gram(group, self.gram, orders)
            elif self.lifted is not None:
                products[:, where] = products_from_lifted(group, self.lifted, orders)
            else:
                products[:, where] = np.transpose([group.products(group.rows[order]) for order in orders])


@dataclass(frozen=True)
class _Permute:
    """The products of every deck in one chunk of permutations, for the statistics that each needs."""

    doing: ClassVar[str] = "permuting entropies over pairs"
    decks: Sequence[Deck]
    needed: Sequence[Set[int]]

    def __call__(self, chunk: Chunk) -> list[Floats]:
        return [deck.products(chunk, needed) for deck, needed in zip(self.decks, self.needed, strict=True)]


@dataclass(frozen=True)
class PermuteMeansAlike:
    """Products of the mean entropy (m,) of decks of one size in a chunk of permutations that they share, by label."""

    doing: ClassVar[str] = "permuting entropies over pairs"
    decks: Sequence[Deck]

    def __call__(self, task: tuple[list[int], Chunk]) -> dict[int, Floats]:
        """Permute the decks of the given labels."""
        labels, chunk = task
        decks = [self.decks[label] for label in labels]
        n = decks[0].to_others.size
        key = (decks[0].seed, Stream.PAIRS_ALIKE, n, chunk.index)
        if shifted := [deck.shifted for deck in decks if deck.shifted is not None]:
            return dict(zip(labels, (chunk.of(one.drawn, stream(*key)) for one in shifted), strict=True))

        def draw(size: int, generator: np.random.Generator) -> Floats:
            found = np.empty((len(decks), size))
            for where, orders in random_orders(n, size, generator):
                for place, deck in enumerate(decks):
                    found[place, where] = np.take(deck.to_others, orders, mode="clip") @ deck.entropies / 2
            return found

        return dict(zip(labels, chunk.of(draw, stream(*key)), strict=True))


def permuted(
    decks: Sequence[Deck], needed: Sequence[Set[int]], chunks: Iterable[Chunk], map: OrderedMap
) -> list[Floats]:
    """Centered Σ s_ij m_ij (4, m) of every deck under permutation, for those that it needs; others may be 0."""
    for deck, wanted in zip(decks, needed, strict=True):
        if MEAN in wanted:
            _ = deck.shifted  # here, and so not in every process
    return [np.concatenate(parts, axis=1) for parts in zip(*map(_Permute(decks, needed), chunks), strict=True)]


@dataclass(frozen=True)
class Together:
    """Decks whose pairs are tested together, each permuted in itself.

    Attributes
    ----------
    moments
        Of all their pairs.
    scales
        (n_decks, 4), powers of two that bring the products of each deck to the unit of all.
    shifts
        (n_decks,), what is added to the entropies of each deck in that unit.
    between
        (4,), what the differences between decks add to the products.
    """

    moments: PairMoments
    scales: Floats
    shifts: Floats
    between: Floats

    @classmethod
    def of(cls, decks: Sequence[Deck], *, centered: bool) -> Self:
        """Put decks together with entropies about the mean of all, or ``centered`` by deck."""
        about = [deck.moments for deck in decks]
        shifts = np.zeros(len(decks))
        if not centered:
            for place, (deck, group) in enumerate((deck, deck.group) for deck in decks):
                if group is not None:
                    about[place] = group.moments_about(deck.center, deck.moments)
                    shifts[place] = group.shift_from(deck.center)
        moments = reduce(lambda one, other: one.beside(other, centered=centered), about, EMPTY)
        steps = np.array([moments.exponent - deck.moments.exponent for deck in decks], dtype=np.intp)
        scales = in_unit(np.ones((len(decks), 1)), steps[:, None] * DEGREES)
        nothing = cls(moments, scales, shifts, np.zeros(len(PAIR_STATISTICS)))
        inside = nothing.products([deck.moments.product[:, None] for deck in decks])
        return replace(nothing, between=moments.product - inside[:, 0])

    def products(self, drawn: Sequence[Floats]) -> Floats:
        """Centered Σ s_ij m_ij (4, m) over all pairs, of those of each deck (4, m)."""
        total = np.zeros((len(PAIR_STATISTICS), drawn[0].shape[1] if drawn else 1))
        for products, scale, shift in zip(drawn, self.scales, self.shifts, strict=True):
            total += products_about(products * scale[:, None], shift)
        total += self.between[:, None]
        return total
