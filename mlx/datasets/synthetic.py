"""The generated datasets as objects: parameters once, then samples for any seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.core.sections import settings_of
from mlx.core.settings import known_name
from mlx.datasets.catalogue import GENERATED
from mlx.datasets.dataset import IN_MEMORY_LIMIT, Dataset, Factors


@dataclass(frozen=True)
class GeneratedSamples:
    r"""Samples in memory; ``X, y = samples`` takes the two apart.

    Attributes
    ----------
    X
        Samples, shape (n_samples, \*sample_shape): float64 tables, uint8 images.
    y
        Class labels (int64) or targets (float64), shape (n_samples,).
    factors
        What each sample was generated from: name to array of shape (n_samples,).
    class_names
        The name of each label; empty for regression.
    details
        Facts about the whole set, such as the true weights.
    """

    X: Array
    y: Array
    factors: Factors
    class_names: tuple[str, ...]
    details: dict[str, Any]

    def __iter__(self) -> Iterator[Array]:
        yield self.X
        yield self.y


class SyntheticDataset:
    """A generated dataset, checked when it is made: ``SyntheticDataset("moons", n_samples=500, seed=1)``.

    Parameters
    ----------
    name
        One of `GENERATED`; case is ignored.
    seed
        What `generate` draws with where it is not given another.
    **params
        The dataset's parameters, as in ``dataset.params``.

    Raises
    ------
    ValueError
        If there is no such dataset, or it can't have these parameters.
    """

    def __init__(self, name: str, *, seed: int | None = None, **params: Any) -> None:
        self.name = known_name(name, GENERATED)
        self.seed = seed
        self._params = params
        self._open(0 if seed is None else seed)

    def __repr__(self) -> str:
        given = "".join(f", {key}={value!r}" for key, value in self._params.items())
        return f"SyntheticDataset({self.name!r}, seed={self.seed}{given})"

    def _open(self, seed: int) -> Dataset:
        spec = GENERATED[self.name]
        return spec.open(settings_of(self.name, spec.params, self._params | {"seed": seed}))

    def generate(self, seed: int | None = None) -> GeneratedSamples:
        """Make all samples; the same seed gives the same ones, and those of the pipeline's step.

        Raises
        ------
        ValueError
            If there is no seed, neither here nor since construction.
        DataError
            If the samples would take more than 1 GB.
        """
        chosen = self.seed if seed is None else seed
        if chosen is None:
            raise ValueError(f"{self.name}: expected a seed, in generate(seed=…) or before, found none")
        dataset = self._open(chosen)
        _reject_oversized(dataset)
        block = next(dataset.blocks(dataset.n_samples))
        return GeneratedSamples(block.X, block.y, block.factors or {}, dataset.class_names, dataset.details)


def _reject_oversized(dataset: Dataset) -> None:
    needed = dataset.n_samples * prod(dataset.sample_shape) * dataset.dtype.itemsize
    if needed > IN_MEMORY_LIMIT:
        shape = "x".join(map(str, dataset.sample_shape))
        raise DataError(
            f"dataset {dataset.name}: {dataset.n_samples:,} samples of {shape} need {needed / 1e9:.1f} GB in "
            f"memory; at most {IN_MEMORY_LIMIT / 1e9:.0f} GB is made at once: lower n_samples, or have "
            "generate-data write them to disk"
        )
