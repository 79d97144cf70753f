"""``gradients``: smooth courses from one intensity to another, told apart by their geometry."""

from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from mlx.core.array_types import Array
from mlx.datasets.dataset import Dataset, Factors
from mlx.datasets.images.blocks import ImageSet, open_images
from mlx.datasets.images.gradient_looks import LOOKS
from mlx.datasets.images.render import clipped
from mlx.datasets.images.scenes import Draws, draw_in_chunks
from mlx.datasets.images.textures import TextureParams, draw_disturbance, draw_place
from mlx.datasets.params import Fraction, Positive

Extent = Annotated[float, Field(gt=0, le=100)]


class GradientsParams(TextureParams):
    """Parameters of ``gradients``: those of every image set.

    Attributes
    ----------
    min_extent, max_extent
        Length over which a linear gradient goes from background to foreground, and the scale of the others.
    """

    looks: ClassVar[dict[str, object]] = dict(LOOKS)

    min_contrast: Positive = 0.3
    occlusion: Fraction = 0.2
    min_extent: Extent = 0.7
    max_extent: Annotated[Extent, Field(validate_default=True)] = 1.4


def open_gradients(params: GradientsParams) -> Dataset:
    """Gradients with random place, extent, rotation, intensities, noise and occlusion.

    X is uint8 of shape (n_samples, height, width, channels). The factors are ``extent``, as a fraction of
    the shorter side, and, as `mlx.datasets.images.scenes.draw_scenes` explains them, those of place, intensities,
    noise and occluder; ``occlusion`` is the hidden fraction of the image. `mlx.datasets.images.render`
    draws the same image from them again.
    """
    return open_images(GRADIENTS, params)


def _draw(params: GradientsParams, draws: Draws, labels: Array) -> Factors:  # noqa: ARG001
    return {
        **draw_place(params, draws),
        "extent": draws.uniform(params.min_extent, params.max_extent),
        **draw_disturbance(params, draws),
    }


GRADIENTS = ImageSet(
    "gradients", LOOKS, partial(draw_in_chunks, draw=_draw), lambda factors: 2 * factors["extent"], clipped
)
