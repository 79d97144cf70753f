"""Small networks of PyTorch, samples for them, and a recording of these."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_recorder import record
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X = torch.rand(50, 1, 8, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(50) % 3
DATA = TensorDataset(X, Y)


class Small(nn.Module):
    """A network whose activation, used twice, overwrites its input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.fc1, self.fc2 = (
            nn.Conv2d(1, 4, 3),
            nn.ReLU(inplace=True),
            nn.Linear(4, 6),
            nn.Linear(6, 3),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.act(self.fc1(self.act(self.conv(x)).mean((2, 3)))))


class Tokens(nn.Module):
    """A classifier of sequences (m, t) with modules of every kind."""

    def __init__(self, *, batch_first: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.lstm = nn.LSTM(8, 6, batch_first=batch_first)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=batch_first)
        self.out = nn.Linear(6, 3)
        self.batch_first = batch_first

    def forward(self, ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        x = self.embedding(ids)
        x = x if self.batch_first else x.transpose(0, 1)
        x, _ = self.lstm(x)
        x, _ = self.attention(x, x, x)
        x = x if self.batch_first else x.transpose(0, 1)
        return {"logits": self.out(x[:, 0]), "last": x}


IDS = torch.randint(1, 20, (16, 16), generator=torch.Generator().manual_seed(1))  # as many tokens as samples
MASK = (torch.arange(16) < torch.arange(1, 17)[:, None]).long()


def sequences() -> list[dict[str, torch.Tensor]]:
    return [{"ids": IDS, "attention_mask": MASK, "labels": torch.arange(16) % 3}]


def read(folder: Path, name: str, split: str = "test") -> Any:
    return np.load(folder / split / f"{name}.npy")


def recorded(folder: Path, model: nn.Module, layers: Any = ("fc1",), loader: Any = None, **options: Any) -> Path:
    loader = DataLoader(DATA, 16) if loader is None else loader
    return record(model, {"test": loader}, folder / "recorded", layers=layers, **options)
