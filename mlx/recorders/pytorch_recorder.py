"""Records the outputs and representations of a PyTorch model, in the folder that ``mlx analyze`` reads.

This file needs PyTorch and NumPy alone: copy it beside your own code. ::

    from pytorch_recorder import record

    record(model, {"test": test_loader, "val": val_loader}, "recorded", layers=["conv2", "fc1"])

and then, wherever mlx is installed, ``mlx analyze recorded``. With a loop of your own, use `Recorder`.
The format is described in ``docs/recording.md``.
"""

from __future__ import annotations

import contextlib
import copy
import difflib
import json
import operator
import os
import re
import shutil
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

FORMAT = 1
SPLITS = ("test", "val", "train")
OUTPUTS = {"logits": "logits", "probabilities": "probabilities", "values": "y_pred"}
"""What a model returns, and the file that it is recorded in."""
RESERVED = ("logits", "probabilities", "y_true", "y_pred", "index", "images", "texts", "metadata")
"""Names of files beside those of the layers."""
BLOCK_BYTES = 8 << 20
"""Bytes of a file that are collected, on the device of the model, before they are copied and written."""
MOST_WAITING = 2
"""Blocks that wait to be written."""
LAST_LAYER = ("last_layer_weights.npy", "last_layer_bias.npy")
"""Weights (d, K) and bias (K,) that make the logits of a layer."""
IMAGE_SIDE = 128
"""Pixels of the longer side that an image is recorded with."""


class RecordingError(ValueError):
    """The model, a layer or a batch is not what can be recorded; says what to do."""


@dataclass(frozen=True)
class Layer:
    """What is recorded of a module, a row (d,) for each sample.

    Attributes
    ----------
    module
        Its name in ``model.named_modules()``.
    of
        ``output`` or ``input``: the input of the last linear layer is the usual penultimate representation.
    take
        The tensor in an output that is a tuple, dictionary or object: a place, a key, or a function of the output.
    batch_dim
        The dimension that counts the samples; by default the first, or the second of modules of PyTorch with
        ``batch_first=False``.
    channel_dim
        The dimension of the output, its samples first, that becomes the d columns; by default the second of 4 or 5
        dimensions and of one-dimensional convolutions, the last of token sequences (m, t, d).
    pool
        How the other dimensions are summarized: ``mean``, ``max``, ``first`` or ``last`` position, ``flatten`` to keep
        all, or a function from (m, …) to (m, d). Tokens that the attention mask excludes are left out.
    call
        Which call, from 0 on or -1 for the last, of a module that is called several times in a forward pass.
    """

    module: str
    of: str = "output"
    take: int | str | Callable[[Any], Any] | None = None
    batch_dim: int | None = None
    channel_dim: int | None = None
    pool: str | Callable[[torch.Tensor], torch.Tensor] = "mean"
    call: int | None = None


def record(
    model: nn.Module,
    loaders: Mapping[str, Iterable[Any]],
    folder: str | Path,
    *,
    layers: Sequence[str | Layer] | Mapping[str, str | Layer],
    outputs: str = "logits",
    class_names: Sequence[str] = (),
    inputs: Callable[[Any], Any] | None = None,
    labels: Callable[[Any], Any] | None = None,
    output: int | str | Callable[[Any], Any] | None = None,
    images: bool | Callable[[Any], Any] = False,
    texts: Callable[[Any], Sequence[str]] | None = None,
    metadata: Callable[[Any], Mapping[str, Sequence[Any]]] | None = None,
    last_layer: str | None = None,
    device: torch.device | str | None = None,
    autocast: torch.dtype | None = None,
) -> Path:
    """Run `model` over all batches of `loaders` in evaluation mode, and record it; return `folder`.

    Under an initialized ``torch.distributed`` each rank records the batches of its loaders, and the first rank merges
    them: all ranks call this function, on one file system.

    Parameters
    ----------
    loaders
        By part of the data: ``test``, which is analyzed, ``val``, ``train``. A batch is ``(inputs, labels, …)``, or a
        dictionary with ``labels`` or ``label`` whose other entries are arguments of the model.
    layers
        Names of modules, or `Layer`, the layer of the headline first; a mapping gives them other names.
    outputs
        What the model returns: ``logits`` (m, K), or of two classes one logit (m,) or (m, 1); ``probabilities``,
        likewise; or ``values`` (m,) of a regression.
    class_names
        K names; by default the numbers from 0.
    inputs, labels, texts, metadata
        Functions of a batch: the inputs, where a tuple is several arguments and a dictionary named ones; the labels; a
        text for each sample; columns by name, of one number or text for each sample.
    output
        The tensor in what the model returns, as `Layer.take`; by default ``.logits`` where there is one.
    images
        Whether the inputs are images to be recorded, or a function that makes them of a batch: (m, c, h, w) or
        (m, h, w), of bytes or floats in [0, 1].
    last_layer
        Name of the linear module that makes the logits of a recorded layer, whose weights are recorded; by default the
        last one with as many outputs, if it does.
    device
        Where batches are moved; by default where the first parameter of the model is.
    autocast
        ``torch.bfloat16`` or ``torch.float16`` for mixed precision. Recorded numbers are float32.

    Raises
    ------
    RecordingError
        A layer, batch or output is not what can be recorded.
    """
    inner, read = _unwrapped(model), inputs or _inputs_of
    place = torch.device(device) if device is not None else _device_of(inner)
    state = {module: module.training for module in inner.modules()}
    precision = contextlib.nullcontext() if autocast is None else torch.autocast(place.type, dtype=autocast)
    recorder = Recorder(model, folder, layers=layers, outputs=outputs, class_names=class_names, splits=tuple(loaders),
                        last_layer=last_layer)  # fmt: skip
    try:
        inner.eval()
        with recorder, torch.inference_mode(), precision, contextlib.ExitStack() as stack:
            for split, loader in loaders.items():
                for batch, index in stack.enter_context(contextlib.closing(_with_index(loader))):
                    targets = (labels or _labels_of)(batch)
                    found = _called(inner, _moved(read(batch), place))
                    values = _select(found, output, "the output of the model", "output=", "logits")
                    shown: dict[str, Any] = {"images": _images_of(batch, images, read)}
                    shown |= {name: of and of(batch) for name, of in (("texts", texts), ("metadata", metadata))}
                    recorder.add(split, values, targets, index=index, dataset=_base(loader), **shown)
    finally:
        for module, training in state.items():
            module.training = training
    return recorder.folder


class Recorder:
    """Records a model while a loop of your own runs it, which calls `add` after each forward pass.

    ::

        with Recorder(model, "recorded", layers=["fc1"]) as recorder, torch.inference_mode():
            for x, y in test_loader:
                recorder.add("test", model(x), y)

    The folder appears, whole, when the block ends; nothing is left of a block that fails.

    Parameters
    ----------
    model, folder, layers, outputs, class_names, last_layer
        As in `record`. An earlier recording in `folder` is replaced.
    splits
        The parts that will be recorded.
    rank, world_size
        Of this process, if several record different samples; by default those of ``torch.distributed``. The folder
        is then merged from the shards of all ranks: by the first rank under ``torch.distributed``, else by `merge`.
    """

    def __init__(
        self,
        model: nn.Module,
        folder: str | Path,
        *,
        layers: Sequence[str | Layer] | Mapping[str, str | Layer],
        outputs: str = "logits",
        class_names: Sequence[str] = (),
        splits: Sequence[str] = SPLITS,
        last_layer: str | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        self.folder, self.outputs, self.class_names = Path(folder), outputs, [str(name) for name in class_names]
        _check_splits(splits)
        if outputs not in OUTPUTS:
            raise RecordingError(f"outputs: expected one of {', '.join(OUTPUTS)}, found {outputs!r}")
        _check_target(self.folder)
        self.rank, self.world_size, self._grouped = _ranks(rank, world_size)
        self._model, self._inner = model, _unwrapped(model)
        self._last_layer, self._classes = last_layer, 0
        if last_layer is not None:
            _check_linear(_module_of(self._inner, last_layer), last_layer, outputs)
        self._taps = [_Tap(name, layer, self._inner) for name, layer in _named(layers).items()]
        self._parts: dict[str, _Part] = {}
        self._datasets: list[Any] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Recorder:
        self._started = time.time()
        place = self.folder if self.world_size == 1 else _shard(self.folder, self.rank, self.world_size)
        if self.world_size > 1:
            self._clear(place)
        self._partial = place.with_name(f"{place.name}.partial")
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._place = place
        self._pool = ThreadPoolExecutor(1)
        self._queue = _Queue(self._pool)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._pool)
            mask = _Mask()
            stack.callback(self._inner.register_forward_pre_hook(mask, with_kwargs=True).remove)
            for tap in self._taps:
                stack.callback(tap.attach(mask).remove)
            # Compiled code doesn't see hooks that are added later, so it is run as it was written.
            if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            self._stack = stack.pop_all()
        return self

    def _clear(self, shard: Path) -> None:
        """Delete the shards of an interrupted recording: that of this rank, or all where the ranks are a group."""
        if not self._grouped:
            shutil.rmtree(shard, ignore_errors=True)
            return
        if self.rank == 0:
            for earlier in self.folder.parent.glob(f"{self.folder.name}.shard-*"):
                shutil.rmtree(earlier)
        torch.distributed.barrier()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._stack.close()
            for part in self._parts.values():
                part.close()
            shutil.rmtree(self._partial, ignore_errors=True)
        if error is None and self._grouped:
            torch.distributed.barrier()
            if self.rank == 0:
                merge(self.folder)
            torch.distributed.barrier()

    def add(
        self,
        split: str,
        outputs: Any,
        labels: Any,
        *,
        index: Any = None,
        dataset: Any = None,
        images: Any = None,
        texts: Sequence[str] | None = None,
        metadata: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """Add a batch of m samples of a part, and what the layers represented in the forward pass before.

        The arguments are values for this batch of what `record` describes; `index` (m,) numbers the samples in
        `dataset`, and one that was added before is left out.
        """
        _check_splits([split])
        scores = _scores(outputs, self.outputs, first=not self._parts)
        m, self._classes = len(scores), scores.shape[-1]
        targets = _targets(labels, m, self.outputs, classes=scores.shape[-1])
        rows: dict[str, Any] = {OUTPUTS[self.outputs]: scores, "y_true": targets}
        rows |= {tap.name: tap.collect(m) for tap in self._taps}
        if images is not None:
            rows["images"] = _bytes_of(torch.as_tensor(images), m)
        lines = _lines(texts, metadata, m)
        numbers = None if index is None else _host(index).astype(np.int64).ravel()
        if numbers is not None and (len(numbers) != m or numbers.min(initial=0) < 0):
            raise RecordingError(f"index: expected {m} integers from 0, found {len(numbers)} from {numbers.min()}")
        if split not in self._parts:
            self._parts[split] = _Part(self._partial / f"{split}.partial", self._queue, self._dataset(dataset))
        self._parts[split].add(rows, lines, numbers, m)

    def _dataset(self, dataset: Any) -> int:
        """Return the number of a dataset: parts of one dataset share the numbers of its samples."""
        for number, known in enumerate(self._datasets):
            if known is dataset:
                return number
        self._datasets.append(dataset)
        return len(self._datasets) - 1

    def _finish(self) -> None:
        for part in self._parts.values():
            part.flush()
        self._queue.wait()
        for part in self._parts.values():
            part.close()
        described = {
            "format": FORMAT,
            "framework": f"PyTorch {torch.__version__}",
            "model": type(self._inner).__name__,
            "device": str(_device_of(self._inner)),
            "recorded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started)),
            "seconds": round(time.time() - self._started, 3),
            "outputs": self.outputs,
            "class_names": self.class_names,
            "layers": {tap.name: tap.described() for tap in self._taps},
            "last_layer": self._write_last_layer(),
            "rank": self.rank,
            "world_size": self.world_size,
            "splits": {split: part.described() for split, part in self._parts.items()},
        }
        if self.world_size == 1:
            _complete(self._partial, described)
        else:
            _write_json(self._partial / "recording.json", described)
        _replace(self._partial, self._place)

    def _write_last_layer(self) -> dict[str, Any] | None:
        """Write the weights of the linear module that may make the logits; return its name, or None without one."""
        if self.outputs != "logits":
            return None
        stated = self._last_layer
        found = dict(self._inner.named_modules()) if stated is None else {stated: _module_of(self._inner, stated)}
        widths = {self._classes, 1} if self._classes == 2 else {self._classes}  # one logit stands for two classes
        linear = {name: one for name, one in found.items() if _is_whole_linear(one) and one.out_features in widths}
        if not linear:
            return None if stated is None else {"module": stated, "stated": True}
        name, module = list(linear.items())[-1]
        weights = _host(module.weight.to(torch.float64))
        bias = np.zeros(len(weights)) if module.bias is None else _host(module.bias.to(torch.float64))
        if len(weights) < self._classes:
            weights, bias = np.concatenate([0 * weights, weights]), np.concatenate([0 * bias, bias])
        for file, values in zip(LAST_LAYER, (np.ascontiguousarray(weights.T), bias), strict=True):
            np.save(self._partial / file, values)
        return {"module": name, "stated": stated is not None}


def merge(folder: str | Path) -> Path:
    """Merge the shards ``FOLDER.shard-R-of-W`` of all ranks into `folder`, and delete them.

    Samples are in the order of their index, each once, where that is known; else rank by rank.

    Raises
    ------
    RecordingError
        A shard is missing.
    """
    folder = Path(folder)
    worlds = {int(path.name.rsplit("-", 1)[1]) for path in folder.parent.glob(f"{folder.name}.shard-*-of-*[0-9]")}
    if len(worlds) != 1:
        raise RecordingError(f"{folder}: expected shards of one recording, found world sizes {sorted(worlds)}")
    shards = [_shard(folder, rank, world) for world in worlds for rank in range(world)]
    for shard in shards:
        if not (shard / "recording.json").exists():
            raise RecordingError(f"{shard}: expected the shard of this rank, found none: its recording was interrupted")
    described = [json.loads((shard / "recording.json").read_text("utf-8")) for shard in shards]
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    merged = dict(described[0], seconds=max(one["seconds"] for one in described), splits={})
    for split in SPLITS:
        known = zip(shards, described, strict=True)
        holding = [(shard, one["splits"][split]) for shard, one in known if split in one["splits"]]
        if holding:
            merged["splits"][split] = _merge_part(split, holding, partial / f"{split}.partial")
    for name in LAST_LAYER:
        if (shards[0] / name).exists():
            shutil.copyfile(shards[0] / name, partial / name)
    _complete(partial, {name: value for name, value in merged.items() if name != "rank"})
    _replace(partial, folder)
    for shard in shards:
        shutil.rmtree(shard)
    return folder


# --- Files -----------------------------------------------------------------------------------------------------------


class _Queue:
    """Writes blocks in a thread, in order; few wait at a time, and an error is raised by a later call."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool, self._waiting = pool, deque[Future[None]]()

    def put(self, write: Callable[[], None]) -> None:
        while len(self._waiting) >= MOST_WAITING or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(write))

    def wait(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()


class _Column:
    """An ``.npy`` file to which rows are added."""

    def __init__(self, path: Path, queue: _Queue | None = None) -> None:
        self.path, self.rows = path, 0
        self._queue, self._pending, self._bytes = queue, [], 0  # type: ignore[var-annotated]
        self._file = path.open("wb")
        self._file.write(b" " * HEADER_BYTES)
        self.dtype: np.dtype[Any] | None = None
        self.shape: tuple[int, ...] = ()

    def add(self, values: torch.Tensor) -> None:
        """Keep rows (m, …) until a block is full."""
        if self.dtype is None:
            self.dtype, self.shape = np.dtype(str(values.dtype).removeprefix("torch.")), tuple(values.shape[1:])
        if tuple(values.shape[1:]) != self.shape:
            raise RecordingError(
                f"{self.path.stem}: expected rows of shape {self.shape}, as in the first batch, found "
                f"{tuple(values.shape[1:])}"
            )
        self._pending.append(values)
        self._bytes += values.numel() * values.element_size()
        if self._bytes >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Copy what is kept to the host, and write it."""
        pieces, self._pending, self._bytes = self._pending, [], 0
        if not pieces:
            return
        assert self._queue is not None
        block, copied = torch.cat(pieces), None
        if block.is_cuda:
            host = torch.empty(block.shape, dtype=block.dtype, pin_memory=True)
            block, copied = host.copy_(block, non_blocking=True), torch.cuda.Event()
            copied.record()
        self._queue.put(lambda: self._write_copied(block, copied))

    def _write_copied(self, block: torch.Tensor, copied: Any) -> None:
        if copied is not None:
            copied.synchronize()
        self.write(block.cpu().numpy())

    def write(self, block: np.ndarray[Any, Any]) -> None:
        """Write rows (m, …) to the file."""
        if self.dtype is None:
            self.dtype, self.shape = block.dtype, block.shape[1:]
        try:
            self._file.write(np.ascontiguousarray(block).data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        self.rows += len(block)

    def close(self) -> None:
        """Write the header, which says how many rows there are."""
        if not self._file.closed:
            dtype = np.dtype(np.float32) if self.dtype is None else self.dtype
            self._file.seek(0)
            self._file.write(_header(dtype, (self.rows, *self.shape)))
            self._file.close()


HEADER_BYTES = 256
"""Of each file: the number of rows, known at the end, fits in."""


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    text = repr({"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    length = HEADER_BYTES - 10
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + text.ljust(length - 1).encode("latin-1") + b"\n"


class _Part:
    """The files of a part of the data."""

    def __init__(self, folder: Path, queue: _Queue, dataset: int) -> None:
        self.folder, self.dataset, self.n, self.repeats = folder, dataset, 0, 0
        folder.mkdir()
        self._queue = queue
        self._columns: dict[str, _Column] = {}
        self._texts: dict[str, Any] = {}
        self._seen = np.zeros(0, bool)

    def add(
        self, rows: dict[str, Any], lines: dict[str, list[str]], numbers: np.ndarray[Any, Any] | None, m: int
    ) -> None:
        if numbers is not None:
            rows["index"] = torch.from_numpy(numbers)
            new = self._new(numbers)
            if not new.all():
                kept = np.flatnonzero(new)
                rows = {name: values[torch.from_numpy(kept).to(values.device)] for name, values in rows.items()}
                lines = {name: [values[k] for k in kept] for name, values in lines.items()}
                self.repeats += m - len(kept)
                m = len(kept)
        names = set(rows) | set(lines)
        known = set(self._columns) | set(self._texts)
        if self.n and names != known:
            raise RecordingError(
                f"{self.folder.stem}: expected the same in each batch, found {', '.join(sorted(names ^ known))} in "
                "some alone"
            )
        for name, values in rows.items():
            if name not in self._columns:
                self._columns[name] = _Column(self.folder / f"{name}.npy", self._queue)
            self._columns[name].add(values)
        for name, written in lines.items():
            if name not in self._texts:
                self._texts[name] = (self.folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n")
            self._texts[name].writelines(line + "\n" for line in written)
        self.n += m

    def _new(self, numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return which of the numbers (m,) were not added before."""
        if (most := int(numbers.max(initial=-1)) + 1) > len(self._seen):
            self._seen = np.concatenate([self._seen, np.zeros(max(most, 2 * len(self._seen)) - len(self._seen), bool)])
        new = ~self._seen[numbers]
        first = np.unique(numbers, return_index=True)[1]
        new &= np.isin(np.arange(len(numbers)), first)
        self._seen[numbers] = True
        return np.asarray(new)

    def flush(self) -> None:
        for column in self._columns.values():
            column.flush()

    def close(self) -> None:
        for file in (*self._columns.values(), *self._texts.values()):
            file.close()

    def described(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "dataset": self.dataset,
            "index": "dataset" if "index" in self._columns else "order of the loader",
            "repeated_samples_left_out": self.repeats,
        }


def _complete(folder: Path, described: dict[str, Any]) -> None:
    """Add what follows from the recorded arrays, and the descriptions; give the parts their names."""
    parts = {split: part for split in SPLITS if (part := described["splits"].get(split)) and part["n"]}
    if "test" not in parts:
        raise RecordingError(f"{folder.stem}: expected samples of the part 'test', which is analyzed, found none")
    classes = 0
    for split in parts:
        place = folder / f"{split}.partial"
        if described["outputs"] != "values":
            classes = _add_predictions(place, described["outputs"])
            _check_labels(place, classes)
    names = described["class_names"] or [str(k) for k in range(classes)]
    if len(names) != classes:
        raise RecordingError(f"class_names: expected {classes}, as the model has outputs, found {len(names)}")
    last = _checked_last_layer(folder, described)
    _number(folder, parts)
    for split, part in parts.items():
        place = folder / f"{split}.partial"
        part["files"] = {path.name: _shape_of(path) for path in sorted(place.glob("*.npy"))}
        place.rename(folder / split)
    described["splits"], described["last_layer"] = parts, last
    first = parts["test"]["files"]
    _write_json(
        folder / "representations.json",
        {
            "task": "classification" if classes else "regression",
            "class_names": names,
            "model": described["model"],
            "layers": {name: first[f"{name}.npy"]["shape"][1] for name in described["layers"]},
            "has_logits": described["outputs"] == "logits",
            "samples": {split: part["n"] for split, part in parts.items()},
            "last_layer": None if last is None else last["layer"],
        },
    )
    _write_json(folder / "recording.json", described)


def _add_predictions(place: Path, outputs: str) -> int:
    """Write ``probabilities.npy`` (n, K) in double precision if it is missing, and ``y_pred.npy``; return K."""
    scores = np.load(place / f"{outputs}.npy", mmap_mode="r")
    files = {"y_pred": _Column(place / "y_pred.npy")}
    if outputs == "logits":
        files["probabilities"] = _Column(place / "probabilities.npy")
    for block in _blocks(scores):
        files["y_pred"].write(block.argmax(axis=1).astype(np.int64))
        if outputs == "logits":
            wide = block.astype(np.float64)
            exponents = np.exp(wide - wide.max(axis=1, keepdims=True))
            files["probabilities"].write(exponents / exponents.sum(axis=1, keepdims=True))
    for file in files.values():
        file.close()
    return int(scores.shape[1])


def _checked_last_layer(folder: Path, described: dict[str, Any]) -> dict[str, Any] | None:
    """Return the linear module and the layer of which it makes the logits; delete its weights where it makes others."""
    last, files = described["last_layer"], [folder / name for name in LAST_LAYER]
    if last is None:
        return None
    if files[0].exists():
        weights, bias = map(np.load, files)
        for name in described["layers"]:
            if _makes_logits(folder / "test.partial", name, weights, bias):
                return {"module": last["module"], "layer": name}
        for file in files:
            file.unlink()
    if last["stated"]:
        raise RecordingError(
            f"last_layer: expected a module that makes the logits of a recorded layer, in single precision, found "
            f"'{last['module']}', which makes others; record its input, Layer('{last['module']}', of='input')"
        )
    return None


def _makes_logits(place: Path, layer: str, weights: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> bool:
    """Return whether the logits of all samples are those of the layer, up to a thousandth of the largest."""
    files = [place / f"{name}.npy" for name in (layer, "logits")]
    n, width = np.load(files[0], mmap_mode="r").shape
    if width != len(weights):
        return False
    size = max(1, BLOCK_BYTES // (8 * (width + len(bias))))
    for start in range(0, n, size):  # the files anew for each block: its pages are then released
        rows, logits = (np.array(np.load(file, mmap_mode="r")[start : start + size], np.float64) for file in files)
        off = np.abs(rows @ weights + bias - logits).max(1)
        if (off > 1e-3 * np.maximum(1, np.abs(logits).max(1))).any():
            return False
    return True


def _blocks(array: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    rows = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield np.array(array[start : start + rows])


def _check_labels(place: Path, classes: int) -> None:
    y = np.load(place / "y_true.npy", mmap_mode="r")
    if y.min() < 0 or y.max() >= classes:
        raise RecordingError(
            f"{place.stem}: expected labels from 0 to {classes - 1}, as the model has {classes} outputs, found "
            f"{y.min()} to {y.max()}"
        )


def _number(folder: Path, parts: dict[str, Any]) -> None:
    """Raise the numbers of samples of later datasets, so that all differ; ``first_index`` says by how much.

    The test part keeps the indices of its dataset. Without any, samples are numbered in their order.
    """
    first: dict[Any, int] = {}
    after = 0
    for split, part in parts.items():
        place = folder / f"{split}.partial"
        known = (place / "index.npy").exists()
        numbers = np.load(place / "index.npy") if known else np.arange(part["n"])
        key = part["dataset"] if known else split
        start = first.setdefault(key, after if first else 0)
        part["first_index"] = start
        column = _Column(place / "index.npy")
        column.write(numbers + start)
        column.close()
        after = max(after, int(numbers.max()) + start + 1)


def _merge_part(split: str, holding: list[tuple[Path, dict[str, Any]]], place: Path) -> dict[str, Any]:
    """Write the rows of all shards of a part, in the order of their index; return its description."""
    holding = [(shard / f"{split}.partial", one) for shard, one in holding if one["n"]]
    place.mkdir()
    if not holding:
        return {"n": 0}
    sizes = [one["n"] for _, one in holding]
    owner, row = np.repeat(np.arange(len(sizes)), sizes), np.concatenate([np.arange(n) for n in sizes])
    repeats = sum(one["repeated_samples_left_out"] for _, one in holding)
    if all((source / "index.npy").exists() for source, _ in holding):
        numbers = np.concatenate([np.load(source / "index.npy") for source, _ in holding])
        order = np.unique(numbers, return_index=True)[1]
        repeats += len(row) - len(order)
        owner, row = owner[order], row[order]
    for path in sorted(holding[0][0].iterdir()):
        files = [source / path.name for source, _ in holding]
        if path.suffix == ".npy":
            _gather(files, owner, row, place / path.name)
        else:
            texts = [file.read_text("utf-8").split("\n") for file in files]  # a text may hold other ends of lines
            lines = "".join(f"{texts[k][i]}\n" for k, i in zip(owner, row, strict=True))
            (place / path.name).write_text(lines, "utf-8", newline="\n")
    return {**holding[0][1], "n": len(row), "repeated_samples_left_out": repeats}


def _gather(files: list[Path], owner: np.ndarray[Any, Any], row: np.ndarray[Any, Any], target: Path) -> None:
    column = _Column(target)
    size = max(1, BLOCK_BYTES // max(1, np.load(files[0], mmap_mode="r")[:1].nbytes))
    for start in range(0, len(row), size):
        owners, rows = owner[start : start + size], row[start : start + size]
        block = None
        for k, file in enumerate(files):
            source = np.load(file, mmap_mode="r")  # anew for each block: its pages are then released
            block = np.empty((len(rows), *source.shape[1:]), source.dtype) if block is None else block
            if source.shape[1:] != block.shape[1:] or source.dtype != block.dtype:
                raise RecordingError(f"{file}: expected {block.dtype} rows of shape {block.shape[1:]}, as in rank 0")
            block[owners == k] = source[rows[owners == k]]
        assert block is not None
        column.write(block)
    column.close()


def _shape_of(path: Path) -> dict[str, Any]:
    array = np.load(path, mmap_mode="r")
    return {"shape": list(array.shape), "dtype": str(array.dtype)}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _shard(folder: Path, rank: int, world_size: int) -> Path:
    return folder.with_name(f"{folder.name}.shard-{rank}-of-{world_size}")


def _check_target(folder: Path) -> None:
    ours = folder.is_dir() and ((folder / "recording.json").exists() or not any(folder.iterdir()))
    if folder.exists() and not ours:
        raise RecordingError(f"{folder}: expected a new folder, or one of an earlier recording, found another")


def _replace(partial: Path, folder: Path) -> None:
    """Rename a whole folder into place."""
    if folder.exists():
        earlier = folder.with_name(f"{folder.name}.earlier")
        shutil.rmtree(earlier, ignore_errors=True)
        folder.rename(earlier)
        partial.rename(folder)
        shutil.rmtree(earlier)
    else:
        partial.rename(folder)


# --- Layers ----------------------------------------------------------------------------------------------------------


class _Mask:
    """Keeps the attention mask (m, t) that the model was called with."""

    value: torch.Tensor | None = None

    def __call__(self, _module: nn.Module, _arguments: Any, named: dict[str, Any]) -> None:
        mask = named.get("attention_mask")
        self.value = mask if isinstance(mask, torch.Tensor) and mask.ndim == 2 else None


class _Tap:
    """A hook on a module, which keeps a row (d,) of each sample of the last forward pass."""

    def __init__(self, name: str, layer: Layer, model: nn.Module) -> None:
        self.name, self.layer = name, layer
        self.module = _module_of(model, layer.module)
        self._conv1d = any(isinstance(module, CHANNEL_SECOND) for module in model.modules())
        self._lock, self._kept = threading.Lock(), {}  # type: ignore[var-annotated]
        self._shape: list[Any] = []

    def attach(self, mask: _Mask) -> Any:
        self._mask = mask
        if self.layer.of == "input":
            return self.module.register_forward_pre_hook(
                lambda _module, arguments, named: self._keep(arguments or tuple(named.values())), with_kwargs=True
            )
        return self.module.register_forward_hook(lambda _module, _arguments, output: self._keep(output))

    def _keep(self, value: Any) -> None:
        """Pool the output of a call at once, as later modules may write into it; one list a device, of replicas."""
        call = self.layer.call
        tensor = _select(value, self.layer.take, f"layer '{self.name}'", self._advice("take="), "last_hidden_state")
        with self._lock:
            kept = self._kept.setdefault(str(tensor.device), [])
        if call == -1:
            kept[:] = [None] * len(kept)
        wanted = call in (None, -1, len(kept)) and not (call is None and kept)
        kept.append(self._pooled(tensor) if wanted else None)

    def collect(self, m: int) -> torch.Tensor:
        """Return the rows (m, d) of the last forward pass, and forget them."""
        kept, self._kept = self._kept, {}
        if not kept:
            raise RecordingError(
                f"layer '{self.name}': its module '{self.layer.module}' was not called in the forward pass: a "
                "container, or one whose weights another module uses directly (out_proj of nn.MultiheadAttention), or "
                "the batch was added twice; record the module around it"
            )
        pieces = []
        for device in sorted(kept, key=lambda name: (len(name), name)):
            calls = kept[device]
            call = self.layer.call
            if call is None and len(calls) > 1:
                raise RecordingError(
                    f"layer '{self.name}': its module was called {len(calls)} times in the forward pass; choose one "
                    f"with {self._advice('call=0')}, or -1 for the last, and call add after each forward pass"
                )
            if call is not None and not -1 <= call < len(calls):
                raise RecordingError(f"layer '{self.name}': expected call below {len(calls)}, the calls, found {call}")
            pieces.append(calls[call or 0])
        rows = pieces[0] if len(pieces) == 1 else torch.cat([piece.to(pieces[0].device) for piece in pieces])
        if len(rows) != m:
            raise RecordingError(
                f"layer '{self.name}': expected a row for each of the {m} samples, found {len(rows)}, from an output "
                f"of shape {tuple(self._shape)}; if another dimension counts the samples, {self._advice('batch_dim=1')}"
            )
        return rows

    def _pooled(self, x: torch.Tensor) -> torch.Tensor:
        """Return rows (m, d) of their own memory, float32, or float64 where the model computes in it."""
        layer = self.layer
        self._shape, memory = list(x.shape), x.untyped_storage().data_ptr()
        x = x.detach()
        batch = layer.batch_dim if layer.batch_dim is not None else _batch_dim(self.module)
        if x.ndim == 0 or not -x.ndim <= batch < x.ndim:
            raise RecordingError(
                f"layer '{self.name}': expected an output with a dimension of samples, found {self._shape}"
            )
        x = x.movedim(batch, 0)
        x = x.to(x.dtype if x.dtype == torch.float64 else torch.float32)
        if callable(layer.pool):
            x = layer.pool(x)
            if x.ndim != 2:
                raise RecordingError(f"layer '{self.name}': expected pool to return (m, d), found {tuple(x.shape)}")
        elif x.ndim == 1:
            x = x[:, None]
        elif x.ndim > 2 and layer.pool == "flatten":
            x = x.flatten(1)
        elif x.ndim > 2:
            channel = layer.channel_dim if layer.channel_dim is not None else self._channel_dim(x)
            x = self._summary(x.movedim(channel, -1).flatten(1, -2))
        return x.clone() if x.untyped_storage().data_ptr() == memory else x

    def _channel_dim(self, x: torch.Tensor) -> int:
        if x.ndim == 3:
            if isinstance(self.module, CHANNEL_SECOND):
                return 1
            if self._conv1d and not isinstance(self.module, CHANNEL_LAST):
                raise self._ambiguous(x, "of a model with one-dimensional convolutions")
            return -1
        if x.ndim == 4 and x.shape[1] == x.shape[2] != x.shape[3]:
            raise self._ambiguous(x, "whose channels seem to be last")
        return 1

    def _ambiguous(self, x: torch.Tensor, why: str) -> RecordingError:
        return RecordingError(
            f"layer '{self.name}': expected to know which dimension holds the channels, found an output of shape "
            f"{tuple(x.shape)} {why}; state {self._advice('channel_dim=1')}, or -1 if they are last"
        )

    def _summary(self, x: torch.Tensor) -> torch.Tensor:
        """Summarize the positions of (m, t, d)."""
        pool, mask = self.layer.pool, self._mask.value
        if mask is None or tuple(mask.shape) != tuple(x.shape[:2]):
            if pool == "mean":
                return x.mean(1)
            mask = torch.ones(x.shape[:2], device=x.device)
        valid, rows = mask.to(x.device, torch.bool), torch.arange(len(x), device=x.device)
        if pool == "mean":
            weights = valid.to(x.dtype)[..., None]
            return (x * weights).sum(1) / weights.sum(1).clamp(min=1)
        if pool == "max":
            return x.masked_fill(~valid[..., None], -torch.inf).amax(1)
        if pool == "first":
            return x[rows, valid.to(torch.uint8).argmax(1)]
        if pool == "last":
            return x[rows, x.shape[1] - 1 - valid.flip(1).to(torch.uint8).argmax(1)]
        raise RecordingError(
            f"layer '{self.name}': pool: expected mean, max, first, last, flatten or a function, found {pool!r}"
        )

    def _advice(self, setting: str) -> str:
        return f"Layer('{self.layer.module}', {setting}{'…' if setting.endswith('=') else ''})"

    def described(self) -> dict[str, Any]:
        pool = self.layer.pool if isinstance(self.layer.pool, str) else "function"
        return {
            "module": self.layer.module,
            "class": type(self.module).__name__,
            "of": self.layer.of,
            "shape": self._shape,
            "pool": pool if len(self._shape) > 2 else "none",
        }


CHANNEL_SECOND = tuple(
    getattr(nn, name)
    for name in ("Conv1d", "ConvTranspose1d", "BatchNorm1d", "InstanceNorm1d", "GroupNorm", "MaxPool1d", "AvgPool1d",
                 "AdaptiveAvgPool1d", "AdaptiveMaxPool1d")
)  # fmt: skip
CHANNEL_LAST = (nn.Linear, nn.LayerNorm, nn.Embedding, nn.RNNBase, nn.MultiheadAttention, nn.TransformerEncoderLayer,
                nn.TransformerEncoder)  # fmt: skip


def _batch_dim(module: nn.Module) -> int:
    """Return 1 for modules of PyTorch that expect (t, m, d)."""
    if isinstance(module, nn.TransformerEncoder):
        return _batch_dim(module.layers[0])
    if isinstance(module, nn.TransformerEncoderLayer):
        module = module.self_attn
    known = isinstance(module, (nn.RNNBase, nn.MultiheadAttention))
    return 1 if known and not module.batch_first else 0


def _named(layers: Sequence[str | Layer] | Mapping[str, str | Layer]) -> dict[str, Layer]:
    """Return the layers by the names of their files."""
    if isinstance(layers, (str, Layer)):
        layers = [layers]
    if not isinstance(layers, dict):
        every = [Layer(layer) if isinstance(layer, str) else layer for layer in layers]
        names = [layer.module if layer.of == "output" else f"{layer.module}.input" for layer in every]
        named = list(zip(names, every, strict=True))
    else:
        named = [(name, Layer(layer) if isinstance(layer, str) else layer) for name, layer in layers.items()]
    if not named:
        raise RecordingError("layers: expected at least one name of a module, found none")
    for name, layer in named:
        if layer.of not in ("output", "input"):
            raise RecordingError(f"layer '{name}': of: expected output or input, found {layer.of!r}")
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or name.lower() in RESERVED:
            raise RecordingError(
                f"layers: expected a name of letters, digits, '_', '-' and '.', other than {', '.join(RESERVED)}, "
                f"found '{name}'; give another with layers={{'NAME': '{layer.module}'}}"
            )
    if len({name.lower() for name, _ in named}) < len(named):
        raise RecordingError(f"layers: expected each name once, found {', '.join(name for name, _ in named)}")
    return dict(named)


def _module_of(model: nn.Module, name: str) -> nn.Module:
    """Return a module by its name, with or without the names of wrappers inside."""
    modules = {re.sub(r"\b_orig_mod\.", "", known): module for known, module in model.named_modules() if known}
    plain = re.sub(r"\b_orig_mod\.", "", name)
    for candidate in (plain, plain.removeprefix("module.")):
        if candidate in modules:
            return modules[candidate]
    close = difflib.get_close_matches(plain, modules, 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise RecordingError(f"layers: expected names of modules: {', '.join(modules)}; found '{name}'{hint}")


def _is_whole_linear(module: nn.Module) -> bool:
    """Return whether a linear module has its weights in this process, as no shard of them."""
    return isinstance(module, nn.Linear) and type(module.weight.data) is torch.Tensor and module.weight.ndim == 2


def _check_linear(module: nn.Module, name: str, outputs: str) -> None:
    if outputs != "logits":
        raise RecordingError(f"last_layer: expected outputs='logits' beside it, found outputs='{outputs}'")
    if not _is_whole_linear(module):
        raise RecordingError(
            f"last_layer: expected a linear module with whole weights, found '{name}', {type(module).__name__}"
        )


def _unwrapped(model: nn.Module) -> nn.Module:
    """Return the model in wrappers: data-parallel ones, and the compiler's."""
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), nn.Module):
            model = model._orig_mod
        else:
            return model


# --- Batches ---------------------------------------------------------------------------------------------------------


def _select(value: Any, take: Any, what: str, advice: str, usual: str) -> torch.Tensor:
    """Return the tensor in an output."""
    found = value
    if callable(take):
        found = take(value)
    elif take is not None:
        found = getattr(value, take) if isinstance(take, str) and hasattr(value, take) else value[take]
    elif not isinstance(value, torch.Tensor):
        if isinstance(value, (tuple, list)) and len(value) == 1:
            found = value[0]
        elif hasattr(value, usual):
            found = getattr(value, usual)
        elif isinstance(value, dict) and usual in value:
            found = value[usual]
    if isinstance(found, torch.Tensor):
        return found
    raise RecordingError(f"{what}: expected a tensor, found {_shown(found)}; state which with {advice}")


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"a tensor {tuple(value.shape)}"
    if isinstance(value, dict):
        return f"{type(value).__name__} of " + ", ".join(f"{key!r}: {_shown(one)}" for key, one in value.items())
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__} of " + ", ".join(f"{k}: {_shown(one)}" for k, one in enumerate(value))
    return type(value).__name__


def _scores(outputs: Any, kind: str, *, first: bool) -> torch.Tensor:
    """Return the outputs of the model as (m, K), or (m,) for a regression."""
    x = _select(outputs, None, "the output of the model", "output=", "logits").detach()
    x = x.to(x.dtype if x.dtype == torch.float64 else torch.float32)
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if kind == "values":
        if x.ndim != 1:
            raise RecordingError(f"outputs: expected one value for each sample, (m,) or (m, 1), found {tuple(x.shape)}")
        return x.clone()
    if x.ndim == 1:
        x = torch.stack([torch.zeros_like(x) if kind == "logits" else 1 - x, x], 1)
    if x.ndim != 2:
        raise RecordingError(
            f"outputs: expected {kind} of whole samples, (m, K), found {tuple(x.shape)}; of a sequence or image, "
            "record each position as a sample"
        )
    if first and kind == "logits" and bool((x >= 0).all() & ((x.sum(1) - 1).abs() < 1e-3).all()):
        raise RecordingError("outputs: expected logits, found rows that sum to 1; pass outputs='probabilities'")
    return x.clone()


def _targets(labels: Any, m: int, kind: str, classes: int) -> torch.Tensor:
    """Return the labels (m,), int64, or the values of a regression."""
    y = torch.as_tensor(labels).detach()
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if tuple(y.shape) != (m,):
        hint = "; of one-hot rows give the argmax" if tuple(y.shape) == (m, classes) else ""
        raise RecordingError(f"labels: expected one for each of the {m} samples, found shape {tuple(y.shape)}{hint}")
    if kind == "values":
        return y.to(y.dtype if y.dtype == torch.float64 else torch.float32).clone()
    whole = y.to(torch.int64)
    if y.is_floating_point() and not bool((whole == y).all()):
        raise RecordingError("labels: expected integers from 0, found fractions; of a regression pass outputs='values'")
    return whole.clone()


def _bytes_of(x: torch.Tensor, m: int) -> torch.Tensor:
    """Return images (m, h, w, c) of bytes, at most `IMAGE_SIDE` pixels high and wide."""
    x = x.detach()
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim != 4 or len(x) != m:
        raise RecordingError(f"images: expected ({m}, c, h, w) or ({m}, h, w), found {tuple(x.shape)}")
    x = x.to(torch.float32) if x.dtype != torch.uint8 else x.to(torch.float32) / 255
    low, high = float(x.min()), float(x.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise RecordingError(
            f"images: expected bytes or floats in [0, 1], found {low:.3g} to {high:.3g}; of standardized ones, undo "
            "it: images=lambda batch: batch[0] * std + mean, with std and mean of shape (c, 1, 1)"
        )
    if (side := max(x.shape[2:])) > IMAGE_SIDE:
        size = [max(1, round(length * IMAGE_SIDE / side)) for length in x.shape[2:]]
        x = nn.functional.interpolate(x, size=size, mode="area")
    return (x.clamp(0, 1) * 255).round().to(torch.uint8).movedim(1, -1).contiguous()


def _lines(texts: Sequence[str] | None, metadata: Mapping[str, Sequence[Any]] | None, m: int) -> dict[str, list[str]]:
    """Return texts and metadata as lines of JSON."""
    lines: dict[str, list[str]] = {}
    columns = {} if metadata is None else {name: _listed(values) for name, values in metadata.items()}
    for name, values in {**columns, **({} if texts is None else {"texts": list(texts)})}.items():
        if len(values) != m:
            raise RecordingError(f"{name}: expected one for each of the {m} samples, found {len(values)}")
    if texts is not None:
        lines["texts"] = [json.dumps({"text": str(text)}, ensure_ascii=False) for text in texts]
    if columns:
        rows = ({name: values[k] for name, values in columns.items()} for k in range(m))
        lines["metadata"] = [json.dumps(row, ensure_ascii=False) for row in rows]
    return lines


def _listed(values: Any) -> list[Any]:
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _host(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)


LABELS = ("labels", "label")


def _labels_of(batch: Any) -> Any:
    if isinstance(batch, (tuple, list)) and len(batch) > 1:
        return batch[1]
    if hasattr(batch, "keys"):
        for name in LABELS:
            if name in batch:
                return batch[name]
    raise RecordingError(
        f"batch: expected (inputs, labels) or a dictionary with 'labels', found {_shown(batch)}; give labels="
    )


def _inputs_of(batch: Any) -> Any:
    if hasattr(batch, "keys"):
        return {name: batch[name] for name in batch if name not in LABELS}
    return batch[0]


def _images_of(batch: Any, images: bool | Callable[[Any], Any], inputs: Callable[[Any], Any]) -> Any:
    if not images:
        return None
    found = images(batch) if callable(images) else inputs(batch)
    if isinstance(found, dict):
        found = found.get("pixel_values", found)
    return _select(found, None, "images", "images=", "pixel_values")


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if hasattr(value, "keys"):
        return {name: _moved(value[name], device) for name in value}
    if isinstance(value, (tuple, list)):
        return tuple(_moved(one, device) for one in value)
    return value.to(device) if hasattr(value, "to") else value


def _called(model: nn.Module, inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple) else model(inputs)


def _device_of(model: nn.Module) -> torch.device:
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device


class _Noted:
    """A sampler that remembers what it drew."""

    def __init__(self, sampler: Any) -> None:
        self.sampler, self.drawn = sampler, deque[Any]()

    def __iter__(self) -> Iterator[Any]:
        for drawn in self.sampler:
            self.drawn.append(copy.copy(drawn))
            yield drawn

    def __len__(self) -> int:
        return len(self.sampler)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sampler, name)


def _with_index(loader: Any) -> Generator[tuple[Any, Any]]:
    """Yield each batch with the indices of its samples in the dataset; None where they are unknown."""
    loader = getattr(loader, "base_dataloader", loader)  # of accelerate
    sampler = getattr(loader, "batch_sampler", None)
    if not isinstance(loader, torch.utils.data.DataLoader) or sampler is None:
        for batch in loader:
            yield batch, None
        return
    noted, workers = _Noted(sampler), loader.__dict__.get("_iterator")
    # A loader rejects another sampler after it is made; workers that persist would keep the earlier one.
    loader.__dict__.update(batch_sampler=noted, _iterator=None)
    try:
        for batch in loader:
            yield batch, _in_base(loader.dataset, noted.drawn.popleft()) if noted.drawn else None
    finally:
        loader.__dict__.update(batch_sampler=sampler, _iterator=workers)


def _in_base(dataset: Any, index: Any) -> Any:
    """Return the indices in the dataset of which `dataset` is a subset."""
    try:
        numbers = np.array([operator.index(one) for one in index], np.int64)
    except TypeError:  # no dataset with a number for each sample
        return None
    while isinstance(dataset, torch.utils.data.Subset):
        numbers, dataset = np.asarray(dataset.indices, np.int64)[numbers], dataset.dataset
    return numbers


def _base(loader: Any) -> Any:
    dataset = getattr(loader, "dataset", loader)
    while isinstance(dataset, torch.utils.data.Subset):
        dataset = dataset.dataset
    return dataset


def _check_splits(splits: Sequence[str]) -> None:
    for split in splits:
        if split not in SPLITS:
            raise RecordingError(f"expected parts of the data named {', '.join(SPLITS)}, found '{split}'")
    if len(splits) > 1 and "test" not in splits:
        raise RecordingError(f"expected a part 'test', which is analyzed, found {', '.join(splits)}")


def _ranks(rank: int | None, world_size: int | None) -> tuple[int, int, bool]:
    """Return rank, number of ranks, and whether they are a group that waits for each other."""
    if (rank is None) != (world_size is None):
        raise RecordingError("expected rank and world_size together, found one alone")
    if rank is not None and world_size is not None:
        return rank, world_size, False
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        size = torch.distributed.get_world_size()
        return torch.distributed.get_rank(), size, size > 1
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise RecordingError(
            f"expected an initialized torch.distributed, as WORLD_SIZE is {os.environ['WORLD_SIZE']}, found none; call "
            "torch.distributed.init_process_group first, or pass rank= and world_size="
        )
    return 0, 1, False
