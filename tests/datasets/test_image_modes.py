"""Images of any mode and size as arrays of 8 bits."""

import numpy as np
import pytest
from PIL import Image
from saved_images import everything, opened
from written_files import write_images

from mlx.core.errors import DataError
from mlx.datasets.files.decoding import decode, image_size, in_parallel

RED = np.array([200, 40, 90], np.uint8)
GRAY = 100


def saved(path, image, **options):
    image.save(path, **options)
    return path


def filled(color, mode, size=(40, 30)):
    return Image.new(mode, size, color)


@pytest.mark.parametrize(
    ("image", "end", "expected"),
    [
        (filled((200, 40, 90), "RGB"), "png", RED),
        (filled((200, 40, 90), "RGB"), "jpg", RED),
        (filled(GRAY, "L"), "png", [GRAY] * 3),
        (filled(GRAY, "L"), "jpg", [GRAY] * 3),
        (filled(1, "1"), "png", [255] * 3),
        (filled((200, 40, 90), "RGB").quantize(4), "png", RED),
        (filled((200, 40, 90, 255), "RGBA"), "png", RED),
        (filled((200, 40, 90, 0), "RGBA"), "png", [255] * 3),
        (filled((0, 0, 0, 128), "RGBA"), "png", [127] * 3),
        (filled((GRAY, 255), "LA"), "png", [GRAY] * 3),
        (filled((0, 155, 110, 55), "CMYK"), "jpg", [200, 78, 111]),
        (Image.fromarray(np.full((30, 40), GRAY * 257, np.uint16)), "png", [GRAY] * 3),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)  # fmt: skip
def test_every_mode_becomes_eight_bit_colors(tmp_path, image, end, expected):
    path = saved(tmp_path / f"a.{end}", image)
    decoded = decode(path, (16, 16), 3)
    assert (decoded.shape, decoded.dtype) == ((16, 16, 3), np.uint8)
    np.testing.assert_allclose(decoded.reshape(-1, 3).astype(int), np.tile(expected, (256, 1)), atol=4)
    assert decode(path, (16, 16), 1).shape == (16, 16, 1)


def test_a_transparent_palette_becomes_white(tmp_path):
    image = filled(0, "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    path = saved(tmp_path / "a.png", image, transparency=0)
    np.testing.assert_array_equal(decode(path, (8, 8), 3), np.full((8, 8, 3), 255))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    decoded = decode(saved(tmp_path / "a.png", Image.fromarray(ramp)), (64, 64), 1)
    np.testing.assert_array_equal(decoded[0, :, 0], np.rint(ramp[0] / 257).astype(np.uint8))


def test_an_image_of_the_size_asked_for_is_not_touched(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(X))
    np.testing.assert_array_equal(decode(path, (24, 40), 3), X)
    assert image_size(path) == (24, 40)


@pytest.mark.parametrize("size", [(40, 120), (120, 40)])
def test_the_center_is_kept_at_its_shape(tmp_path, size):
    X = np.zeros((*size, 3), np.uint8)
    height, width = size
    X[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20] = 255
    decoded = decode(saved(tmp_path / "a.png", Image.fromarray(X)), (20, 20), 3)
    assert decoded.min() > 200


def test_photographs_are_turned_upright(tmp_path):
    X = np.zeros((20, 40, 3), np.uint8)
    X[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise: left becomes top
    path = saved(tmp_path / "a.jpg", Image.fromarray(X), exif=exif, quality=95)
    assert image_size(path) == (40, 20)
    decoded = decode(path, (40, 20), 1)
    assert decoded[:15].min() > 200
    assert decoded[25:].max() < 50


def test_large_photographs_are_close_to_what_full_decoding_gives(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    large = Image.fromarray(coarse).resize((1600, 1200), Image.Resampling.BICUBIC)
    decoded = decode(saved(tmp_path / "a.jpg", large, quality=90), (96, 128), 3)
    exact = np.asarray(large.resize((128, 96), Image.Resampling.BILINEAR))
    assert np.abs(decoded.astype(int) - exact).mean() < 2


@pytest.mark.slow
def test_an_image_of_absurd_size_is_unreadable(tmp_path):
    write_images(tmp_path, n=2)
    Image.new("1", (20000, 20000)).save(tmp_path / "ant" / "000.png")
    with pytest.raises(DataError, match=r"found 1 of 6 .*more pixels than any photograph has"):
        everything(opened(tmp_path))


def test_work_in_parallel_comes_in_order_and_not_far_ahead():
    started = []

    def work(item):
        started.append(item)
        return item * item

    results = in_parallel(work, range(1000), ahead=10)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(started) <= 20
    results.close()
    assert len(started) <= 20
    assert list(in_parallel(work, range(100))) == [k * k for k in range(100)]
