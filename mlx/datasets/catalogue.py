"""The datasets by name: what each one's parameters are and how it is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mlx.core.recorded import RECORDED
from mlx.core.settings import Settings
from mlx.datasets.bundled import BUNDLED, BundledParams, open_bundled
from mlx.datasets.custom.params import CustomParams
from mlx.datasets.custom.source import open_custom
from mlx.datasets.dataset import Dataset
from mlx.datasets.digits import DigitsParams, open_digits
from mlx.datasets.files.cifar import Cifar10Params, Cifar100Params, open_cifar10, open_cifar100
from mlx.datasets.files.imagenet import ImagenetParams, open_imagenet
from mlx.datasets.files.mnist import MnistParams, open_fashion_mnist, open_mnist
from mlx.datasets.files.number_tables import NumberTableParams, open_california_housing, open_covtype
from mlx.datasets.files.olivetti import OlivettiParams, open_olivetti_faces
from mlx.datasets.images.gradients import GradientsParams, open_gradients
from mlx.datasets.images.noise import NoiseParams, open_noise
from mlx.datasets.images.patterns import PatternsParams, open_patterns
from mlx.datasets.images.shape_params import ShapesParams
from mlx.datasets.images.shapes import open_shapes
from mlx.datasets.recorded import RecordedParams, open_recorded
from mlx.datasets.tabular.clusters import BlobsParams, ClusterParams, open_blobs, open_synthetic_classification
from mlx.datasets.tabular.curves import CirclesParams, CurveParams, open_circles, open_moons
from mlx.datasets.tabular.hypercubes import ClassificationParams, open_classification
from mlx.datasets.tabular.mixtures import MixtureParams, open_gaussian_mixture
from mlx.datasets.tabular.regression import RegressionParams, open_synthetic_regression


@dataclass(frozen=True)
class DatasetSpec:
    """How a dataset is configured and opened.

    Attributes
    ----------
    params
        Schema of ``dataset.params``.
    open
        Called with the parameters, and after them with ``dataset.path`` where `takes_path` holds.
    takes_path
        Whether the samples are read from ``dataset.path``.
    """

    params: type[Settings]
    open: Callable[..., Dataset]
    takes_path: bool = False


GENERATED: dict[str, DatasetSpec] = {
    "blobs": DatasetSpec(BlobsParams, open_blobs),
    "circles": DatasetSpec(CirclesParams, open_circles),
    "classification": DatasetSpec(ClassificationParams, open_classification),
    "gaussian_mixture": DatasetSpec(MixtureParams, open_gaussian_mixture),
    "gradients": DatasetSpec(GradientsParams, open_gradients),
    "moons": DatasetSpec(CurveParams, open_moons),
    "noise": DatasetSpec(NoiseParams, open_noise),
    "patterns": DatasetSpec(PatternsParams, open_patterns),
    "shapes": DatasetSpec(ShapesParams, open_shapes),
    "synthetic_classification": DatasetSpec(ClusterParams, open_synthetic_classification),
    "synthetic_regression": DatasetSpec(RegressionParams, open_synthetic_regression),
}
"""The datasets that are drawn from a seed."""

FROM_FILES: dict[str, DatasetSpec] = {
    "california_housing": DatasetSpec(NumberTableParams, open_california_housing, takes_path=True),
    "cifar10": DatasetSpec(Cifar10Params, open_cifar10, takes_path=True),
    "cifar100": DatasetSpec(Cifar100Params, open_cifar100, takes_path=True),
    "covtype": DatasetSpec(NumberTableParams, open_covtype, takes_path=True),
    "custom": DatasetSpec(CustomParams, open_custom, takes_path=True),
    "fashion_mnist": DatasetSpec(MnistParams, open_fashion_mnist, takes_path=True),
    "imagenet": DatasetSpec(ImagenetParams, open_imagenet, takes_path=True),
    "mnist": DatasetSpec(MnistParams, open_mnist, takes_path=True),
    "olivetti_faces": DatasetSpec(OlivettiParams, open_olivetti_faces, takes_path=True),
}
"""The datasets that are read from files."""

WITH_SCIKIT_LEARN: dict[str, DatasetSpec] = {
    "digits": DatasetSpec(DigitsParams, open_digits),
    **{name: DatasetSpec(BundledParams, partial(open_bundled, name)) for name in BUNDLED},
}
"""The real datasets that are installed with scikit-learn."""

OUTPUTS: dict[str, DatasetSpec] = {RECORDED: DatasetSpec(RecordedParams, open_recorded, takes_path=True)}
"""Recorded outputs of a model, in place of samples for one."""

DATASETS: dict[str, DatasetSpec] = dict(sorted((GENERATED | FROM_FILES | WITH_SCIKIT_LEARN | OUTPUTS).items()))
"""All of them, by name."""
