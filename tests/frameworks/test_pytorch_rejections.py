"""The PyTorch recorder says what it can't record."""

from pathlib import Path
from typing import Any

import pytest
from pytorch_recorder import Layer, RecordingError, record
from small_networks import DATA, Small, Tokens, X, Y, read, recorded, sequences
from torch import nn
from torch.utils.data import DataLoader


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        (["fc3"], {}, r"names of modules: conv, act, fc1, fc2; found 'fc3'; did you mean 'fc2'\?"),
        (["act"], {}, r"called 2 times in the forward pass; choose one with Layer\('act', call=0\)"),
        ([Layer("act", call=2)], {}, "expected call below 2, the calls, found 2"),
        ([], {}, "at least one name of a module"),
        ({"logits": "fc2"}, {}, "other than logits"),
        (["fc1", "fc1"], {}, "each name once"),
        ([Layer("fc1", batch_dim=1)], {}, r"for each of the 16 samples, found 6, from an output of shape \(16, 6\)"),
        ([Layer("conv", pool="median")], {}, "mean, max, first, last, flatten or a function, found 'median'"),
        ([Layer("fc1", take=lambda x: [x])], {}, "layer 'fc1': expected a tensor, found list of 0: a tensor"),
        (["fc1"], {"outputs": "scores"}, "expected one of logits, probabilities, values, found 'scores'"),
        (["fc1"], {"outputs": "values"}, r"one value for each sample, \(m,\) or \(m, 1\), found \(16, 3\)"),
        (["fc1"], {"class_names": ["a", "b"]}, "class_names: expected 3, as the model has outputs, found 2"),
        (["fc1"], {"labels": lambda batch: batch[1] + 1}, "labels from 0 to 2, as the model has 3 outputs, found 1"),
        (["fc1"], {"labels": lambda batch: nn.functional.one_hot(batch[1], 3)}, "of one-hot rows give the argmax"),
        (["fc1"], {"labels": lambda batch: batch[1] / 2}, "found fractions; of a regression pass outputs='values'"),
        (["fc1"], {"images": lambda batch: batch[0] - 0.5}, r"batch\[0\] \* std \+ mean"),
        (["fc1"], {"texts": lambda _: ["one"]}, "texts: expected one for each of the 16 samples, found 1"),
        (["conv"], {"last_layer": "fc2"}, r"makes others; record its input, Layer\('fc2', of='input'\)"),
        (["fc1"], {"last_layer": "conv"}, "last_layer: expected a linear module with whole weights, found 'conv'"),
        (["fc1"], {"last_layer": "fc3"}, r"found 'fc3'; did you mean 'fc2'\?"),
        (["fc1"], {"output": 7}, "output of the model: expected a tensor"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_is_named_and_nothing_is_left(
    model: Small, tmp_path: Path, layers: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises((RecordingError, IndexError), match=message if "output" not in options else None):
        recorded(tmp_path, model, layers, **options)
    assert not list(tmp_path.iterdir())
    assert model.training


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("lstm", r"found tuple of 0: a tensor \(16, 16, 6\), 1: tuple of .*state which with Layer\('lstm', take=…\)"),
        ("attention.out_proj", "was not called in the forward pass"),
    ],
)
def test_outputs_of_several_tensors_are_shown(tmp_path: Path, layer: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        recorded(tmp_path, Tokens(), [layer], sequences())


def test_channels_that_may_be_anywhere_are_asked_for(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv1d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(30, 3))
    with pytest.raises(RecordingError, match=r"state Layer\('1', channel_dim=1\), or -1 if they are last"):
        recorded(tmp_path, model, ["1"], [(X[:, :, 0], Y)])
    folder = recorded(tmp_path, model, [Layer("1", channel_dim=1)], [(X[:, :, 0], Y)])
    assert read(folder, "1").shape == (50, 5)


def test_a_softmax_is_not_taken_for_logits(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Softmax(1))
    with pytest.raises(RecordingError, match="pass outputs='probabilities'"):
        recorded(tmp_path, model, ["1"], [(X, Y)])
    folder = recorded(tmp_path, model, ["1"], [(X, Y)], outputs="probabilities")
    assert not (folder / "test" / "logits.npy").exists()


def test_parts_need_a_test_part_and_known_names(model: Small, tmp_path: Path) -> None:
    for loaders, message in (
        ({"valid": DataLoader(DATA)}, "named test, val, train, found 'valid'"),
        ({"val": DataLoader(DATA), "train": DataLoader(DATA)}, "expected a part 'test'"),
        ({"test": []}, "expected samples of the part 'test'"),
    ):
        with pytest.raises(RecordingError, match=message):
            record(model, loaders, tmp_path / "recorded", layers=["fc1"])
