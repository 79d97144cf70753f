"""A network of PyTorch gives one analysis: recorded by the recorder, and exported to ONNX in the pipeline."""

import json
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from pytorch_recorder import record
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mlx.cli import main
from mlx.config import ExperimentConfig
from mlx.core.paths import Workspace
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split

pytestmark = pytest.mark.slow

LAYERS = {"conv1": "0", "conv2": "3", "penultimate": "7"}
CONFIG: dict[str, Any] = {
    "name": "digits",
    "dataset": {"name": "digits"},
    "preprocessing": {"scaling": "unit"},
    "representations": {"layers": ["penultimate", "conv1", "conv2"]},
    "model": {"name": "logistic_regression"},
    "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10),
    )  # fmt: skip


def mlx(folder: Path, *arguments: str) -> str:
    with chdir(folder), redirect_stdout(StringIO()) as said:
        main(arguments)
    return said.getvalue()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Train a network, export it, and run the pipeline on it; return the folder, and that of the run."""
    folder = tmp_path_factory.mktemp("repository")
    config, workspace = ExperimentConfig.model_validate(CONFIG), Workspace(folder / "parts")
    generate_data(workspace, dataset=config.dataset)
    preprocess_split(workspace, split=config.split, preprocessing=config.preprocessing)
    splits = workspace.splits
    model = trained(network(), *loaders(splits)["train"].dataset.tensors)
    torch.onnx.export(
        model, (torch.zeros(2, 1, 8, 8),), folder / "digits.onnx", input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}}, dynamo=False,
    )  # fmt: skip
    names = {name: tensor_after(folder / "digits.onnx", module) for name, module in LAYERS.items()}
    exported = {"name": "onnx", "architecture": "digits.onnx", "params": {"layers": names}}
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG | {"name": "exported", "model": exported}))
    assert "layers penultimate, conv1, conv2" in mlx(folder, "run-experiment", "--config", "config.yaml", "--dry-run")
    mlx(folder, "run-experiment", "--config", "config.yaml")
    record(model, loaders(splits), folder / "recorded", layers=dict(sorted(LAYERS.items(), reverse=True)), images=True)
    settings = (f"residuals.{name}={value}" for name, value in CONFIG["residuals"].items())
    given = [part for setting in settings for part in ("--set", setting)]
    mlx(folder, "analyze", "recorded", "--output", "analysis", *given)
    return folder, next(folder.glob("outputs/exported/*"))


def loaders(splits: Path) -> dict[str, DataLoader[Any]]:
    found = {}
    for split in ("test", "val", "train"):
        X, y = (np.load(splits / f"{kind}_{split}.npy") for kind in ("X", "y"))
        images = torch.from_numpy(np.moveaxis(X, -1, 1).astype(np.float32))
        found[split] = DataLoader(TensorDataset(images, torch.from_numpy(y.astype(np.int64))), 64)
    return found


def trained(model: nn.Module, X: torch.Tensor, y: torch.Tensor) -> nn.Module:
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(4):
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
            optimizer.step()
    return model.eval()


def tensor_after(path: Path, module: str) -> str:
    import onnx

    return next(node.output[0] for node in onnx.load(path).graph.node if node.name.startswith(f"/{module}/"))


@pytest.mark.filterwarnings("ignore")  # of the exporter
def test_the_exported_network_gives_the_analysis_of_the_recorded_one(run: tuple[Path, Path]) -> None:
    folder, exported = run
    for split in ("test", "val", "train"):
        for name in ("penultimate", "conv1", "conv2", "logits", "probabilities"):
            ours, theirs = (
                np.load(place / split / f"{name}.npy")
                for place in (folder / "recorded", exported / "data" / "representations")
            )
            np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=f"{split} {name}")
    for file in ("evaluation.json", "residuals.json"):
        ours, theirs = (json.loads((place / "metrics" / file).read_text()) for place in (folder / "analysis", exported))
        shared = [key for key in ours.keys() & theirs.keys() if isinstance(ours[key], float)]
        assert len(shared) > 5
        for key in shared:
            assert ours[key] == pytest.approx(theirs[key], abs=1e-5), key
    history = pd.read_csv(exported / "metrics" / "history.csv")
    assert history.empty


@pytest.mark.filterwarnings("ignore")
def test_the_page_of_a_recording_shows_its_images(run: tuple[Path, Path]) -> None:
    page = (run[0] / "analysis" / "data" / "report" / "report.html").read_text()
    assert "data:image/webp" in page
    assert (run[0] / "analysis" / "data" / "report" / "plots" / "samples.png").is_file()
