"""Recordings are whole or not there: when one is killed, by several processes, of wrapped models."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_recorder import Layer, Recorder, RecordingError, merge
from small_networks import Small, X, Y, read, recorded
from torch import nn


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
