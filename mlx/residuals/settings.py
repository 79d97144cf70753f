"""The ``residuals`` section of a configuration."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlx.core.settings import ANY_CASE, Settings

Projection = Literal["pca", "tsne", "umap"]


def _usable_alphas(alphas: list[float]) -> list[float]:
    if len(set(alphas)) < len(alphas) or not all(0 < alpha < 1 for alpha in alphas):
        raise ValueError(f"expected different numbers above 0 and below 1, found {', '.join(map(str, alphas))}")
    return alphas


class ConformalSettings(Settings):
    """Which prediction sets are made of validation outputs; of a regression, prediction intervals.

    Attributes
    ----------
    alpha
        Shares of new samples that the sets are made to miss, the first of which is the headline's; an empty list makes
        no sets.
    method
        Score of the classes in a set: ``lac`` takes those above a probability, which gives the smallest sets; ``aps``
        the most probable ones up to a sum, which adapts to hard samples; ``raps`` the same with a penalty on size.
        A regression has intervals by absolute and by normalized residuals instead.
    class_conditional
        Whether each class has a threshold of its own, calibrated on the validation samples of the class.
    """

    alpha: Annotated[list[float], AfterValidator(_usable_alphas)] = Field([0.1])
    method: Annotated[Literal["lac", "aps", "raps"], ANY_CASE] = "lac"
    class_conditional: bool = False


class ResidualsSettings(Settings):
    """How much resampling stands behind the intervals and p-values, and from which seed.

    Attributes
    ----------
    seed
        Seed of every resample; the same seed gives the same bytes.
    n_bootstrap
        Bootstrap replicates: those to whose percentiles the intervals of similarity and entropy are extended, up to
        2000 samples, and those behind the rank correlation of a regression's residuals. 1000 place the ends of a 95 %
        interval to about a thirtieth of its width.
    n_permutations
        Largest number of permutations of a test, which stops at the 20th that reaches the statistic of the data. A
        family of m tests takes up to 200 m where that is more, so that each can reach 0.05 when adjusted. The
        smallest possible p-value is 1 / (permutations + 1).
    confidence
        Confidence level of the intervals.
    n_neighbours
        Neighbors whose mean similarity is a measure of its own.
    matrix_size
        Largest class whose similarities are kept pair by pair; of a larger one, means over blocks of samples.
        Also the number of samples in the overview over all classes.
    projections
        How the samples of the first layer are placed in a plane: ``pca``, ``tsne``, ``umap`` (needs the extra
        ``umap`` of the installation); every further layer by ``pca`` alone, if at all.
    groups
        Which test samples belong together and are not independent, such as those of one subject: the name of a
        factor, a feature or a column of the metadata, or ``duplicates`` for exact duplicates. p-values and intervals
        then go by group, or are missing, and no sample is compared with those of its own group.
    factors
        Which of what is known of the samples may explain errors: names of factors, features and columns with a role,
        ``all`` (of more than 100 features the first 100, or none if they have no names), or ``none``.
    conformal
        Which prediction sets are made.
    """

    seed: int = Field(default=42, ge=0, lt=2**32)
    n_bootstrap: int = Field(default=1000, ge=100, le=1_000_000)
    n_permutations: int = Field(default=9999, ge=19, le=1_000_000)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    n_neighbours: int = Field(default=10, ge=1, le=1000)
    matrix_size: int = Field(default=200, ge=1, le=5000)
    projections: list[Projection] = Field(["pca", "tsne"])
    groups: str | None = Field(default=None, min_length=1)
    factors: Annotated[list[str], Field(min_length=1)] | Literal["all", "none"] = "all"
    conformal: ConformalSettings = ConformalSettings()
