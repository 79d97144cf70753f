"""Patterns, gradients and noise: their looks, and that a picture comes again from its factors."""

import numpy as np
import pytest

from mlx.datasets import DATASETS, Block
from mlx.datasets.images.blocks import cover, make_block, render
from mlx.datasets.images.gradients import GRADIENTS
from mlx.datasets.images.lattices import gradient_noise, nearest_seed, pixel_normal, pixel_uniform
from mlx.datasets.images.noise import NOISE
from mlx.datasets.images.patterns import PATTERNS
from mlx.datasets.images.render import noise_field, to_pixels
from mlx.datasets.images.shapes import SHAPES

KINDS = {kind.name: kind for kind in (SHAPES, PATTERNS, GRADIENTS, NOISE)}
TEXTURES = ["patterns", "gradients", "noise"]
CLEAN = {"noise": 0.0, "occlusion": 0.0}
STILL = {"jitter": 0.0, "rotation": 0.0, "inverted": 0.0, "min_contrast": 1.0, "max_contrast": 1.0} | CLEAN


def made(name: str, stop: int = 300, start: int = 0, **params: object) -> Block:
    settings = {"n_samples": 10**6, "n_classes": len(list(KINDS[name].looks))} | params
    return make_block(KINDS[name], DATASETS[name].params.model_validate(settings), start, stop)


def still(name: str, look: str, size: int = 64, **params: object) -> np.ndarray:
    """Clean, upright pictures of one look, from 0 to 1; shape (rows, size, size)."""
    block = made(name, 600, image_size=size, **STILL, **params)
    return block.X[block.y == list(KINDS[name].looks).index(look), ..., 0] / 255


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("params", [{}, {"channels": 3, "image_size": [24, 40]}], ids=["gray", "colored"])
def test_images_come_again_from_their_factors_and_the_seed_of_their_noise(name, params):
    block = made(name, label_noise=0.2, **params)
    shape = block.X.shape[1:]
    clean = render(KINDS[name], block.factors["true_label"], block.factors, shape[:2])
    assert clean.shape == block.X.shape
    assert clean.min() >= -1e-6
    assert clean.max() <= 1 + 1e-6
    again = to_pixels(clean, block.factors["noise"], noise_field(42, 0, 300, shape))
    np.testing.assert_array_equal(again, block.X)


@pytest.mark.parametrize("name", KINDS)
def test_any_block_can_be_made_without_those_before_it(name):
    block, part = made(name, 1000, noise=0.3), made(name, 830, 501, noise=0.3)
    np.testing.assert_array_equal(part.X, block.X[501:830])
    np.testing.assert_array_equal(part.y, block.y[501:830])
    for key, values in part.factors.items():
        np.testing.assert_array_equal(values, block.factors[key][501:830])


@pytest.mark.parametrize("name", KINDS)
def test_pixels_depend_neither_on_the_cores_nor_on_how_many_are_computed_at_once(name, monkeypatch):
    block = made(name, noise=0.3)
    for cores, values in [(1, 1), (3, 10_000), (2, 10**9)]:
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        monkeypatch.setattr("mlx.datasets.images.blocks._VALUES_AT_ONCE", values)
        other = made(name, noise=0.3)
        np.testing.assert_array_equal(other.X, block.X)
        np.testing.assert_array_equal(other.factors["occlusion"], block.factors["occlusion"])


@pytest.mark.parametrize("name", TEXTURES)
def test_there_are_ten_looks_or_more_and_no_two_give_the_same_picture(name):
    looks = np.arange(len(list(KINDS[name].looks)))
    factors = {key: np.repeat(values[:1], len(looks)) for key, values in made(name, 1).factors.items()}
    pictures = render(KINDS[name], looks, factors, (32, 32)).reshape(len(looks), -1)
    assert len(looks) >= 10
    for look in looks:
        first = {key: values[:1] for key, values in factors.items()}
        assert cover(KINDS[name], look, first, (32, 32)).dtype == np.float32
    assert np.abs(pictures[:, None] - pictures).mean(axis=2)[np.triu_indices(len(looks), 1)].min() > 0.01


@pytest.mark.parametrize("name", TEXTURES)
def test_factors_keep_to_the_bounds_that_the_params_set(name):
    params = {"min_contrast": 0.3, "max_contrast": 0.4, "rotation": 20.0, "jitter": 0.5, "noise": 0.2}
    factors = made(name, 2000, occlusion=0.3, **params).factors
    for key, low, high in [
        ("contrast", 0.3, 0.4),
        ("rotation", -20, 20),
        ("noise", 0, 0.2),
        ("center_x", 0.25, 0.75),
        ("occlusion", 0, 0.3),
    ]:
        assert low - 1e-6 <= factors[key].min() < factors[key].max() <= high + 1e-6, key
    assert (factors["foreground"] > factors["background"]).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", TEXTURES)
def test_occlusion_is_the_share_of_the_image_that_the_occluder_takes(name):
    block = made(name, 100, occlusion=0.8, noise=0.0, image_size=48)
    factors = {key: values.copy() for key, values in block.factors.items()}
    factors["foreground"][:] = factors["background"][:] = 0
    factors["occluder_intensity"][:] = 1
    drawn = render(KINDS[name], block.y, factors, (48, 48))
    np.testing.assert_allclose(drawn.mean(axis=(1, 2, 3)), block.factors["occlusion"], atol=1e-5)


@pytest.mark.parametrize(("look", "axis"), [("horizontal", 2), ("vertical", 1)])
def test_stripes_run_along_their_name_with_the_recorded_frequency(look, axis):
    pictures = still("patterns", look, min_frequency=4.0, max_frequency=4.0)
    assert np.ptp(pictures, axis=axis).max() < 0.02
    spectrum = np.abs(np.fft.rfft(pictures.mean(axis=axis), axis=1))
    assert (spectrum[:, 1:].argmax(axis=1) + 1 == 4).all()


@pytest.mark.parametrize(("look", "share"), [("horizontal", 0.5), ("checkerboard", 0.5), ("dots", 0.09 * np.pi)])
def test_ink_covers_its_share_of_whole_periods(look, share):
    pictures = still("patterns", look, min_frequency=4.0, max_frequency=4.0)
    np.testing.assert_allclose(pictures.mean(axis=(1, 2)), share, atol=0.01)


def test_rings_look_the_same_from_every_side_and_a_spiral_does_not():
    for look, turned in [("rings", 0.02), ("spiral", 0.3)]:
        pictures = still("patterns", look)
        difference = np.abs(pictures - np.rot90(pictures, axes=(1, 2))).mean(axis=(1, 2))
        assert difference.max() < turned if look == "rings" else difference.min() > turned


@pytest.mark.parametrize(("look", "right", "up"), [("horizontal", 1, 0), ("vertical", 0, 1), ("rising", 1, 1)])
def test_linear_gradients_rise_where_their_name_says(look, right, up):
    pictures = still("gradients", look, min_extent=2.0, max_extent=2.0)
    scale = 1 / np.hypot(right, up) / 128
    np.testing.assert_allclose(np.diff(pictures, axis=2).mean(axis=(1, 2)), right * scale, atol=2e-4)
    np.testing.assert_allclose(np.diff(pictures, axis=1).mean(axis=(1, 2)), -up * scale, atol=2e-4)


@pytest.mark.parametrize(("look", "exponent"), [("pink", -1), ("brown", -2), ("blue", 1)])
def test_the_spectrum_of_colored_noise_falls_or_rises_by_its_power(look, exponent):
    pictures = still("noise", look)
    amplitude = np.sqrt(np.square(np.abs(np.fft.rfft2(pictures - 0.5))).mean(axis=0))
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64))
    middle = (frequency > 0.04) & (frequency < 0.3)
    slope = np.polyfit(np.log(frequency[middle]), np.log(amplitude[middle]), 1)[0]
    assert slope == pytest.approx(exponent, abs=0.15)


def test_textures_have_the_statistics_of_their_names():
    assert still("noise", "white").std() == pytest.approx(12**-0.5, rel=0.01)
    assert still("noise", "gaussian").std() == pytest.approx(0.2, rel=0.02)
    assert still("noise", "blurred").std() == pytest.approx(0.2, rel=0.02)
    assert still("noise", "speckle").mean() == pytest.approx(0.25 * (1 - np.exp(-4)), rel=0.02)
    salted = still("noise", "salt_and_pepper", min_density=0.2, max_density=0.2)
    assert (salted == 0).mean() == pytest.approx(0.1, abs=0.005)
    assert (salted == 1).mean() == pytest.approx(0.1, abs=0.005)


def test_streaks_run_along_their_rotation():
    pictures = still("noise", "streaks")
    along, across = np.abs(np.diff(pictures, axis=2)).mean(), np.abs(np.diff(pictures, axis=1)).mean()
    assert across > 3 * along


def test_hashed_numbers_are_uniform_normal_and_unrelated():
    from scipy.stats import kstest

    keys = np.arange(16, dtype=np.uint32).reshape(-1, 1, 1)
    uniform, normal = pixel_uniform(keys, (128, 128)), pixel_normal(keys, (128, 128))
    assert kstest(uniform.ravel(), "uniform").pvalue > 1e-3
    assert kstest(normal.ravel(), "norm").pvalue > 1e-3
    spectrum = np.abs(np.fft.fftn(uniform - uniform.mean())) ** 2
    assert spectrum.max() / spectrum.mean() < 25  # of 262,144 exponential values the largest is about 12.5
    correlation = np.corrcoef(uniform.reshape(16, -1)) - np.eye(16)
    assert np.abs(correlation).max() < 5 / 128


def test_the_nearest_seed_is_that_of_a_search_over_all_cells():
    u, v = np.random.default_rng(0).uniform(-3, 3, (2, 1, 20, 20)).astype(np.float32)
    key = np.full((1, 1, 1), 77, np.uint32)
    distance, shade = nearest_seed(key, u, v)
    points = []
    for i in range(-5, 5):
        for j in range(-5, 5):
            middle = np.full((1, 1, 1), [i + 0.5]), np.full((1, 1, 1), [j + 0.5])
            points.append(_seed_of(key, *middle))
    x, y = np.array(points).T
    expected = np.hypot(u[..., None] - x, v[..., None] - y).min(axis=-1)
    np.testing.assert_allclose(distance, expected, atol=1e-5)
    assert len(np.unique(shade)) > 20


def _seed_of(key: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """Place the point of one cell from its distances to three places inside the cell."""
    from mlx.datasets.images.lattices import scatter

    bits = int(scatter(key, np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)).item())
    across, upward = (bits & 0xFFFF) / 2**16, (bits >> 16) / 2**16
    return float(np.floor(u).item() + 0.1 + 0.8 * across), float(np.floor(v).item() + 0.1 + 0.8 * upward)


def test_gradient_noise_is_nothing_on_the_lattice_and_smooth_across_it():
    key = np.full((1, 1, 1), 5, np.uint32)
    line = np.linspace(-2, 2, 401, dtype=np.float32)
    u, v = (grid[None] for grid in np.meshgrid(line, line))
    field = gradient_noise(key, u, v)[0]
    np.testing.assert_allclose(field[::100, ::100], 0, atol=1e-5)
    assert np.abs(field).max() < 0.75
    assert np.abs(np.diff(field, n=2, axis=0)).max() < 2e-3
