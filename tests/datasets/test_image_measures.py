"""What is measured of images for which no factors are known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from own_data import factors_of, opened
from PIL import Image
from scipy.ndimage import laplace

from mlx.core.artifacts import read_parquet
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings, open_dataset
from mlx.datasets.files.image_measures import image_measures
from mlx.pipeline.generate_data import generate_data

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("shape", [(40, 28, 28, 1), (9, 5, 7, 3), (3, 300, 400, 1), (2, 1, 1, 3), (4, 1, 6, 1)])
@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_measures_are_those_of_numpy_and_scipy(shape: tuple[int, ...], kind: str) -> None:
    images = RNG.integers(0, 256, shape, dtype=np.uint8)
    if kind == "float32":
        images = (images * 7.5 - 300).astype(np.float32)
    found = image_measures(images)
    for k, image in enumerate(images.astype(np.float64) / (255 if kind == "uint8" else 1)):
        light = image[..., 0] if shape[3] == 1 else image @ [0.299, 0.587, 0.114]
        wanted = [light.mean(), light.std(), laplace(light, mode="reflect").var()]
        np.testing.assert_allclose([found[name][k] for name in found], wanted, rtol=1e-10, atol=1e-12 * wanted[0] ** 2)
    assert list(found) == ["brightness", "contrast", "sharpness"]


def test_luminance_is_that_of_pillow() -> None:
    images = RNG.integers(0, 256, (5, 20, 30, 3), dtype=np.uint8)
    gray = [np.asarray(Image.fromarray(image).convert("L")).mean() / 255 for image in images]
    np.testing.assert_allclose(image_measures(images)["brightness"], gray, atol=1 / 255)


def test_a_blurred_image_is_less_sharp_and_a_darker_one_less_bright() -> None:
    plain = RNG.integers(100, 256, (1, 30, 30, 1), dtype=np.uint8)
    blurred = np.asarray(Image.fromarray(plain[0, ..., 0]).resize((10, 10)).resize((30, 30)))[None, ..., None]
    found = {name: image_measures(images) for name, images in {"": plain, "b": blurred, "d": plain // 2}.items()}
    assert found["b"]["sharpness"] < found[""]["sharpness"]
    assert found["d"]["brightness"] < found[""]["brightness"]
    assert found["d"]["contrast"] < found[""]["contrast"]


def test_scaled_digits_have_the_same_measures() -> None:
    plain, unit = (
        next(open_dataset(DatasetSettings(name="digits", params={"normalize": normalize})).blocks(100)).factors
        for normalize in (False, True)
    )
    assert plain.keys() == unit.keys() == {"brightness", "contrast", "sharpness"}
    for name, values in plain.items():
        np.testing.assert_array_equal(values, unit[name])


def folder_of_images(root: Path) -> Path:
    for name, size in (("tall", (8, 24)), ("wide", (30, 10))):
        (root / name).mkdir(parents=True)
        for k in range(12):
            image = Image.fromarray(RNG.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
            image.save(root / name / f"{k:02d}.png")
    turned = Image.new("RGB", (24, 8))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(root / "tall" / "turned.png", exif=exif)
    return root


def test_files_have_an_aspect_and_a_size_besides(tmp_path: Path) -> None:
    root = folder_of_images(tmp_path / "images")
    dataset = opened(root, image_size=8)
    found = factors_of(dataset)
    assert list(found) == ["brightness", "contrast", "sharpness", "aspect", "file_size"]
    np.testing.assert_allclose(found["aspect"], [8 / 24] * 13 + [3] * 12)
    sizes = [path.stat().st_size for path in sorted(root.rglob("*.png"))]
    assert found["file_size"].tolist() == sizes
    for name, values in factors_of(dataset, rows=5).items():
        np.testing.assert_array_equal(values, found[name])


def test_a_table_of_facts_takes_the_place_of_the_measures(tmp_path: Path) -> None:
    root = folder_of_images(tmp_path / "images")
    files = [path.relative_to(root).as_posix() for path in root.rglob("*.png")]
    table = pd.DataFrame({"file": files, "light": range(len(files)), "owner": ["a", "b", "c", "d", "e"] * 5})
    table.to_csv(tmp_path / "m.csv", index=False)
    metadata = str(tmp_path / "m.csv")
    assert factors_of(opened(root, image_size=8, metadata=metadata)).keys() == {"light", "owner"}
    table.drop(columns="light").to_csv(tmp_path / "m.csv", index=False)
    left = opened(root, image_size=8, metadata=metadata, roles={"owner": "group"})
    assert "sharpness" in factors_of(left)


def test_measures_are_written_and_numbers_in_tables_are_not_measured(tmp_path: Path) -> None:
    said = generate_data(Workspace(tmp_path / "digits"), dataset=DatasetSettings(name="digits"))
    raw = tmp_path / "digits" / "data" / "raw"
    table = read_parquet(raw / "factors.parquet")
    assert "3 factors" in said
    assert json.loads((raw / "dataset.json").read_text())["factors"] == list(table)
    np.testing.assert_array_equal(table["contrast"], image_measures(np.load(raw / "X.npy"))["contrast"])
    generate_data(Workspace(tmp_path / "iris"), dataset=DatasetSettings(name="iris"))
    assert not (tmp_path / "iris" / "data" / "raw" / "factors.parquet").exists()
