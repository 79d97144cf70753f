"""The shapes: their outlines, their factors, and how one comes from the other."""

import numpy as np
import pytest

from mlx.datasets.dataset import Block
from mlx.datasets.images import blocks as images
from mlx.datasets.images.shape_looks import LOOKS
from mlx.datasets.images.shape_params import ShapesParams
from mlx.datasets.images.shapes import SHAPES

CLEAN = {"noise": 0.0, "occlusion": 0.0}


def made(stop: int = 300, start: int = 0, **params: object) -> Block:
    return images.make_block(SHAPES, ShapesParams(n_samples=10**6, **params), start, stop)


def coverage(looks: np.ndarray, factors: dict[str, np.ndarray], size: tuple[int, int]) -> np.ndarray:
    parts = [{name: values[[row]] for name, values in factors.items()} for row in range(len(looks))]
    drawn = [images.cover(SHAPES, look, part, size) for look, part in zip(looks, parts, strict=True)]
    return np.concatenate(drawn)


def render(looks: np.ndarray, factors: dict[str, np.ndarray], size: tuple[int, int]) -> np.ndarray:
    return images.render(SHAPES, looks, factors, size)


def one_of_each(size: float = 0.8, rotation: float = 0.0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    looks = np.arange(len(LOOKS))
    factors = {"center_x": 0.5, "center_y": 0.5, "size": size, "rotation": rotation}
    return looks, {name: np.full(len(looks), value, np.float32) for name, value in factors.items()}


def grid(n: int = 801) -> tuple[np.ndarray, np.ndarray, float]:
    line = np.linspace(-1.25, 1.25, n, dtype=np.float32)
    u, v = np.meshgrid(line, line)
    return u, v, float(line[1] - line[0])


def test_there_are_at_least_twelve_looks():
    assert len(LOOKS) >= 12


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_fills_the_circle_around_it_and_has_its_area(name):
    u, v, step = grid()
    inside = LOOKS[name].distance(u, v) < 0
    assert np.hypot(u, v)[inside].max() == pytest.approx(1, abs=2 * step)
    assert inside.sum() * step**2 == pytest.approx(LOOKS[name].area, rel=0.01)


@pytest.mark.parametrize("name", LOOKS)
def test_distances_grow_by_one_a_unit_at_the_outline(name):
    u, v, step = grid()
    distance = LOOKS[name].distance(u, v)
    slopes = np.hypot(*np.gradient(distance, step))[np.abs(distance) < 0.03]
    assert np.median(slopes) == pytest.approx(1, abs=0.01)
    assert np.percentile(slopes, 95) < 1.05


def test_antialiased_areas_are_those_of_the_looks():
    looks, factors = one_of_each()
    areas = coverage(looks, factors, (64, 64)).sum(axis=(1, 2))
    expected = [look.area * (0.8 * 32) ** 2 for look in LOOKS.values()]
    np.testing.assert_allclose(areas, expected, rtol=0.02)


@pytest.mark.parametrize("angle", [0, 30, 45, 90])
def test_no_rotation_turns_one_look_into_another(angle):
    looks, factors = one_of_each()
    upright = coverage(looks, factors, (64, 64))
    turned = coverage(*one_of_each(rotation=angle), (64, 64))
    for first in looks:
        for second in looks[looks != first]:
            common = np.minimum(upright[first], turned[second]).sum()
            assert common / np.maximum(upright[first], turned[second]).sum() < 0.95


def test_rotation_is_counterclockwise_and_centers_are_from_the_top_left():
    names = list(LOOKS)
    factors = {"center_x": 0.25, "center_y": 0.75, "size": 0.4, "rotation": 90.0}
    look = np.array([names.index("drop")])
    drawn = coverage(look, {k: np.array([v], np.float32) for k, v in factors.items()}, (40, 40))[0]
    rows, columns = np.nonzero(drawn > 0.5)
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(30, abs=1)  # low in the image
    assert columns.max() < 20  # on its left
    assert drawn[:, 2:10].sum() < drawn[:, 10:18].sum()  # the point, upward before, shows to the left


def test_factors_keep_to_the_bounds_that_the_params_set():
    params = ShapesParams(min_size=0.5, max_size=0.6, min_contrast=0.3, max_contrast=0.4, rotation=20.0)
    factors = images.make_block(SHAPES, params, 0, 2000).factors
    for name, low, high in [
        ("size", 0.5, 0.6),
        ("contrast", 0.3, 0.4),
        ("rotation", -20, 20),
        ("noise", 0, params.noise),
        ("foreground", 0, 1),
        ("background", 0, 1),
        ("occlusion", 0, params.occlusion + 0.02),
    ]:
        assert low - 1e-6 <= factors[name].min() < factors[name].max() <= high + 1e-6, name
    np.testing.assert_allclose(np.abs(factors["foreground"] - factors["background"]), factors["contrast"], atol=1e-6)


def test_shapes_lie_inside_the_image_at_full_jitter():
    block = made(1000, n_classes=16, jitter=1.0, max_size=1.0, min_contrast=0.5, image_size=[32, 48], **CLEAN)
    border = np.ones((32, 48), bool)
    border[1:-1, 1:-1] = False
    expected = np.rint(255 * block.factors["background"]).astype(int)
    corners = block.X[:, [0, 0, -1, -1], [0, -1, 0, -1], 0].astype(int)
    assert np.abs(corners - expected[:, None]).max() <= 1
    distance_x = np.minimum(block.factors["center_x"], 1 - block.factors["center_x"]) * 48
    distance_y = np.minimum(block.factors["center_y"], 1 - block.factors["center_y"]) * 32
    radius = block.factors["size"] * 16
    assert (np.minimum(distance_x, distance_y) - radius).min() > -1e-3


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (1.0, 1.0)])
def test_inverted_is_the_share_of_dark_shapes(share, expected):
    factors = made(inverted=share).factors
    assert (factors["foreground"] < factors["background"]).mean() == expected


def test_noise_has_the_recorded_deviation_and_none_is_none():
    block = made(100, noise=0.1, min_contrast=0.01, max_contrast=0.01, occlusion=0.0, image_size=64)
    added = block.X / 255 - render(block.y, block.factors, (64, 64))
    gray = np.abs(block.factors["background"] - 0.5) < 0.1  # far from where noise is clipped
    assert gray.sum() > 10
    np.testing.assert_allclose(added[gray].std(axis=(1, 2, 3)), block.factors["noise"][gray], rtol=0.05, atol=2e-3)
    np.testing.assert_allclose(added[gray].mean(axis=(1, 2, 3)), 0, atol=0.008)
    quiet = made(100, **CLEAN)
    np.testing.assert_array_equal(quiet.X, np.floor(255 * render(quiet.y, quiet.factors, (32, 32)) + 0.5))


def test_occlusion_is_the_share_of_the_shape_that_really_is_hidden():
    block = made(200, occlusion=0.8, noise=0.0, image_size=64)
    bare = {name: values.copy() for name, values in block.factors.items()}
    bare["occluder_width"][:] = 0
    white = {"foreground": 1.0, "background": 0.0, "occluder_intensity": 0.0}
    for table in (block.factors, bare):
        table |= {name: np.full(200, value, np.float32) for name, value in white.items()}
    visible = render(block.y, block.factors, (64, 64)).sum(axis=(1, 2, 3))
    total = render(block.y, bare, (64, 64)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(block.factors["occlusion"], 1 - visible / total, atol=1e-4)
    assert block.factors["occlusion"].max() > 0.6


def test_color_keeps_the_recorded_intensity_as_its_mean():
    block = made(100, channels=3, jitter=0.0, max_size=0.7, **CLEAN)
    corner = block.X[:, 0, 0, :].astype(float)
    np.testing.assert_allclose(corner.mean(axis=1), 255 * block.factors["background"], atol=0.5)
    assert np.ptp(corner, axis=1).max() > 100
    plain = made(100, jitter=0.0, max_size=0.7, **CLEAN)
    np.testing.assert_array_equal(plain.factors["center_x"], block.factors["center_x"])
