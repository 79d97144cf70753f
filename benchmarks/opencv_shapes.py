"""What a user would write without mlx: pictures of shapes in a loop, with OpenCV or with plain NumPy.

Both loops do what the dataset ``shapes`` does, one picture at a time: they draw a scene's factors from the
same distributions, a picture with the same looks, antialiased edges, occluder and normal noise, and record
the factors, with the fraction of the shape that is really hidden.
"""

from math import cos, exp, pi, radians, sin, sqrt

import numpy as np

from mlx.datasets.images.shape_looks import ARM, BITE_AT, BITE_RADIUS, BULB, FLATNESS, HOLE, LOOKS, REACH, WAIST

NAMES = list(LOOKS)
DISTANCES = [look.distance for look in LOOKS.values()]
SHIFT = 4  # OpenCV takes coordinates with so many fractional bits
AREAS = [look.area for look in LOOKS.values()]


def regular(corners, radius=1.0, first=90.0):
    """Return the corners of a regular polygon."""
    turns = np.deg2rad(first + 360 * np.arange(corners) / corners)
    return radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)


def arc(radius, start, stop, center=(0.0, 0.0), points=24):
    """Return points on an arc, in degrees."""
    turns = np.deg2rad(np.linspace(start, stop, points))
    return np.stack([np.cos(turns), np.sin(turns)], axis=1) * radius + center


def star():
    """Return the outline of a pentagram."""
    outer, inner = regular(5), regular(5, sin(radians(18)) / sin(radians(54)), 126.0)
    return np.stack([outer, inner], axis=1).reshape(-1, 2)


def heart():
    """Return the outline of a heart."""
    lobes = np.vstack([arc(sqrt(0.5), -45, 135, (0.5, 0.5)), arc(sqrt(0.5), 45, 225, (-0.5, 0.5)), [[0, -1]]])
    return (lobes - [0, 0.2612]) / 1.2612


def crescent():
    """Return the outline of a crescent."""
    edge = np.degrees(np.arccos((1 + BITE_AT**2 - BITE_RADIUS**2) / (2 * BITE_AT)))
    bite = np.degrees(np.arctan2(sin(radians(edge)), cos(radians(edge)) - BITE_AT))
    inside = arc(BITE_RADIUS, 360 - bite, bite, (BITE_AT, 0.0))
    return np.vstack([arc(1.0, edge, 360 - edge, points=40), inside])


def cross():
    """Return the outline of a cross."""
    quarter = np.array([[ARM, ARM], [ARM, REACH], [-ARM, REACH]])
    turns = [np.array([[0, -1], [1, 0]])]
    corners = [quarter]
    for _ in range(3):
        corners.append(corners[-1] @ turns[0].T)
    return np.vstack(corners)


def drop():
    """Return the outline of a drop."""
    tangent = np.degrees(np.arcsin(BULB / (2 - BULB)))
    return np.vstack([[[0, 1]], arc(BULB, 180 - tangent, 360 + tangent, (0.0, BULB - 1))])


WAIST_HEIGHT = 1 / sqrt(1 + WAIST**2)
OUTLINES = {
    "square": regular(4, 1.0, 45.0),
    "triangle": regular(3),
    "cross": cross(),
    "star": star(),
    "pentagon": regular(5),
    "hexagon": regular(6),
    "diamond": np.array([[FLATNESS, 0], [0, 1], [-FLATNESS, 0], [0, -1]]),
    "heart": heart(),
    "crescent": crescent(),
    "semicircle": arc(1.0, 0, 180),
    "arrow": np.array([[0, 1], [0.9, 0.1], [0.27, 0.1], [0.27, -0.96], [-0.27, -0.96], [-0.27, 0.1], [-0.9, 0.1]]),
    "hourglass": WAIST_HEIGHT * np.array([[-WAIST, 1], [WAIST, 1], [-WAIST, -1], [WAIST, -1]]),
    "drop": drop(),
}
OUTLINES = {NAMES.index(name): points * [1, -1] for name, points in OUTLINES.items()}  # downward, as pixels are
CIRCLE, ELLIPSE, RING = (NAMES.index(name) for name in ("circle", "ellipse", "ring"))


def scene(rng, look, params):
    """Draw the factors of one picture, with one call of the generator; as `mlx.datasets.images.scenes` does."""
    a, b, c, d, e, f, g, h, i, j, k, m = rng.random(12).tolist()
    size = params.min_size + a * (params.max_size - params.min_size)
    contrast = params.min_contrast + b * (params.max_contrast - params.min_contrast)
    dark = c * (1 - contrast)
    x, y = (0.5 + params.jitter * (1 - size) * (z - 0.5) for z in (d, e))
    area = params.occlusion * f * AREAS[look] * (size / 2) ** 2
    elongation, away, direction = exp(1.4 * g - 0.7), sqrt(h) * size * 0.35, 2 * pi * i
    return {
        "foreground": dark + contrast,
        "background": dark,
        "noise": params.noise * j,
        "rotation": params.rotation * (2 * k - 1),
        "size": size,
        "center_x": x,
        "center_y": y,
        "occluder_x": x + away * cos(direction),
        "occluder_y": y + away * sin(direction),
        "occluder_width": sqrt(area * elongation),
        "occluder_height": sqrt(area / elongation),
        "occluder_intensity": m,
    }


def loop(draw, params, looks, out, seed=0):
    """Draw a gray, square picture a row into `out`, uint8 (rows, side, side, 1); return the factors."""
    rng, records = np.random.default_rng(seed), []
    for image, look in zip(out, looks.tolist(), strict=True):
        factors = scene(rng, look, params)
        factors["occlusion"] = draw(image[..., 0], rng, look, **factors)
        records.append(factors)
    return records


def with_opencv(image, rng, look, **factors):  # noqa: ARG001 - both loops call alike
    """Draw one picture with OpenCV; return the hidden fraction of the shape."""
    import cv2

    side, one = len(image), 1 << SHIFT
    canvas = np.full((side, side), round(255 * factors["background"]), np.uint8)
    alone = np.zeros((side, side), np.uint8)
    opencv_shape(cv2, canvas, look, round(255 * factors["foreground"]), **factors)
    opencv_shape(cv2, alone, look, 255, **factors)
    x, y = factors["occluder_x"] * side, factors["occluder_y"] * side
    across, down = factors["occluder_width"] * side / 2, factors["occluder_height"] * side / 2
    corners = (
        (round((x - across - 0.5) * one), round((y - down - 0.5) * one)),
        (round((x + across - 0.5) * one), round((y + down - 0.5) * one)),
    )
    before = cv2.sumElems(alone)[0]
    for target, ink in ((alone, 0), (canvas, round(255 * factors["occluder_intensity"]))):
        cv2.rectangle(target, *corners, ink, -1, cv2.LINE_AA, SHIFT)
    noise = np.empty((side, side), np.float32)
    cv2.randn(noise, 0, 255 * factors["noise"])
    cv2.add(canvas, noise, dst=image, dtype=cv2.CV_8U)
    return 1 - cv2.sumElems(alone)[0] / max(before, 1)


def opencv_shape(cv2, canvas, look, ink, *, size, center_x, center_y, rotation, **_):
    """Fill one shape on a canvas."""
    side, one = len(canvas), 1 << SHIFT
    center = (round((center_x * side - 0.5) * one), round((center_y * side - 0.5) * one))
    radius = size * side / 2 * one
    if look == CIRCLE:
        cv2.circle(canvas, center, round(radius), ink, -1, cv2.LINE_AA, SHIFT)
    elif look == RING:
        middle, thick = radius * (1 + HOLE) / 2, max(1, round(radius * (1 - HOLE) / one))
        cv2.circle(canvas, center, round(middle), ink, thick, cv2.LINE_AA, SHIFT)
    elif look == ELLIPSE:
        axes = (round(radius), round(radius * FLATNESS))
        cv2.ellipse(canvas, center, axes, -rotation, 0, 360, ink, -1, cv2.LINE_AA, SHIFT)
    else:
        c, s = radius * cos(rotation * pi / 180), radius * sin(rotation * pi / 180)
        points = OUTLINES[look] @ np.array([[c, -s], [s, c]]) + center
        cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], ink, cv2.LINE_AA, SHIFT)


def with_numpy(image, rng, look, **factors):
    """Draw one picture with NumPy, in float64; return the hidden fraction of the shape."""
    side, radius = len(image), factors["size"] * len(image) / 2
    rows, columns = np.mgrid[:side, :side] + 0.5
    angle = factors["rotation"] * pi / 180
    c, s = cos(angle) / radius, sin(angle) / radius
    right, up = columns - factors["center_x"] * side, factors["center_y"] * side - rows
    distance = DISTANCES[look](c * right + s * up, c * up - s * right)
    covered = np.clip(0.5 - radius * distance, 0, 1)
    picture = factors["background"] + (factors["foreground"] - factors["background"]) * covered
    width, height = factors["occluder_width"] * side, factors["occluder_height"] * side
    across = np.clip(0.5 + width / 2 - np.abs(columns - factors["occluder_x"] * side), 0, 1)
    down = np.clip(0.5 + height / 2 - np.abs(rows - factors["occluder_y"] * side), 0, 1)
    mask = across * down
    picture += mask * (factors["occluder_intensity"] - picture)
    picture += rng.normal(0, factors["noise"], picture.shape)
    image[:] = np.clip(255 * picture + 0.5, 0, 255)
    return (covered * mask).sum() / max(covered.sum(), 1e-6)
