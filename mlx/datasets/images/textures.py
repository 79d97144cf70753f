"""What ``patterns``, ``gradients`` and ``noise`` share: pictures without an object, filled to the border."""

from typing import Annotated

import numpy as np
from pydantic import Field

from mlx.datasets.dataset import Factors
from mlx.datasets.images.params import ImageParams
from mlx.datasets.images.scenes import Draws, draw_intensities, draw_occluder
from mlx.datasets.params import Fraction

_WHOLE = {"center_x": np.array(0.5), "center_y": np.array(0.5), "size": np.array(1.0)}
_SQUARE = 4.0  # the area of the square around a circle of radius 1


class TextureParams(ImageParams):
    """Parameters of the image sets without an object: `occlusion` is a fraction of the shorter side squared.

    Attributes
    ----------
    jitter
        How far the center of the texture may lie from the image's: 1 is up to the border.
    rotation
        Largest rotation to either side, in degrees.
    """

    inverted: Fraction = 0.5
    jitter: Fraction = 0.4
    rotation: Annotated[float, Field(ge=0, le=180)] = 15.0


def draw_place(params: TextureParams, draws: Draws) -> Factors:
    """Draw ``center_x``, ``center_y`` and ``rotation``; `mlx.datasets.images.scenes.draw_scenes` explains them."""
    return {
        "center_x": 0.5 + params.jitter * (draws.uniform() - 0.5),
        "center_y": 0.5 + params.jitter * (draws.uniform() - 0.5),
        "rotation": draws.uniform(-params.rotation, params.rotation),
    }


def draw_disturbance(params: TextureParams, draws: Draws) -> Factors:
    """Draw intensities, level of noise and occluder, as `mlx.datasets.images.scenes.draw_scenes` explains them."""
    return {
        **draw_intensities(params, draws),
        "noise": draws.uniform(0, params.noise),
        **draw_occluder(params, draws, _WHOLE, _SQUARE),
    }
