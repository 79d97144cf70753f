"""The looks of ``patterns``, as signed distances to the outlines of their ink.

A look is a function of two float32 arrays `u` (rightward) and `v` (upward), coordinates in units of the
pattern's period, and of the factors, where ``phase`` shifts the pattern by a fraction of its period. It
returns, in the same unit, the distance to the border of the ink, negative inside it; exact, or to first
order, near the border, which is all that antialiasing needs.
"""

from math import pi, sqrt

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.dataset import Factors
from mlx.datasets.images.render import Drawing

SIX = sqrt(3) / 2  # the height of an equilateral triangle


def _near(t: Array) -> Array:
    """Distance to the nearest integer, 0 to 0.5."""
    distance: Array = np.abs(t - np.rint(t))
    return distance


def _bands(t: Array) -> Array:
    """Bands of ink half a period wide, round the integers."""
    return _near(t) - 0.25


def _polar(u: Array, v: Array) -> tuple[Array, Array]:
    """Radius, and direction in turns from -0.5 to 0.5."""
    return np.hypot(u, v), np.arctan2(v, u) / np.float32(2 * pi)


def horizontal(u: Array, v: Array, factors: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
    """Draw horizontal stripes."""
    return _bands(v + factors["phase"])


def vertical(u: Array, v: Array, factors: Factors) -> Array:  # noqa: ARG001 - all looks are called alike
    """Draw vertical stripes."""
    return _bands(u + factors["phase"])


def rising(u: Array, v: Array, factors: Factors) -> Array:
    """Draw stripes that rise to the right."""
    return _bands((u - v) * np.float32(sqrt(0.5)) + factors["phase"])


def falling(u: Array, v: Array, factors: Factors) -> Array:
    """Draw stripes that fall to the right."""
    return _bands((u + v) * np.float32(sqrt(0.5)) + factors["phase"])


def checkerboard(u: Array, v: Array, factors: Factors) -> Array:
    """Draw squares, half a period wide: in one band or in the other, but not in both."""
    a, b = _bands(u + factors["phase"]), _bands(v)
    return np.minimum(np.maximum(a, -b), np.maximum(-a, b))


def dots(u: Array, v: Array, factors: Factors) -> Array:
    """Draw discs on a square lattice."""
    distance: Array = np.hypot(_near(u + factors["phase"]), _near(v)) - np.float32(0.3)
    return distance


def rings(u: Array, v: Array, factors: Factors) -> Array:
    """Draw concentric rings."""
    return _bands(np.hypot(u, v) + factors["phase"])


def waves(u: Array, v: Array, factors: Factors) -> Array:
    """Draw horizontal bands that wave, one wave two periods long."""
    across = np.float32(pi) * (u + factors["phase"])
    slope = np.float32(0.4 * pi) * np.cos(across)
    height: Array = _bands(v + np.float32(0.4) * np.sin(across))
    height /= np.sqrt(1 + slope * slope)
    return height


def zigzag(u: Array, v: Array, factors: Factors) -> Array:
    """Draw horizontal bands that go up and down in straight lines."""
    return _bands(v + 2 * _near((u + factors["phase"]) / 2)) * np.float32(sqrt(0.5))


def bricks(u: Array, v: Array, factors: Factors) -> Array:
    """Draw bricks, twice as long as high, each row shifted by half a brick."""
    shift = np.floor(v) * np.float32(0.5)
    joint = 2 * _near(u / 2 + shift + factors["phase"])
    distance: Array = np.float32(0.12) - np.minimum(_near(v), joint)
    return distance


def hexagons(u: Array, v: Array, factors: Factors) -> Array:
    """Draw a honeycomb: every point belongs to the nearer center of two rectangular lattices."""
    u = u + factors["phase"]
    cells = []
    for shift in (0.0, 0.5):
        high = v / np.float32(2 * SIX) - np.float32(shift)
        a, b = _near(u - np.float32(shift)), _near(high) * np.float32(2 * SIX)
        cells.append(np.maximum(a, a / 2 + b * np.float32(SIX)))
    return np.minimum(*cells) - np.float32(0.38)


def triangles(u: Array, v: Array, factors: Factors) -> Array:
    """Draw equilateral triangles, point up, in the lattice that three families of lines make."""
    u = u + factors["phase"]
    a, b = v, u * np.float32(SIX) - v / 2
    lines = [a, b, -a - b]
    up = sum(np.floor(line) for line in lines) == -1
    distance = np.minimum(np.minimum(_near(lines[0]), _near(lines[1])), _near(lines[2]))
    return np.where(up, -distance, distance)


def crosshatch(u: Array, v: Array, factors: Factors) -> Array:
    """Draw thin lines along both diagonals."""
    u = u + factors["phase"]
    first, second = (u - v) * np.float32(sqrt(0.5)), (u + v) * np.float32(sqrt(0.5))
    return np.minimum(_near(first), _near(second)) - np.float32(0.12)


def spiral(u: Array, v: Array, factors: Factors) -> Array:
    """Draw one spiral arm, a period further out after each turn."""
    radius, turn = _polar(u, v)
    return _bands(radius - turn + factors["phase"])


RAYS = 8


def rays(u: Array, v: Array, factors: Factors) -> Array:
    """Draw wedges from the center, whatever the period is."""
    radius, turn = _polar(u, v)
    return _bands(RAYS * turn + factors["phase"]) * radius * np.float32(2 * pi / RAYS)


def crosses(u: Array, v: Array, factors: Factors) -> Array:
    """Draw upright crosses on a square lattice."""
    a, b = _near(u + factors["phase"]), _near(v)
    return np.maximum(np.minimum(a, b) - np.float32(0.12), np.maximum(a, b) - np.float32(0.36))


LOOKS: dict[str, Drawing] = {
    "horizontal": horizontal,
    "vertical": vertical,
    "checkerboard": checkerboard,
    "dots": dots,
    "rings": rings,
    "waves": waves,
    "bricks": bricks,
    "zigzag": zigzag,
    "hexagons": hexagons,
    "triangles": triangles,
    "crosshatch": crosshatch,
    "spiral": spiral,
    "rays": rays,
    "rising": rising,
    "falling": falling,
    "crosses": crosses,
}
"""Every look by name, in the order in which classes take them."""
