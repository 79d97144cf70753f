"""``patterns``: regular ink on plain ground, from stripes and bricks to honeycombs and spirals."""

from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from mlx.core.array_types import Array
from mlx.datasets.dataset import Dataset, Factors
from mlx.datasets.images.blocks import ImageSet, open_images
from mlx.datasets.images.pattern_looks import LOOKS
from mlx.datasets.images.render import antialias
from mlx.datasets.images.scenes import Draws, draw_in_chunks
from mlx.datasets.images.textures import TextureParams, draw_disturbance, draw_place
from mlx.datasets.params import Fraction

Frequency = Annotated[float, Field(ge=1, le=1024)]


class PatternsParams(TextureParams):
    """Parameters of ``patterns``: those of every image set, the ink being the foreground.

    Attributes
    ----------
    min_frequency, max_frequency
        Periods of the pattern along the image's shorter side.
    """

    looks: ClassVar[dict[str, object]] = dict(LOOKS)

    noise: Fraction = 0.3
    min_frequency: Frequency = 2.5
    max_frequency: Annotated[Frequency, Field(validate_default=True)] = 6.0


def open_patterns(params: PatternsParams) -> Dataset:
    """Antialiased patterns with random place, frequency, phase, rotation, intensities, noise and occlusion.

    X is uint8 of shape (n_samples, height, width, channels). The factors are ``frequency``, in periods
    along the shorter side, ``phase``, the shift as a fraction of a period, and, as
    `mlx.datasets.images.scenes.draw_scenes` explains them, those of place, intensities, noise and occluder;
    ``occlusion`` is the hidden fraction of the image. `mlx.datasets.images.render` draws the same image
    from them again.
    """
    return open_images(PATTERNS, params)


def _draw(params: PatternsParams, draws: Draws, labels: Array) -> Factors:  # noqa: ARG001
    return {
        **draw_place(params, draws),
        "frequency": draws.uniform(params.min_frequency, params.max_frequency),
        "phase": draws.uniform(),
        **draw_disturbance(params, draws),
    }


PATTERNS = ImageSet(
    "patterns", LOOKS, partial(draw_in_chunks, draw=_draw), lambda factors: 2 / factors["frequency"], antialias
)
