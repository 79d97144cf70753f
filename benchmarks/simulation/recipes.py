"""Recipes whose runs are drawn from known components of variance: seeds, samples, and the rest.

On sample i, the run of seed s has the difficulty z = μ + a_s + b_i + c_ri + e_si, with a of the seed, b of the sample
(which all recipes share), c of the sample for one recipe, and e. A metric is made of it:

- accuracy: right where z < 0;
- log loss: exp(0.7 z), a skewed loss;
- AUROC: wrong with chance Φ(z); the score is 0.7 z·exp(2 a_s) and noise, so that seeds rank their errors unlike.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr

from mlx.core.array_types import Flags, Floats
from mlx.stats.auroc import placements
from mlx.stats.seeds_by_samples import SeedsBySamples

LARGE = 400_000
"""Samples of which the AUROC of a population is computed."""


@dataclass(frozen=True)
class Recipe:
    """Standard deviations of the parts of the difficulty, on its scale.

    Attributes
    ----------
    seed, own, rest
        Of a, c and e.
    level
        μ.
    equal
        Whether all runs are the same, as those of a model without randomness.
    """

    seed: float
    own: float = 0.3
    rest: float = 0.7
    level: float = -1.0
    equal: bool = False

    def difficulty(self, shared: Floats, n_seeds: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw z (n_seeds, n) and a (n_seeds, 1) on samples of which all recipes share b (n,)."""
        n, drawn = shared.size, 1 if self.equal else n_seeds
        a = self.seed * generator.normal(size=(drawn, 1))
        own, rest = self.own * generator.normal(size=n), self.rest * generator.normal(size=(drawn, n))
        z = self.level + a + shared + own + rest
        return np.broadcast_to(z, (n_seeds, n)), np.broadcast_to(a, (n_seeds, 1))

    def draw(self, metric: str, shared: Floats, n_seeds: int, generator: np.random.Generator) -> SeedsBySamples:
        """Draw the runs of seeds on samples, and measure them."""
        z, a = self.difficulty(shared, n_seeds, generator)
        if metric == "accuracy":
            return SeedsBySamples.of_losses((z < 0).astype(np.float64))
        if metric == "log loss":
            return SeedsBySamples.of_losses(np.exp(0.7 * z))
        noise = generator.random((1 if self.equal else n_seeds, shared.size))
        wrong = np.broadcast_to(noise, z.shape) < ndtr(z)
        score = 0.7 * z * np.exp(2 * a) + np.broadcast_to(generator.normal(size=noise.shape), z.shape)
        return areas(wrong, score)


@cache
def truth(recipe: Recipe, metric: str) -> float:
    """Value of a metric over all seeds and samples; an AUROC by quadrature over seeds, on one large sample."""
    spread = (1 + recipe.own**2 + recipe.rest**2) ** 0.5
    total = (spread**2 + recipe.seed**2) ** 0.5
    if metric == "accuracy":
        return float(ndtr(-recipe.level / total))
    if metric == "log loss":
        return float(np.exp(0.7 * recipe.level + 0.245 * total**2))
    nodes, weights = np.polynomial.hermite_e.hermegauss(7 if recipe.seed else 1)
    generator = np.random.default_rng(0)
    b = generator.normal(size=LARGE) * spread
    chance, noise = generator.random(LARGE), generator.normal(size=LARGE)
    found = []
    for node in nodes:
        a = recipe.seed * node
        z = recipe.level + a + b
        found.append(placements(chance < ndtr(z), 0.7 * z * np.exp(2 * a) + noise).area)
    return float(weights @ found / weights.sum())


def areas(wrong: Flags, score: Floats) -> SeedsBySamples:
    """AUROC of errors (n_seeds, n) by scores, φ = (V10 − θ)·n/m of the m errors and (V01 − θ)·n/k of the others."""
    order = np.argsort(score, axis=1)
    positive = np.take_along_axis(wrong, order, axis=1)
    m = positive.sum(axis=1, keepdims=True)
    k = positive.shape[1] - m
    below, above = np.cumsum(~positive, axis=1) / k, 1 - np.cumsum(positive, axis=1) / m
    area = np.where(positive, below, 0.0).sum(axis=1, keepdims=True) / m
    ranked = np.where(positive, (below - area) / m, (above - area) / k) * positive.shape[1]
    influence = np.empty(score.shape)
    np.put_along_axis(influence, order, ranked, axis=1)
    return SeedsBySamples(area[:, 0], influence)
