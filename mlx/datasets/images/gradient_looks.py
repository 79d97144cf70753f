"""The looks of ``gradients``: smooth courses from background to foreground.

A look is a function of two float32 arrays `u` (rightward) and `v` (upward), coordinates from the
gradient's center in units of its extent, and of the factors. It returns how far the course is, from 0
(background) to 1 (foreground); the caller clips what lies beyond.
"""

from math import pi, sqrt

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.dataset import Factors
from mlx.datasets.images.render import Drawing

SLANT = sqrt(0.5)


def _linear(rightward: float, upward: float) -> Drawing:
    a, b = np.float32(rightward), np.float32(upward)
    return lambda u, v, _: a * u + b * v + np.float32(0.5)


def _radius(u: Array, v: Array) -> Array:
    return np.hypot(u, v)


def _turn(u: Array, v: Array) -> Array:
    """Direction in turns, from 0 on the right counterclockwise to 1."""
    turn = np.arctan2(v, u) / np.float32(2 * pi)
    turn -= np.floor(turn)
    return turn


def radial(u: Array, v: Array, _: Factors) -> Array:
    """Fall off evenly from the center."""
    return 1 - np.float32(1.6) * _radius(u, v)


def angular(u: Array, v: Array, _: Factors) -> Array:
    """Rise once round the center, with a step on the right."""
    return _turn(u, v)


def bilinear(u: Array, v: Array, _: Factors) -> Array:
    """Saddle: bright in two opposite corners, dark in the two others."""
    return np.float32(0.5) + np.float32(4) * u * v


def spiral(u: Array, v: Array, _: Factors) -> Array:
    """Rise once round the center and once a step outwards."""
    course = _turn(u, v) + np.float32(1.8) * _radius(u, v)
    course -= np.floor(course)
    return course


def diamond(u: Array, v: Array, _: Factors) -> Array:
    """Fall off from the center in nested diamonds."""
    return 1 - np.float32(1.4) * (np.abs(u) + np.abs(v))


def square(u: Array, v: Array, _: Factors) -> Array:
    """Fall off from the center in nested squares."""
    return 1 - np.float32(1.9) * np.maximum(np.abs(u), np.abs(v))


def reflected(u: Array, v: Array, _: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
    """Fall off to both sides of a vertical line."""
    return 1 - np.float32(1.9) * np.abs(u)


def conical(u: Array, v: Array, _: Factors) -> Array:
    """Rise on both ways round the center, from the right to the left."""
    half_turns: Array = np.abs(np.arctan2(v, u)) / np.float32(pi)
    return half_turns


def ripple(u: Array, v: Array, _: Factors) -> Array:
    """Rise and fall again with the distance from the center."""
    course: Array = np.float32(0.5) + np.float32(0.5) * np.cos(np.float32(4 * pi) * _radius(u, v))
    return course


def petals(u: Array, v: Array, _: Factors) -> Array:
    """Rise and fall three times round the center."""
    course: Array = np.float32(0.5) + np.float32(0.5) * np.cos(3 * np.arctan2(v, u))
    return course


LOOKS: dict[str, Drawing] = {
    "horizontal": _linear(1, 0),
    "vertical": _linear(0, 1),
    "radial": radial,
    "angular": angular,
    "bilinear": bilinear,
    "spiral": spiral,
    "rising": _linear(SLANT, SLANT),
    "falling": _linear(SLANT, -SLANT),
    "diamond": diamond,
    "square": square,
    "reflected": reflected,
    "conical": conical,
    "ripple": ripple,
    "petals": petals,
}
"""Every look by name, in the order in which classes take them."""
