"""Checks the PyTorch recorder, and measures it (``recorder_speed.py``), on a GPU; without one, on the CPU.

What is recorded in mixed precision, with channels last, of a compiled model, a data-parallel one, in two processes
and of a text classifier is compared with a recording on the CPU in single precision: the largest difference,
relative to the root mean square of a column.

Usage: python benchmarks/recorder_gpu.py FOLDER [--rows 1000000] [--only NAME …]

Needs PyTorch and NumPy, and Transformers for the text classifier; nothing of mlx but the recorder. Writes
FOLDER/recorder_gpu.json after each check, and exits with 1 if one failed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

sys.path.insert(0, str(Path(__file__).parents[1] / "mlx" / "recorders"))
from pytorch_recorder import Layer, Recorder, record  # as a user has it: a file beside the code
from recorder_speed import DEVICE, million_rows

LAYERS = ["block1", "block2", Layer("head", of="input")]
N, CLASSES = 2_001, 10


class Net(nn.Module):
    """A convolutional network with batch normalization and an activation that overwrites its input."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(inplace=True))
        self.block2 = nn.Sequential(nn.Conv2d(32, 64, 3, stride=2), nn.BatchNorm2d(64), nn.ReLU(inplace=True))
        self.head = nn.Linear(64, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # noqa: D102  # as of any module
        return self.head(self.block2(self.block1(x)).mean((2, 3)))


def network() -> Net:
    torch.manual_seed(0)
    return Net().train()  # the recorder evaluates it


def samples() -> TensorDataset:
    generator = torch.Generator().manual_seed(1)
    brightness = torch.rand(N, 3, 1, 1, generator=generator)  # so that means over an image differ
    X = brightness * torch.rand(N, 3, 32, 32, generator=generator)
    return TensorDataset(X, torch.randint(CLASSES, (N,), generator=generator))


def loader(**options: Any) -> DataLoader[Any]:
    return DataLoader(samples(), batch_size=256, **options)


def largest_difference(folder: Path, reference: Path) -> float:
    """Return the largest difference of a recorded number, relative to the root mean square of its column."""
    order, expected_order = (np.argsort(np.load(one / "test" / "index.npy")) for one in (folder, reference))
    largest = 0.0
    for path in sorted((reference / "test").glob("*.npy")):
        if path.stem not in {"index", "y_pred", "probabilities"}:
            found, expected = np.load(folder / "test" / path.name), np.load(path)
            assert found.shape == expected.shape, (path.name, found.shape, expected.shape)
            assert found.dtype == expected.dtype, (path.name, found.dtype, expected.dtype)
            difference = np.abs(found[order].astype(float) - expected[expected_order])
            squares = np.square(expected.astype(float))
            scale = np.sqrt(squares.mean(axis=0)) + 0.01 * np.sqrt(squares.mean())  # of units that are nearly off
            largest = max(largest, float((difference / scale).max()))
    return largest


def single(folder: Path) -> None:
    record(network().to(DEVICE), {"test": loader()}, folder, layers=LAYERS, images=True)


def bfloat16(folder: Path) -> None:
    record(network().to(DEVICE), {"test": loader()}, folder, layers=LAYERS, images=True, autocast=torch.bfloat16)


def float16(folder: Path) -> None:
    record(network().to(DEVICE), {"test": loader()}, folder, layers=LAYERS, images=True, autocast=torch.float16)


def channels_last(folder: Path) -> None:
    model = network().to(DEVICE, memory_format=torch.channels_last)  # type: ignore[call-overload]
    record(model, {"test": loader(pin_memory=True)}, folder, layers=LAYERS, images=True)


def shuffled_in_workers(folder: Path) -> None:
    shuffled = loader(shuffle=True, num_workers=2, pin_memory=DEVICE.type == "cuda", persistent_workers=True)
    record(network().to(DEVICE), {"test": shuffled}, folder, layers=LAYERS, images=True)


def compiled_network() -> nn.Module:
    """Return a model that was compiled, and run, before; without a C++ compiler, one that is traced alone."""
    for backend in ("inductor", "aot_eager"):
        model = torch.compile(network().to(DEVICE).eval(), backend=backend)
        try:
            with torch.inference_mode():
                model(torch.rand(256, 3, 32, 32, device=DEVICE))
        except torch._dynamo.exc.BackendCompilerFailed as error:
            print(f"{backend}: {str(error).splitlines()[0]}", file=sys.stderr)
        else:
            break
    return model


def compiled(folder: Path) -> None:
    model = compiled_network()
    record(model, {"test": loader()}, folder, layers=LAYERS, images=True)


def own_loop_compiled(folder: Path) -> None:
    run_own_loop(compiled_network(), folder)


def data_parallel(folder: Path) -> None:
    run_own_loop(nn.DataParallel(network().to(DEVICE)).eval(), folder)


def run_own_loop(model: nn.Module, folder: Path) -> None:
    with torch.inference_mode(), Recorder(model, folder, layers=LAYERS) as recorder:
        for k, (x, y) in enumerate(loader()):
            recorder.add("test", model(x.to(DEVICE)), y, index=256 * k + torch.arange(len(x)), images=x)


def two_processes(folder: Path) -> None:
    """Record in two processes on one device, by torchrun; the sampler repeats a sample, as N is odd."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [*command, __file__, str(folder), "--worker"], check=True, capture_output=True, text=True, timeout=100
    )
    described = json.loads((folder / "recording.json").read_text())
    assert described["world_size"] == 2, described
    assert not list(folder.parent.glob(f"{folder.name}.*")), "shards were left"


def worker(folder: Path) -> None:
    torch.distributed.init_process_group("gloo")  # NCCL takes a device for each process
    model = nn.parallel.DistributedDataParallel(network().to(DEVICE))
    dataset = samples()
    record(
        model, {"test": DataLoader(dataset, 96, sampler=DistributedSampler(dataset, shuffle=True))}, folder,
        layers=LAYERS, images=True,
    )  # fmt: skip
    torch.distributed.destroy_process_group()


TOLERANCES: dict[Callable[[Path], None], float] = {
    single: 1e-3,
    bfloat16: 0.2,
    float16: 0.03,
    channels_last: 1e-3,
    shuffled_in_workers: 1e-3,
    compiled: 1e-3,
    own_loop_compiled: 1e-3,
    data_parallel: 1e-3,
    two_processes: 1e-3,
}
"""Relative to the root mean square of a column: how far a recording may be from that on the CPU in single precision."""


def check_recordings(scratch: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    reference = scratch / "reference"
    record(network(), {"test": loader()}, reference, layers=LAYERS, images=True)
    for make, tolerance in TOLERANCES.items():

        def check(make: Callable[[Path], None] = make, tolerance: float = tolerance) -> dict[str, Any]:
            folder = scratch / make.__name__
            make(folder)
            difference = largest_difference(folder, reference)
            assert difference <= tolerance, f"{difference}, above {tolerance}"
            return {"largest_difference": difference, "tolerance": tolerance}

        yield make.__name__, check


def text_classifier(scratch: Path) -> dict[str, Any]:
    """Record a BERT with padded texts, in bfloat16 and with other batches than on the CPU: padding doesn't count."""
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=200, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128, num_labels=3
    )
    model = BertForSequenceClassification(config)
    generator = torch.Generator().manual_seed(2)
    texts = [torch.randint(1, 200, (int(k),), generator=generator) for k in torch.randint(4, 60, (600,))]

    def collated(rows: list[int]) -> dict[str, torch.Tensor]:
        ids = nn.utils.rnn.pad_sequence([texts[k] for k in rows], batch_first=True)
        return {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": torch.tensor([k % 3 for k in rows])}

    layers = {"encoder": "bert.encoder.layer.1", "penultimate": Layer("classifier", of="input")}
    batches = {size: DataLoader(range(600), size, collate_fn=collated) for size in (32, 50)}  # type: ignore[arg-type]
    reference, found = scratch / "text-cpu", scratch / "text"
    record(model, {"test": batches[32]}, reference, layers=layers)
    record(model.to(DEVICE), {"test": batches[50]}, found, layers=layers, autocast=torch.bfloat16)
    difference = largest_difference(found, reference)
    assert difference < 0.3, difference
    return {"largest_difference": difference, "tolerance": 0.3}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="run these checks alone")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    # Both sides compute in full single precision, where no other precision is asked for.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if chosen.worker:
        worker(chosen.folder)
        return 0
    return report(chosen.folder, chosen.rows, chosen.only)


def report(folder: Path, rows: int, only: list[str] | None) -> int:
    """Run the checks, and write what each found; return 1 if one failed."""
    folder.mkdir(parents=True, exist_ok=True)
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "cpu"
    results: dict[str, Any] = {"device": name, "torch": torch.__version__, "checks": {}}
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = Path(scratch_name)
        checks = dict(check_recordings(scratch))
        checks["text_classifier"] = lambda: text_classifier(scratch)
        checks["million_rows"] = lambda: million_rows(scratch, rows)
        for check, run in checks.items():
            if only and check not in only:
                continue
            started = time.perf_counter()
            try:
                found = {"passed": True, **run()}
            except Exception as error:  # the other checks still run; what failed is written
                shown = error.stderr if isinstance(error, subprocess.CalledProcessError) else traceback.format_exc()
                found = {"passed": False, "error": f"{type(error).__name__}: {error}", "trace": (shown or "")[-3000:]}
            results["checks"][check] = {**found, "check_seconds": round(time.perf_counter() - started, 2)}
            print(check, json.dumps(results["checks"][check]), flush=True)
            (folder / "recorder_gpu.json").write_text(json.dumps(results, indent=2) + "\n")
    return int(not all(one["passed"] for one in results["checks"].values()))


if __name__ == "__main__":
    sys.exit(main())
