"""The PyTorch recorder records what the modules compute."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_recorder import Layer, record
from small_networks import DATA, Small, X, Y, read, recorded
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset, WeightedRandomSampler


def test_rows_are_what_the_modules_return_before_anything_overwrites_it(model: Small, tmp_path: Path) -> None:
    folder = recorded(tmp_path, model, ["conv", Layer("fc2", of="input"), "fc1"])
    with torch.no_grad():
        conv = model.conv(X)
        fc1 = model.fc1(conv.relu().mean((2, 3)))
        logits = model.fc2(fc1.relu())
    for name, expected in {"conv": conv.mean((2, 3)), "fc1": fc1, "fc2.input": fc1.relu(), "logits": logits}.items():
        np.testing.assert_allclose(read(folder, name), expected, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(read(folder, "probabilities"), logits.double().softmax(1), atol=1e-6)
    np.testing.assert_array_equal(read(folder, "y_true"), Y)
    np.testing.assert_array_equal(read(folder, "y_pred"), logits.argmax(1))
    assert model.training  # as before
    layer = [np.load(folder / f"last_layer_{name}.npy") for name in ("weights", "bias")]
    np.testing.assert_allclose(read(folder, "fc2.input") @ layer[0] + layer[1], logits, atol=1e-6)
    assert json.loads((folder / "representations.json").read_text())["last_layer"] == "fc2.input"


def test_the_manifest_names_shapes_layers_model_and_time(model: Small, tmp_path: Path) -> None:
    described = json.loads((recorded(tmp_path, model, {"first": "conv"}) / "recording.json").read_text())
    assert described["model"] == "Small"
    assert described["layers"]["first"] == {
        "module": "conv", "class": "Conv2d", "of": "output", "shape": [2, 4, 6, 6], "pool": "mean",
    }  # fmt: skip
    assert described["splits"]["test"]["files"]["first.npy"] == {"shape": [50, 4], "dtype": "float32"}
    assert described["last_layer"] is None  # the input of fc2 is not recorded
    assert described["recorded_at"].endswith("Z")
    assert described["seconds"] > 0


@pytest.mark.parametrize("workers", [0, 2])
def test_indices_are_those_of_the_dataset_however_the_loader_draws_them(
    model: Small, tmp_path: Path, workers: int
) -> None:
    order = torch.randperm(50).tolist()
    parts = {"test": Subset(DATA, order[:30]), "train": Subset(Subset(DATA, order[30:]), range(10, 20))}
    shuffled = {
        split: DataLoader(part, 7, shuffle=True, num_workers=workers, persistent_workers=bool(workers))
        for split, part in parts.items()
    }
    folder = record(model, shuffled, tmp_path / "recorded", layers=["fc1"])
    index = read(folder, "index")
    assert sorted(index) == sorted(order[:30])
    np.testing.assert_array_equal(read(folder, "y_true"), Y[index])
    assert sorted(read(folder, "index", "train")) == sorted(order[40:50])
    assert [len(batch) for batch, _ in shuffled["test"]] == [7, 7, 7, 7, 2]  # the loader is as before


def test_parts_of_different_datasets_get_different_numbers_and_the_test_part_keeps_its_own(
    model: Small, tmp_path: Path
) -> None:
    loaders = {"train": DataLoader(DATA, 16), "test": DataLoader(TensorDataset(X[:20], Y[:20]), 16)}
    folder = record(model, loaders, tmp_path / "recorded", layers=["fc1"])
    assert read(folder, "index").tolist() == list(range(20))
    assert read(folder, "index", "train").tolist() == list(range(20, 70))
    described = json.loads((folder / "recording.json").read_text())["splits"]
    assert (described["test"]["first_index"], described["train"]["first_index"]) == (0, 20)


def test_a_sample_that_is_drawn_twice_is_recorded_once(model: Small, tmp_path: Path) -> None:
    drawn = WeightedRandomSampler(torch.ones(50), 200, generator=torch.Generator().manual_seed(0))
    folder = recorded(tmp_path, model, loader=DataLoader(DATA, 16, sampler=drawn))
    index = read(folder, "index")
    assert len(np.unique(index)) == len(index) == len(read(folder, "fc1"))
    described = json.loads((folder / "recording.json").read_text())["splits"]["test"]
    assert described["repeated_samples_left_out"] == 200 - len(index)


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return zip(X, Y, strict=True)


@pytest.mark.parametrize("loader", [DataLoader(Stream(), 16), [(X[:30], Y[:30]), (X[30:], Y[30:])]])
def test_a_stream_without_indices_is_numbered_in_its_order(model: Small, tmp_path: Path, loader: Any) -> None:
    assert read(recorded(tmp_path, model, loader=loader), "index").tolist() == list(range(50))


def test_mixed_precision_is_recorded_in_single_precision_and_double_as_it_is(model: Small, tmp_path: Path) -> None:
    folder = recorded(tmp_path, model, autocast=torch.bfloat16)
    assert read(folder, "fc1").dtype == read(folder, "logits").dtype == np.float32
    assert read(folder, "probabilities").dtype == np.float64
    double = [(X.double(), Y)]
    assert read(recorded(tmp_path, model.double(), loader=double), "fc1").dtype == np.float64


def test_images_texts_and_metadata_are_recorded_beside(model: Small, tmp_path: Path) -> None:
    folder = recorded(
        tmp_path,
        model,
        images=True,
        texts=lambda batch: [f"label\n{y}" for y in batch[1].tolist()],
        metadata=lambda batch: {"brightness": batch[0].mean((1, 2, 3)), "odd": [bool(y % 2) for y in batch[1]]},
    )
    images = read(folder, "images")
    assert (images.dtype, images.shape) == (np.uint8, (50, 8, 8, 1))
    np.testing.assert_array_equal(images[..., 0], (X[:, 0] * 255).round())
    texts = [json.loads(line)["text"] for line in (folder / "test" / "texts.jsonl").read_text().splitlines()]
    assert texts == [f"label\n{y}" for y in Y.tolist()]
    rows = [json.loads(line) for line in (folder / "test" / "metadata.jsonl").read_text().splitlines()]
    assert rows[1] == {"brightness": pytest.approx(float(X[1].mean())), "odd": True}


def test_large_images_are_made_smaller(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    loader = [(torch.rand(4, 3, 200, 300), torch.zeros(4))]
    folder = recorded(tmp_path, model, ["0"], loader, images=True)
    assert read(folder, "images").shape == (4, 85, 128, 3)


def test_a_regression_records_values(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 1))
    folder = recorded(tmp_path, model, ["1"], [(X, Y / 7)], outputs="values")
    np.testing.assert_allclose(read(folder, "y_true"), Y / 7)
    np.testing.assert_allclose(read(folder, "y_pred"), model(X).detach()[:, 0], atol=1e-6)
    assert json.loads((folder / "representations.json").read_text())["task"] == "regression"
    assert not (folder / "test" / "probabilities.npy").exists()


def test_one_logit_stands_for_two_classes(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.Linear(5, 1))
    folder = recorded(tmp_path, model, ["1"], [(X, (Y == 1).float()[:, None])])
    np.testing.assert_allclose(read(folder, "probabilities")[:, 1], torch.sigmoid(model(X)).detach()[:, 0], atol=1e-6)
    weights = np.load(folder / "last_layer_weights.npy")
    np.testing.assert_allclose(
        read(folder, "1") @ weights, read(folder, "logits") - [0, model[2].bias.item()], atol=1e-6
    )
