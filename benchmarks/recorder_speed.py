"""Measures time and memory of the PyTorch recorder and of a plain loop, of 1,000,000 rows of 512 numbers.

Usage: python benchmarks/recorder_speed.py FOLDER [--rows 1000000] [--only recorder | plain_loop]

FOLDER is new, and holds the recorded arrays afterwards. Prints a JSON object; ``--only`` measures one way, in this
process. Needs PyTorch and NumPy, and Linux.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "mlx" / "recorders"))
from pytorch_recorder import record  # as a user has it: a file beside the code

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
WIDTH, CLASSES = 512, 10
BATCH = 4_096


class Wide(nn.Module):
    """A network whose hidden layer is recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(64, WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # noqa: D102  # as of any module
        return self.head(self.hidden(x).relu())


def batches(rows: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for start in range(0, rows, BATCH):
        m = min(BATCH, rows - start)
        generator = torch.Generator(DEVICE).manual_seed(start)
        x = torch.randn(m, 64, device=DEVICE, generator=generator)
        yield x, torch.randint(CLASSES, (m,), device=DEVICE, generator=generator)


def by_recorder(rows: int, folder: Path) -> None:
    torch.manual_seed(0)
    record(Wide().to(DEVICE), {"test": batches(rows)}, folder / "recorded", layers=["hidden"])


def by_plain_loop(rows: int, folder: Path) -> None:
    torch.manual_seed(0)
    model, kept, hidden = Wide().to(DEVICE).eval(), [], []
    model.hidden.register_forward_hook(lambda _module, _inputs, output: hidden.append(output.cpu().numpy()))
    with torch.inference_mode():
        for x, y in batches(rows):
            kept.append((model(x).cpu().numpy(), y.cpu().numpy()))
    np.save(folder / "hidden.npy", np.concatenate(hidden))
    np.save(folder / "logits.npy", np.concatenate([logits for logits, _ in kept]))
    np.save(folder / "y_true.npy", np.concatenate([y for _, y in kept]))


WAYS = {"recorder": by_recorder, "plain_loop": by_plain_loop}


def measured(way: str, rows: int, folder: Path) -> dict[str, Any]:
    """Return time and memory of one way, beyond those of the model and a small recording; Linux only."""
    folder.mkdir()
    (folder / "small").mkdir()
    WAYS[way](BATCH, folder / "small")  # what CUDA and the libraries take is not counted
    with contextlib.suppress(OSError):  # start the peak anew, where the kernel lets a process do that
        Path("/proc/self/clear_refs").write_text("5")
    before, started = memory("VmRSS"), time.perf_counter()
    device_before = torch.cuda.max_memory_allocated() if DEVICE.type == "cuda" else 0
    WAYS[way](rows, folder)
    seconds = time.perf_counter() - started
    device = torch.cuda.max_memory_allocated() - device_before if DEVICE.type == "cuda" else 0
    return {
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "peak_host_mib_beyond_model": memory("VmHWM") - before,
        "peak_device_mib_beyond_model": device / 2**20,
    }


def memory(field: str) -> float:
    """Return the memory of this process, VmRSS, or the most that it had, VmHWM, in MiB."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def million_rows(scratch: Path, rows: int) -> dict[str, Any]:
    """Measure both ways in processes of their own, and compare what they wrote."""
    found: dict[str, Any] = {"rows": rows, "width": WIDTH}
    for way in WAYS:
        command = [sys.executable, __file__, str(scratch / way), "--rows", str(rows), "--only", way]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=150)
        found[way] = json.loads(done.stdout.splitlines()[-1])
    for name in ("hidden", "logits", "y_true"):
        recorded = np.load(scratch / "recorder" / "recorded" / "test" / f"{name}.npy", mmap_mode="r")
        expected = np.load(scratch / "plain_loop" / f"{name}.npy", mmap_mode="r")
        assert recorded.shape == expected.shape, (name, recorded.shape, expected.shape)
        for start in range(0, rows, 100_000):
            assert np.array_equal(recorded[start : start + 100_000], expected[start : start + 100_000]), name
    assert found["recorder"]["peak_host_mib_beyond_model"] < 500, found
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=WAYS)
    chosen = parser.parse_args()
    # In full single precision, as the recordings that are compared.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if chosen.only:
        found = measured(chosen.only, chosen.rows, chosen.folder)
    else:
        chosen.folder.mkdir()
        found = million_rows(chosen.folder, chosen.rows)
    print(json.dumps(found))
