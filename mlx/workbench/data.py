"""Datasets for notebooks, by the functions that the pipeline runs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.sections import settings_of
from mlx.datasets import SyntheticDataset
from mlx.preprocessing.known_rows import KnownRows
from mlx.preprocessing.scaling import fit_scaler
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.preprocessing.split import split_rows
from mlx.workbench.display import Described

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class DataGenerator(Described):
    """Generates, splits, scales and draws tables for classification and regression.

    Parameters
    ----------
    random_state
        Default seed of every call.

    Attributes
    ----------
    class_names
        Of the last generated data, in the order of the labels.
    factors
        Generating factors of the last generated samples, by name, if known.
    """

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state
        self.class_names: tuple[str, ...] = ()
        self.factors: dict[str, Array] = {}

    def generate_data(
        self, method: str = "blobs", *, random_state: int | None = None, **params: Any
    ) -> tuple[Array, Array]:
        """Generate a dataset that fits in memory.

        Parameters
        ----------
        method
            A generated dataset by its name in the configuration, such as ``blobs``.
        params
            The dataset's own parameters, by their names in ``dataset.params``.

        Returns
        -------
        X, y
            (n_samples, n_features) and (n_samples,).

        Raises
        ------
        ValueError
            There is no seed, or the parameter is unknown to the dataset.
        DataError
            The data would take more than a gigabyte.
        """
        samples = SyntheticDataset(method, seed=self._seed(random_state), **params).generate()
        self.class_names, self.factors = samples.class_names, samples.factors
        return samples.X, samples.y

    def preprocess_data(self, X: Array, scaling: str = "standard") -> Array:
        """Scale ``X`` by its own values: ``standard``, ``unit`` or ``none``.

        For a model, split first and scale by the training part, as the pipeline does.
        """
        settings = settings_of("preprocessing", PreprocessingSettings, {"scaling": scaling})
        return fit_scaler(settings.scaling, X.dtype, [X]).apply(X)

    def split_data(
        self,
        X: Array,
        y: Array,
        test_size: float = 0.2,
        val_size: float = 0.1,
        *,
        stratify: bool = True,
        random_state: int | None = None,
        groups: Array | None = None,
        order: Array | None = None,
        parts: Array | None = None,
        fold: tuple[int, int] | None = None,
    ) -> dict[str, Array]:
        """Divide the rows as the pipeline does.

        Parameters
        ----------
        test_size, val_size
            Fractions of all rows, or numbers of rows; where `parts` names the test rows, a `val_size` below 1 is a
            fraction of the others.
        groups
            (n,) what each row belongs to; rows of one group stay on one side.
        order
            (n,) numbers or times; the latest rows are the test part.
        parts
            (n,) ``train``, ``val`` or ``test`` of each row. At most one of the three can be given.
        fold
            (i, k): fold i of k, from 0, in place of parts of a size.

        Returns
        -------
        dict
            ``X_train``, ``y_train``, and the same with ``val`` and ``test``; also ``index_<part>``, the rows.
        """
        seed = self._seed(random_state)
        given = {"group": groups, "order": order, "part": parts}
        columns = {role: np.asarray(values) for role, values in given.items() if values is not None}
        if len(columns) > 1:
            raise ValueError(f"expected at most one of groups, order and parts, found {len(columns)}")
        names_of = {role: role for role in columns}
        settings = settings_of(
            "split",
            SplitSettings,
            {"test_size": test_size, "val_size": val_size, "stratify": stratify, "seed": seed, **names_of},
        )
        labels = np.asarray(y)
        names = [str(label) for label in range(int(labels.max()) + 1)] if labels.dtype.kind in "iu" else []
        found = split_rows(labels, names, settings, KnownRows(columns, names_of), fold=fold).parts()
        return {
            f"{kind}_{part}": values
            for part, rows in found.items()
            for kind, values in (("X", X[rows]), ("y", labels[rows]), ("index", rows))
        }

    def visualize_data(self, X: Array, y: Array) -> "Figure":
        """Draw the rows in the plane of their first two principal components, by class; targets as a histogram."""
        from mlx.plots.table import plot_class_scatter, plot_target_histogram

        continuous = np.asarray(y).dtype.kind == "f"
        axes = plot_target_histogram(y) if continuous else plot_class_scatter(X, y, self._names(y))
        assert axes.figure is not None
        return axes.figure.get_figure(root=True)

    def _names(self, y: Array) -> tuple[str, ...]:
        k = int(np.max(y)) + 1
        return self.class_names if len(self.class_names) >= k else tuple(str(label) for label in range(k))

    def _seed(self, given: int | None) -> int:
        seed = self.random_state if given is None else given
        if seed is None:
            raise ValueError("expected a seed: give random_state here or to the constructor")
        return seed


class ImageDataGenerator(DataGenerator):
    """Generates, splits, scales and draws images with known factors."""

    def generate_image_data(
        self, method: str = "shapes", *, random_state: int | None = None, **params: Any
    ) -> tuple[Array, Array]:
        """Generate images that fit in memory: ``X`` (n_samples, height, width, channels) uint8, ``y`` (n_samples,).

        `params` are the dataset's own: ``n_samples``, ``n_classes``, ``image_size`` (a number or height
        and width), and those of its difficulty. Errors as in `generate_data`.
        """
        size = params.get("image_size")
        if isinstance(size, tuple):
            params["image_size"] = list(size)
        return self.generate_data(method, random_state=random_state, **params)

    def preprocess_images(self, X: Array) -> Array:
        """Scale 8-bit values to 0..1 as float32; values in 0..1 are unchanged."""
        return self.preprocess_data(X, "unit")

    def visualize_images(self, X: Array, y: Array, n_images_per_class: int = 5) -> "Figure":
        """Draw the first images of each class in a row with the name of the class."""
        from mlx.plots.images import plot_sample_grid

        labels = np.asarray(y)
        chosen = np.concatenate([np.flatnonzero(labels == k)[:n_images_per_class] for k in np.unique(labels)])
        axes = plot_sample_grid(X[chosen], labels[chosen], self._names(labels), images_per_class=n_images_per_class)
        assert axes.figure is not None
        return axes.figure.get_figure(root=True)
