"""The PyTorch recorder makes a row a sample of whatever a module returns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_recorder import Layer
from small_networks import IDS, MASK, Tokens, read, recorded, sequences
from torch import nn


@pytest.mark.parametrize("batch_first", [False, True])
def test_modules_that_count_samples_second_are_known(tmp_path: Path, batch_first: bool) -> None:
    model = Tokens(batch_first=batch_first).eval()
    folder = recorded(tmp_path, model, [Layer("lstm", take=0, pool="last"), Layer("attention", take=0)], sequences())
    with torch.no_grad():
        x = model.embedding(IDS)
        states = model.lstm(x if batch_first else x.transpose(0, 1))[0]
        states = states if batch_first else states.transpose(0, 1)
    np.testing.assert_allclose(read(folder, "lstm"), states[torch.arange(16), MASK.sum(1) - 1], atol=1e-6)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ("mean", lambda x: torch.stack([row[:k].mean(0) for k, row in enumerate(x, 1)])),
        ("max", lambda x: torch.stack([row[:k].amax(0) for k, row in enumerate(x, 1)])),
        ("first", lambda x: x[:, 0]),
        ("last", lambda x: torch.stack([row[k - 1] for k, row in enumerate(x, 1)])),
        ("flatten", lambda x: x.flatten(1)),
        (lambda x: x[:, 3], lambda x: x[:, 3]),
    ],
)
def test_tokens_are_pooled_without_padding(tmp_path: Path, pool: Any, expected: Any) -> None:
    model = Tokens()
    folder = recorded(tmp_path, model, [Layer("embedding", pool=pool)], sequences())
    np.testing.assert_allclose(read(folder, "embedding"), expected(model.embedding(IDS).detach()), atol=1e-6)


@pytest.mark.parametrize(
    ("module", "shape", "channel_dim", "axes"),
    [
        (nn.Conv1d(3, 5, 2), (6, 3, 9), None, 2),
        (nn.Conv3d(3, 5, 2), (6, 3, 4, 4, 4), None, (2, 3, 4)),
        (nn.Linear(7, 5), (6, 4, 4, 7), -1, (1, 2)),
    ],
)
def test_feature_maps_are_averaged_over_their_positions(
    tmp_path: Path, module: nn.Module, shape: tuple[int, ...], channel_dim: int | None, axes: Any
) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.out = module, nn.LazyLinear(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(self.features(x).flatten(1))

    x = torch.rand(shape)
    model = Net()
    model(x)
    folder = recorded(tmp_path, model, [Layer("features", channel_dim=channel_dim)], [(x, torch.zeros(6))])
    np.testing.assert_allclose(read(folder, "features"), module(x).detach().mean(axes), atol=1e-6)
