"""The looks a shape can have, as signed distances to their outlines.

A look is a function of two float32 arrays `u` (rightward) and `v` (upward), coordinates whose origin
is the center of the circle around the shape and whose unit is that circle's radius. It returns, in the
same unit, the distance to the outline, negative inside. Straight edges are measured to their line, which
is exact wherever an edge is nearest and never too large elsewhere; the antialiasing needs no more. The
constructions (half-planes, folding, unions as minima, intersections as maxima) are those of constructive
solid geometry with distances: J. C. Hart, "Sphere tracing", The Visual Computer 12, 1996.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import acos, cos, pi, radians, sin, sqrt

import numpy as np

from mlx.core.array_types import Array

Distance = Callable[[Array, Array], Array]


def _radius(u: Array, v: Array) -> Array:
    squared: Array = u * u
    squared += v * v
    return np.sqrt(squared, out=squared)


def _edge(u: Array, v: Array, degrees: float, reach: float) -> Array:
    """Distance to the line at `reach` from the origin whose normal points in the direction `degrees`."""
    distance: Array = cos(radians(degrees)) * u
    distance += sin(radians(degrees)) * v
    distance -= reach
    return distance


def _mirrored_edges(u: Array, v: Array, degrees: float, reach: float) -> tuple[Array, Array]:
    """Return `_edge` at `u` and at −`u`."""
    across, upward = cos(radians(degrees)) * u, sin(radians(degrees)) * v
    right = across + upward
    upward -= across
    right -= reach
    upward -= reach
    return right, upward


def _union(*parts: Array) -> Array:
    """Return the least of arrays that nobody else needs: the first is overwritten."""
    return _fold(np.minimum, parts)


def _intersection(*parts: Array) -> Array:
    """Return the largest of arrays that nobody else needs: the first is overwritten."""
    return _fold(np.maximum, parts)


def _fold(join: np.ufunc, parts: tuple[Array, ...]) -> Array:
    whole = parts[0]
    for part in parts[1:]:
        join(whole, part, out=whole)
    return whole


def circle(u: Array, v: Array) -> Array:
    """Outline a disc."""
    return _radius(u, v) - 1


def square(u: Array, v: Array) -> Array:
    """Outline a square with horizontal and vertical sides."""
    return np.maximum(np.abs(u), np.abs(v)) - sqrt(1 / 2)


def triangle(u: Array, v: Array) -> Array:
    """Outline an equilateral triangle, point up."""
    return _intersection(_edge(np.abs(u), v, 30, 0.5), -v - 0.5)


ARM = 0.32
REACH = sqrt(1 - ARM**2)


def cross(u: Array, v: Array) -> Array:
    """Outline two bars across each other; `ARM` is half a bar's width, `REACH` half its length."""
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.minimum(u, v) - ARM, np.maximum(u, v) - REACH)


FLATNESS = 0.55


def ellipse(u: Array, v: Array) -> Array:
    """Outline an ellipse, `FLATNESS` times as high as wide; exact to first order at the outline."""
    v = v / FLATNESS
    level, slope = _radius(u, v), _radius(u, v / FLATNESS)
    distance = level - 1
    distance *= level
    distance /= np.maximum(slope, np.float32(1e-6), out=slope)
    return distance


def star(u: Array, v: Array) -> Array:
    """Outline a pentagram, point up: inside all five of its lines, or all but one."""
    u = np.abs(u)
    inner = cos(radians(72))
    (near, far), (low, deep) = _mirrored_edges(u, v, 18, inner), _mirrored_edges(u, v, -54, inner)
    second = _union(np.maximum(near, low), v - inner)
    return _intersection(second, _union(near, low), far, deep)


def pentagon(u: Array, v: Array) -> Array:
    """Outline a regular pentagon, point up."""
    u, inner = np.abs(u), cos(pi / 5)
    return _intersection(_edge(u, v, 54, inner), _edge(u, v, -18, inner), -v - inner)


def hexagon(u: Array, v: Array) -> Array:
    """Outline a regular hexagon, point up."""
    u, inner = np.abs(u), cos(pi / 6)
    return _intersection(u - inner, _edge(u, np.abs(v), 60, inner))


HOLE = 0.55


def ring(u: Array, v: Array) -> Array:
    """Outline a disc with a concentric hole of radius `HOLE`."""
    return np.abs(_radius(u, v) - (1 + HOLE) / 2) - (1 - HOLE) / 2


def diamond(u: Array, v: Array) -> Array:
    """Outline a rhombus, `FLATNESS` times as wide as high, so that no rotation makes it a square."""
    return (np.abs(u) + FLATNESS * np.abs(v) - FLATNESS) / sqrt(1 + FLATNESS**2)


HEART_CENTER = 0.2612
HEART_RADIUS = 1 + HEART_CENTER


def heart(u: Array, v: Array) -> Array:
    """Outline a square on its corner with half discs on its two upper sides, scaled into the unit circle."""
    u, v = np.abs(u) * HEART_RADIUS, v * HEART_RADIUS + HEART_CENTER
    corner = (u + np.abs(v) - 1) * sqrt(1 / 2)
    lobe = _radius(u - 0.5, v - 0.5) - sqrt(1 / 2)
    return _union(corner, lobe) / HEART_RADIUS


BITE_RADIUS, BITE_AT = 0.8, 0.5


def crescent(u: Array, v: Array) -> Array:
    """Outline a disc without the part that a smaller disc on its right covers."""
    return _intersection(_radius(u, v) - 1, BITE_RADIUS - _radius(u - BITE_AT, v))


def semicircle(u: Array, v: Array) -> Array:
    """Outline the upper half of a disc."""
    return _intersection(_radius(u, v) - 1, -v)


def arrow(u: Array, v: Array) -> Array:
    """Outline an arrow, pointing up: a triangle on a bar."""
    u = np.abs(u)
    head = _intersection(_edge(u, v, 45, sqrt(1 / 2)), 0.1 - v)
    bar = _intersection(u - 0.27, np.abs(v + 0.4) - 0.56)
    return _union(head, bar)


WAIST = 0.62


def hourglass(u: Array, v: Array) -> Array:
    """Outline two triangles, point to point."""
    u, v = np.abs(u), np.abs(v)
    return _intersection(v - 1 / sqrt(1 + WAIST**2), (u - WAIST * v) / sqrt(1 + WAIST**2))


BULB = 0.6


def drop(u: Array, v: Array) -> Array:
    """Outline a disc of radius `BULB` and the point above it, joined by tangents."""
    below = 1 - BULB
    sine = BULB / (1 + below)
    tangent = _edge(np.abs(u), v - 1, 90 - acos(sine) * 180 / pi, 0)
    bulb = _radius(u, v + below) - BULB
    return _union(bulb, _intersection(tangent, BULB * sine - below - v))


@dataclass(frozen=True)
class Look:
    """A look: its signed distance, and the area it has in a unit circle (π for the circle itself)."""

    distance: Distance
    area: float


LOOKS: dict[str, Look] = {
    "circle": Look(circle, pi),
    "square": Look(square, 2.0),
    "triangle": Look(triangle, 1.299),
    "cross": Look(cross, 8 * ARM * REACH - 4 * ARM**2),
    "ellipse": Look(ellipse, pi * FLATNESS),
    "star": Look(star, 1.123),
    "pentagon": Look(pentagon, 2.378),
    "hexagon": Look(hexagon, 2.598),
    "ring": Look(ring, pi * (1 - HOLE**2)),
    "diamond": Look(diamond, 2 * FLATNESS),
    "heart": Look(heart, (2 + pi / 2) / HEART_RADIUS**2),
    "crescent": Look(crescent, 1.528),
    "semicircle": Look(semicircle, pi / 2),
    "arrow": Look(arrow, 1.379),
    "hourglass": Look(hourglass, 2 * WAIST / (1 + WAIST**2)),
    "drop": Look(drop, 1.483),
}
"""Every look by name, in the order in which classes take them."""
