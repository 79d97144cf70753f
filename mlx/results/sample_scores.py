"""One number a test sample: scores of its prediction, and its place in each layer."""

from dataclasses import dataclass
from typing import Annotated

from mlx.core.array_types import Array, Floats, Integers
from mlx.results import columns
from mlx.results.schema import ArraySchema, Column


@dataclass(frozen=True)
class SampleScores:
    """What is known of each prediction, each (n_samples,)."""

    index: columns.Index
    y_true: Annotated[Integers, Column("label", "label")]
    y_pred: Annotated[Integers, Column("label", "predicted label")]
    correct: Annotated[Array, Column("flag", "whether they agree")]
    confidence: Annotated[Floats, Column("share", "probability of the predicted class")]
    entropy: Annotated[Floats, Column("number", "entropy H of the predicted probabilities, in nats")]
    entropy_normalised: Annotated[Floats, Column("number", "entropy over ln K")]
    surprise: Annotated[Floats, Column("limit", "-log p_y of the true class, in nats")]
    excess_surprise: Annotated[Floats, Column("limit", "surprise less entropy")]
    brier: Annotated[Floats, Column("number", "1 - 2p_y + Σp²")]
    raw: Annotated[Floats, Column("number", "1 - p_y", name="residual_raw")]
    pearson: Annotated[Floats, Column("limit", "1/p_y - 1", name="residual_pearson")]
    deviance: Annotated[Floats, Column("limit", "-2 log p_y", name="residual_deviance")]
    surprise_variance: Annotated[Floats, Column("number", "variance of the surprise if the model is right")]
    excess_surprise_z: Annotated[Floats, Column("limit", "excess surprise in standard deviations")]
    residual_quantile: Annotated[Floats, Column("number", "randomized quantile residual")]


@dataclass(frozen=True, kw_only=True)
class LayerSamples:
    """Where each sample stands in one layer, each (n_samples,); a similarity is NaN where ``status`` says why."""

    similarity: Annotated[Floats, Column("number", "mean cosine similarity to the others of the predicted class")]
    similarity_true: Annotated[Floats, Column("number", "the same to the others of the true class")]
    similarity_all: Annotated[Floats, Column("number", "the same to all others")]
    similarity_centroid: Annotated[Floats, Column("number", "cosine to the sum of the others predicted alike")]
    margin: Annotated[Floats, Column("number", "similarity less the largest mean similarity to another class")]
    silhouette: Annotated[Floats, Column("number", "cosine silhouette of the predicted classes")]
    similarity_neighbours: Annotated[Floats, Column("number", "mean cosine to the `n_neighbours` nearest samples")]
    nearest_similarity: Annotated[Floats, Column("number", "cosine to the most similar sample predicted alike")]
    block: Annotated[Integers, Column("number", "row of the sample in the matrix of its class, -1 in none")]
    status: Annotated[Array, Column("text", "`ok`, or why a similarity of this layer is missing")]
    overview: Annotated[Integers, Column("number", "row in the matrix over all classes, -1 in none")]
    pca_1: Annotated[Floats | None, Column("number", "first principal component")] = None
    pca_2: Annotated[Floats | None, Column("number", "second principal component")] = None
    tsne_1: Annotated[Floats | None, Column("number", "place by t-SNE, which keeps neighborhoods alone")] = None
    tsne_2: Annotated[Floats | None, Column("number", "place by t-SNE")] = None
    umap_1: Annotated[Floats | None, Column("number", "place by UMAP, which keeps neighborhoods alone")] = None
    umap_2: Annotated[Floats | None, Column("number", "place by UMAP")] = None
    nearest: Annotated[Array, Column("number", "`index` of the most similar sample predicted alike, -1 without one")]


SAMPLES = ArraySchema("samples.parquet", SampleScores, "One row per test sample.", key=("index",))


LAYER_SAMPLES = ArraySchema("samples.parquet", LayerSamples, "The columns of a layer in the table of samples.")
