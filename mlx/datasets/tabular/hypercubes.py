"""``classification``: clusters on the corners of a hypercube, from scikit-learn's `make_classification`."""

from functools import partial
from math import ceil, log2
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from mlx.core.array_types import Array
from mlx.core.errors import SettingsError
from mlx.datasets.dataset import Dataset
from mlx.datasets.params import Count, Separation, bad_value, no_more_than_features
from mlx.datasets.randomness import Stream, generator
from mlx.datasets.tabular.common import Table, TableParams, reject_oversized_table, table_dataset

NotNegative = Annotated[int, Field(ge=0)]


class ClassificationParams(TableParams):
    """Parameters of ``classification``, by the names they have in scikit-learn's `make_classification`.

    Its ``weights`` and ``flip_y`` are `class_weights` and `label_noise` here.

    Attributes
    ----------
    n_clusters_per_class
        Number of clusters that make up a class.
    n_informative
        Number of features in which the clusters differ; their 2**n_informative corners must be enough for
        the clusters. Where it is not given: half of the features, or as many as the clusters need.
    n_redundant
        Number of features that are random linear combinations of the informative ones. Where it is not
        given: 2, or as many as there is room for.
    n_repeated
        Number of features that repeat an informative or a redundant one. All remaining features are noise.
    class_sep
        Half the side of the hypercube; a cluster's spread is about 1.
    """

    n_classes: Annotated[int, Field(ge=2)] = 2
    n_features: Count = 20
    n_clusters_per_class: Count = 2
    n_informative: Annotated[Count | None, Field(validate_default=True)] = None
    n_redundant: NotNegative | None = None
    n_repeated: NotNegative = 0
    class_sep: Separation = 1.0

    _informative = field_validator("n_informative")(no_more_than_features)

    @field_validator("n_informative")
    @classmethod
    def _a_corner_for_each_cluster(cls, n_informative: int | None, info: ValidationInfo) -> int | None:
        known = info.data
        if known.keys() >= {"n_classes", "n_clusters_per_class", "n_features"}:
            needed = _least_informative(known)
            if (n_informative or known["n_features"]) < needed:
                clusters = known["n_classes"] * known["n_clusters_per_class"]
                found = n_informative or f"n_features = {known['n_features']}"
                raise bad_value(f"at least {needed} for {clusters} clusters", found)
        return n_informative

    @field_validator("n_redundant", "n_repeated")
    @classmethod
    def _room(cls, value: int | None, info: ValidationInfo) -> int | None:
        known = info.data
        if value and known.keys() >= {"n_features", "n_informative"} and value > (room := _room_left(known)):
            raise bad_value(f"at most {room}, the features that are left", value)
        return value

    def kinds(self) -> dict[str, int]:
        """Return how many features there are of each kind, in the order of the columns."""
        known = self.model_dump()
        redundant = self.n_redundant
        if redundant is None:
            redundant = min(2, _room_left(known) - self.n_repeated)
        used = {"informative": _informative(known), "redundant": redundant, "repeated": self.n_repeated}
        return used | {"noise": self.n_features - sum(used.values())}


def _least_informative(known: dict[str, Any]) -> int:
    return max(1, ceil(log2(known["n_classes"] * known["n_clusters_per_class"])))


def _informative(known: dict[str, Any]) -> int:
    chosen: int | None = known["n_informative"]
    return chosen or max(_least_informative(known), known["n_features"] // 2)


def _room_left(known: dict[str, Any]) -> int:
    left: int = known["n_features"] - _informative(known) - (known.get("n_redundant") or 0)
    return left


def open_classification(params: ClassificationParams) -> Dataset:
    """Clusters on the corners of a hypercube, stretched at random: scikit-learn's `make_classification`.

    X is float64 of shape (n_samples, n_features), its columns in the order of ``details["features"]``:
    informative, redundant, repeated, noise, each with its number. The factor ``cluster`` (int64) is the
    cluster a sample belongs to; cluster c makes part of class c modulo n_classes.

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    SettingsError
        If a class has fewer samples than clusters.
    """
    reject_oversized_table("classification", params, 1)
    if params.n_clusters_per_class > (fewest := int(params.counts().min())):
        raise SettingsError(
            f"expected at most {fewest}, the samples of the smallest class, found {params.n_clusters_per_class}",
            key=("dataset", "params", "n_clusters_per_class"),
        )
    kinds = params.kinds()
    return table_dataset(
        "classification",
        params,
        partial(_clusters, params, kinds),
        classes="class",
        source=f"{params.n_classes} classes of {params.n_clusters_per_class} clusters, {params.n_features} "
        "features (scikit-learn make_classification)",
        details={"features": kinds},
    )


def _clusters(params: ClassificationParams, kinds: dict[str, int]) -> Table:
    """Have every class filled up to a multiple of its clusters, and leave the surplus out again."""
    from sklearn.datasets import make_classification

    each = -(-params.counts() // params.n_clusters_per_class)  # samples a cluster, one number a class
    made = int(each.sum()) * params.n_clusters_per_class
    X, labels = make_classification(
        made,
        params.n_features,
        n_informative=kinds["informative"],
        n_redundant=kinds["redundant"],
        n_repeated=kinds["repeated"],
        n_classes=params.n_classes,
        n_clusters_per_class=params.n_clusters_per_class,
        weights=list((each * params.n_clusters_per_class + 0.25) / made),  # which are rounded down again
        flip_y=0,
        class_sep=params.class_sep,
        shuffle=False,
        random_state=params.seed,
    )
    sizes = np.tile(each, params.n_clusters_per_class)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    chosen = _in_random_order(params, labels)
    return X[chosen], labels[chosen].astype(np.int64), {"cluster": cluster[chosen]}


def _in_random_order(params: ClassificationParams, labels: Array) -> Array:
    """Return the rows to take: as many of each class as asked for, in random order."""
    order = generator(params.seed, Stream.LABELS).permutation(len(labels))
    counts = params.counts()
    surplus = [order[labels[order] == k][counts[k] :] for k in range(params.n_classes)]
    keep = np.ones(len(labels), bool)
    keep[np.concatenate(surplus)] = False
    return order[keep[order]]
