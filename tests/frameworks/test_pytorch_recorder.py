"""The PyTorch recorder records what the modules compute, and says what it can't record."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_recorder import Layer, Recorder, RecordingError, merge, record
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset, WeightedRandomSampler

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


@pytest.fixture
def model() -> Small:
    torch.manual_seed(0)
    return Small()


def read(folder: Path, name: str, split: str = "test") -> Any:
    return np.load(folder / split / f"{name}.npy")


def recorded(folder: Path, model: nn.Module, layers: Any = ("fc1",), loader: Any = None, **options: Any) -> Path:
    loader = DataLoader(DATA, 16) if loader is None else loader
    return record(model, {"test": loader}, folder / "recorded", layers=layers, **options)


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


# --- Pooling ---------------------------------------------------------------------------------------------------------


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


# --- What can't be recorded ------------------------------------------------------------------------------------------


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


# --- Whole or not at all ---------------------------------------------------------------------------------------------


def test_a_folder_of_other_files_is_left_alone_and_an_earlier_recording_replaced(model: Small, tmp_path: Path) -> None:
    recorded(tmp_path, model)
    recorded(tmp_path, model, ["conv"])
    assert not (tmp_path / "recorded" / "test" / "fc1.npy").exists()
    (tmp_path / "recorded" / "recording.json").unlink()
    with pytest.raises(RecordingError, match="expected a new folder, or one of an earlier recording"):
        recorded(tmp_path, model)


@pytest.mark.slow
def test_a_killed_recording_leaves_no_folder_that_can_be_taken_for_one(
    model: Small, recorder_file: Path, tmp_path: Path
) -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(recorder_file.parent)!r})\n"
        "import torch; from pytorch_recorder import Recorder\n"
        "model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 2))\n"
        "with Recorder(model, 'recorded', layers=['0']) as recorder:\n"
        "    recorder.add('test', model(torch.rand(9, 4)), torch.arange(9) % 2)\n"
        "    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 9
    assert [path.name for path in tmp_path.iterdir()] == ["recorded.partial"]
    assert not list(tmp_path.glob("**/test"))  # which `mlx analyze` looks for
    recorded(tmp_path, model)  # goes over what is left
    assert [path.name for path in tmp_path.iterdir()] == ["recorded"]


def test_shards_of_ranks_are_merged_in_the_order_of_the_dataset(model: Small, tmp_path: Path) -> None:
    model.eval()
    for rank in (1, 0):
        folder = tmp_path / "sharded"
        rows = torch.cat([torch.arange(rank, 50, 2), torch.tensor([0])])  # padded, as a distributed sampler does
        layers = [Layer("fc2", of="input"), "fc1"]
        with Recorder(model, folder, layers=layers, rank=rank, world_size=2) as recorder, torch.no_grad():
            for some in rows.split(7):
                recorder.add("test", model(X[some]), Y[some], index=some, texts=[f"{k}\u2028" for k in some.tolist()])
    merge(tmp_path / "sharded")
    whole = recorded(tmp_path, model, texts=lambda batch: [""] * len(batch[1]))
    for name in ("fc1", "logits", "y_true", "index"):
        np.testing.assert_allclose(read(tmp_path / "sharded", name), read(whole, name), atol=1e-6)
    lines = (tmp_path / "sharded" / "test" / "texts.jsonl").read_text().split("\n")[:-1]
    assert [json.loads(line)["text"] for line in lines] == [f"{k}\u2028" for k in range(50)]
    last = json.loads((tmp_path / "sharded" / "recording.json").read_text())["last_layer"]
    assert (last, (tmp_path / "sharded" / "last_layer_bias.npy").is_file()) == (
        {"module": "fc2", "layer": "fc2.input"},
        True,
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recorded", "sharded"]


def test_a_missing_shard_is_named(model: Small, tmp_path: Path) -> None:
    with Recorder(model, tmp_path / "sharded", layers=["fc1"], rank=0, world_size=2) as recorder, torch.no_grad():
        recorder.add("test", model(X), Y)
    with pytest.raises(RecordingError, match="shard-1-of-2: expected the shard of this rank"):
        merge(tmp_path / "sharded")


RANK = """
import sys; sys.path.insert(0, sys.argv[1])
import torch; from pytorch_recorder import record
from torch import nn; from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
torch.distributed.init_process_group("gloo")
torch.manual_seed(0)
model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)))
data = TensorDataset(torch.arange(204.).reshape(51, 4) / 204, torch.arange(51) % 3)
record(model, {"test": DataLoader(data, 8, sampler=DistributedSampler(data))}, sys.argv[2], layers=["0"])
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_of_torchrun_record_what_one_does(recorder_file: Path, tmp_path: Path) -> None:
    (tmp_path / "rank.py").write_text(RANK)
    for processes in ("1", "2"):
        run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", processes]
        arguments = ["rank.py", str(recorder_file.parent), f"by-{processes}"]
        subprocess.run([*run, *arguments], cwd=tmp_path, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    one, two = tmp_path / "by-1", tmp_path / "by-2"
    order = np.argsort(read(one, "index"))  # its sampler shuffles
    for name in ("index", "0", "logits", "y_true"):
        np.testing.assert_allclose(read(two, name), read(one, name)[order], atol=1e-6)
    described = json.loads((two / "recording.json").read_text())
    assert (described["world_size"], described["splits"]["test"]["repeated_samples_left_out"]) == (2, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["by-1", "by-2", "rank.py"]


def test_ranks_without_a_process_group_are_rejected(
    model: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RecordingError, match="init_process_group"):
        recorded(tmp_path, model)


def test_wrapped_models_are_recorded_under_their_own_names(model: Small, tmp_path: Path) -> None:
    expected = read(recorded(tmp_path, model), "fc1")
    compiled = torch.compile(model, backend="eager")
    for wrapped, name in ((nn.DataParallel(model), "module.fc1"), (compiled, "_orig_mod.fc1"), (compiled, "fc1")):
        np.testing.assert_array_equal(read(recorded(tmp_path, wrapped, {"fc1": name}), "fc1"), expected)


def test_a_compiled_model_in_a_loop_of_ones_own_is_recorded(model: Small, tmp_path: Path) -> None:
    expected = read(recorded(tmp_path, model), "fc1")
    compiled = torch.compile(model.eval(), backend="eager")
    with torch.inference_mode():
        compiled(X)  # compiled without hooks
        with Recorder(compiled, tmp_path / "own", layers=["fc1"]) as recorder:
            recorder.add("test", compiled(X), Y)
    np.testing.assert_allclose(read(tmp_path / "own", "fc1"), expected, atol=1e-6)


@pytest.mark.slow
def test_the_file_alone_records_in_an_environment_without_mlx(recorder_file: Path, tmp_path: Path) -> None:
    shutil.copy(recorder_file, tmp_path)
    code = (
        "import sys; sys.modules['mlx'] = None\n"
        "import torch; from pytorch_recorder import record\n"
        "model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 2))\n"
        "record(model, {'test': [(torch.rand(9, 4), torch.arange(9) % 2)]}, 'recorded', layers=['0'])\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "recorded" / "test" / "0.npy").is_file()
