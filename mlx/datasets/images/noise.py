"""``noise``: random textures, told apart by their statistics rather than by any outline."""

from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from mlx.core.array_types import Array
from mlx.datasets.dataset import Dataset, Factors
from mlx.datasets.images.blocks import ImageSet, open_images
from mlx.datasets.images.noise_looks import LOOKS
from mlx.datasets.images.render import clipped
from mlx.datasets.images.scenes import Draws, draw_in_chunks
from mlx.datasets.images.textures import TextureParams, draw_disturbance, draw_place
from mlx.datasets.params import Fraction, Positive


class NoiseParams(TextureParams):
    """Parameters of ``noise``: those of every image set. Their `noise` is what is added to the texture.

    Attributes
    ----------
    min_grain, max_grain
        Size of what is to be seen in the textures whose pixels are not each on their own.
    min_density, max_density
        Share of salt and pepper.
    """

    looks: ClassVar[dict[str, object]] = dict(LOOKS)

    min_contrast: Positive = 0.4
    noise: Fraction = 0.05
    occlusion: Fraction = 0.2
    rotation: Annotated[float, Field(ge=0, le=180)] = 180.0
    min_grain: Positive = 0.08
    max_grain: Annotated[Positive, Field(validate_default=True)] = 0.2
    min_density: Fraction = 0.05
    max_density: Annotated[Fraction, Field(validate_default=True)] = 0.3


def open_noise(params: NoiseParams) -> Dataset:
    """Random textures with random grain, density, place, intensities, added noise and occlusion.

    X is uint8 of shape (n_samples, height, width, channels). The factors are ``key`` (uint32), which
    every random number of a texture comes from, ``grain``, as a fraction of the shorter side,
    ``density`` and, as `mlx.datasets.images.scenes.draw_scenes` explains them, those of place, intensities, noise
    and occluder; ``occlusion`` is the hidden fraction of the image. A factor that a look does not use is
    there all the same. `mlx.datasets.images.render` draws the same image from them again.
    """
    return open_images(NOISE, params)


def _draw(params: NoiseParams, draws: Draws, labels: Array) -> Factors:  # noqa: ARG001
    return {
        "key": draws.bits(),
        **draw_place(params, draws),
        "grain": draws.uniform(params.min_grain, params.max_grain),
        "density": draws.uniform(params.min_density, params.max_density),
        **draw_disturbance(params, draws),
    }


NOISE = ImageSet("noise", LOOKS, partial(draw_in_chunks, draw=_draw), lambda factors: 2 * factors["grain"], clipped)
