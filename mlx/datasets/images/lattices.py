"""Random numbers that belong to points of a lattice, so that a texture can be drawn again from one key."""

from math import pi

import numpy as np

from mlx.core.array_types import Array

_COLUMN, _ROW, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)
_DIRECTIONS = 2 * np.pi * (np.arange(64) + 0.5) / 64
_COS, _SIN = np.cos(_DIRECTIONS).astype(np.float32), np.sin(_DIRECTIONS).astype(np.float32)


def scatter(key: Array, column: Array, row: Array) -> Array:
    """Return 32 random bits for each point of the plane's integer lattice, uint32, shapes broadcast.

    The mixing is C. Wellons's "lowbias32", https://nullprogram.com/blog/2018/07/31/.
    """
    bits = column.astype(np.uint32) * _COLUMN + row.astype(np.uint32) * _ROW + key
    bits ^= bits >> np.uint32(16)
    bits *= np.uint32(0x7FEB352D)
    bits ^= bits >> np.uint32(15)
    bits *= np.uint32(0x846CA68B)
    bits ^= bits >> np.uint32(16)
    return bits


def uniform(bits: Array) -> Array:
    """Turn random bits into numbers in [0, 1), float32."""
    numbers: Array = (bits >> np.uint32(8)).astype(np.float32)
    numbers *= np.float32(2**-24)
    return numbers


def pixel_uniform(key: Array, shape: tuple[int, int]) -> Array:
    """Return a number in [0, 1) for each pixel, float32 (rows, height, width), for keys (rows, 1, 1)."""
    rows, columns = np.arange(shape[0], dtype=np.uint32), np.arange(shape[1], dtype=np.uint32)
    return uniform(scatter(key, columns, rows[:, None]))


def pixel_normal(key: Array, shape: tuple[int, int]) -> Array:
    """Return a standard normal number for each pixel (Box and Muller 1958), as `pixel_uniform` otherwise."""
    radius: Array = np.sqrt(-2 * np.log1p(-pixel_uniform(key, shape)))
    radius *= np.cos(np.float32(2 * pi) * pixel_uniform(key ^ _SECOND, shape))
    return radius


def gradient_noise(key: Array, u: Array, v: Array) -> Array:
    """Return Perlin's noise: 0 at the lattice, with a random slope there, smooth between; about −0.7 to 0.7.

    K. Perlin, "Improving noise", SIGGRAPH 2002; slopes in 64 directions.
    """
    column, row = np.floor(u), np.floor(v)
    x, y = u - column, v - row
    i, j = column.astype(np.int32), row.astype(np.int32)
    lower = _blend(_slope(key, i, j, x, y), _slope(key, i + 1, j, x - 1, y), x)
    upper = _blend(_slope(key, i, j + 1, x, y - 1), _slope(key, i + 1, j + 1, x - 1, y - 1), x)
    return _blend(lower, upper, y)


def _slope(key: Array, column: Array, row: Array, x: Array, y: Array) -> Array:
    direction = scatter(key, column, row) >> np.uint32(26)
    value: Array = _COS[direction] * x + _SIN[direction] * y
    return value


def _blend(first: Array, second: Array, t: Array) -> Array:
    weight = t * t * t * (t * (t * 6 - 15) + 10)
    blended: Array = first + weight * (second - first)
    return blended


def nearest_seed(key: Array, u: Array, v: Array) -> tuple[Array, Array]:
    """Find the nearest of random points, one in each cell of the lattice.

    S. Worley, "A cellular texture basis function", SIGGRAPH 1996. A point keeps off the border
    of its cell, so that searching the cells around misses the nearest only in arrangements that never come.

    Returns
    -------
    distance
        To that point, in the lattice's unit, float32 of the shape of `u`.
    shade
        A number in [0, 1) that belongs to that point.
    """
    column, row = np.floor(u), np.floor(v)
    x, y = u - column, v - row
    i, j = column.astype(np.int32), row.astype(np.int32)
    nearest, owner = np.full(u.shape, np.inf, np.float32), np.zeros(u.shape, np.uint32)
    for right in (-1, 0, 1):
        for up in (-1, 0, 1):
            bits = scatter(key, i + right, j + up)
            a = _inside(bits & np.uint32(0xFFFF)) + np.float32(right) - x
            b = _inside(bits >> np.uint32(16)) + np.float32(up) - y
            distance = a * a + b * b
            closer = distance < nearest
            np.copyto(nearest, distance, where=closer)
            np.copyto(owner, bits, where=closer)
    return np.sqrt(nearest, out=nearest), uniform(scatter(key ^ _SECOND, owner, np.zeros(1, np.uint32)))


def _inside(bits: Array) -> Array:
    """Turn 16 random bits into a place in a cell, 0.1 to 0.9."""
    place: Array = bits.astype(np.float32)
    place *= np.float32(0.8 / 2**16)
    place += np.float32(0.1)
    return place
