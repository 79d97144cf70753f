"""Single images against what their specification says: transparent colors of every depth, every orientation."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps
from written_files import png_bytes

from mlx.datasets.files.decoding import decode, image_size


def to_eight_bits(values, depth):
    return np.rint(values * 255.0 / (2**depth - 1)) if depth <= 8 else values / 257.0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("part", [0, 0.5, 1])
def test_a_transparent_gray_is_white_in_every_depth(tmp_path, depth, part, channels):
    top = 2**depth - 1
    key = int(part * top)
    values = np.random.default_rng(0).choice([0, top // 3, top // 2, top], (12, 9))
    (tmp_path / "a.png").write_bytes(png_bytes(values, depth, 0, struct.pack(">H", key)))
    expected = np.where(values == key, 255, to_eight_bits(values, depth))
    decoded = decode(tmp_path / "a.png", (12, 9), channels)
    for channel in range(channels):
        np.testing.assert_allclose(decoded[..., channel], expected, atol=0.51)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_transparent_color_is_white_in_every_depth(tmp_path, depth, row):
    top = 2**depth - 1
    colors = np.array([[0, 0, 0], [top, 0, top // 2], [top, top // 4, top], [top // 3, top, 0]])
    values = colors[np.random.default_rng(0).integers(0, 4, (12, 9))]
    (tmp_path / "a.png").write_bytes(png_bytes(values, depth, 2, struct.pack(">HHH", *colors[row])))
    transparent = (values == colors[row]).all(axis=-1, keepdims=True)
    expected = np.where(transparent, 255, values if depth == 8 else values // 256)
    np.testing.assert_array_equal(decode(tmp_path / "a.png", (12, 9), 3), expected)
    gray = expected @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(decode(tmp_path / "a.png", (12, 9), 1)[..., 0], gray, atol=1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "PA", "1"])
def test_transparent_parts_are_white_in_every_mode(tmp_path, mode, channels):
    path = tmp_path / "a.png"
    if mode in {"LA", "RGBA", "PA"}:
        image = Image.new("LA" if mode == "LA" else "RGBA", (8, 8), (0, 0) if mode == "LA" else (0, 0, 0, 0))
        (image.quantize(2, method=Image.Quantize.FASTOCTREE) if mode == "PA" else image).save(path)
    else:
        Image.new(mode, (8, 8), 0).save(path, transparency=0)
    np.testing.assert_array_equal(decode(path, (8, 8), channels), np.full((8, 8, channels), 255))


def test_a_color_beside_the_transparent_one_stays(tmp_path):
    values = np.full((4, 4, 3), (1, 0, 0))
    (tmp_path / "a.png").write_bytes(png_bytes(values, 8, 2, struct.pack(">HHH", 0, 0, 0)))
    np.testing.assert_array_equal(decode(tmp_path / "a.png", (4, 4), 3), values)


def stripes(height, width):
    image = np.zeros((height, width, 3), np.uint8)
    image[::4] = image[1::4] = 255
    image[: height // 2, : width // 3, 1] = 90  # so that no orientation looks like another
    return image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(8, 256), (256, 8), (32, 64)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_gives_what_whole_decoding_gives(tmp_path, orientation, size, channels):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    sides = (256, 2048) if (orientation >= 5) == (size[0] < size[1]) else (2048, 256)
    # lies as a camera would store it: its fine lines are kept where the draft is no smaller than twice the size
    pixels = stripes(*sides) if sides[0] < sides[1] else np.rot90(stripes(*sides[::-1])).copy()
    Image.fromarray(pixels).save(path, exif=exif, quality=95, subsampling=0)
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB" if channels == 3 else "L")
    assert image_size(path) == upright.size[::-1]
    exact = np.asarray(ImageOps.fit(upright, size[::-1], Image.Resampling.BILINEAR)).reshape(*size, channels)
    decoded = decode(path, size, channels)
    assert np.abs(decoded.astype(int) - exact).mean() < 4
    assert abs(decoded.std() - exact.std()) < 0.1 * exact.std() + 1


def test_a_png_is_turned_upright_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    X = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    Image.fromarray(X).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(decode(tmp_path / "a.png", (40, 24), 3), np.rot90(X))
