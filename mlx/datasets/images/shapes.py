"""``shapes``: filled shapes on a plain background, hard to tell apart for reasons that are recorded."""

from mlx.datasets.dataset import Dataset
from mlx.datasets.images.blocks import ImageSet, open_images
from mlx.datasets.images.render import Drawing, antialias
from mlx.datasets.images.scenes import draw_scenes
from mlx.datasets.images.shape_looks import LOOKS, Distance
from mlx.datasets.images.shape_params import ShapesParams


def _drawing(distance: Distance) -> Drawing:
    return lambda u, v, _: distance(u, v)


_DRAWINGS = {name: _drawing(look.distance) for name, look in LOOKS.items()}

SHAPES = ImageSet("shapes", _DRAWINGS, draw_scenes, lambda factors: factors["size"], antialias, fills=False)


def open_shapes(params: ShapesParams) -> Dataset:
    """Antialiased shapes with random place, size, rotation, intensities, noise and occlusion.

    X is uint8 of shape (n_samples, height, width, channels). The factors are those of
    `draw_scenes` and of `make_block`; `mlx.datasets.images.render` draws the same image from them again.
    """
    return open_images(SHAPES, params)
