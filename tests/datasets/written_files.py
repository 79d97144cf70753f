"""Writes small sets in the original file formats, for the tests of what reads them."""

import atexit
import gzip
import shutil
import struct
import zlib
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from PIL import Image
from scipy.io import savemat

N = 240


def pictures(n: int, labels: np.ndarray, size: int, channels: int, seed: int) -> np.ndarray:
    """Noise with a bright bar whose place tells the class: something that a small model can learn."""
    X = np.random.default_rng(seed).integers(0, 120, (n, size, size, channels), dtype=np.uint8)
    for image, label in zip(X, labels, strict=True):
        image[int(label) * size // 10 :][:2] += 130
    return X


def ten_classes(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(n) % 10).astype(np.uint8)


def write_idx(path: Path, array: np.ndarray) -> None:
    content = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    content += array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_mnist(
    folder: Path, *, zipped: bool = False, n: int = N, n_train: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Write train (5/6 unless told) and test images, 28 × 28; return all of them with their labels."""
    y, cut, end = ten_classes(n), n_train or n * 5 // 6, ".gz" if zipped else ""
    X = pictures(n, y, 28, 1, 1)[..., 0]
    for prefix, part in (("train", slice(0, cut)), ("t10k", slice(cut, n))):
        write_idx(folder / f"{prefix}-images-idx3-ubyte{end}", X[part])
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{end}", y[part])
    return X, y


def python2_batch(data: np.ndarray, lists: dict[str, list[int]], label: str) -> bytes:
    """Return the bytes that Python 2's cPickle writes for a batch with protocol 2, as published."""

    def short(text: str) -> bytes:
        return b"U" + bytes([len(text)]) + text.encode()

    out = b"\x80\x02}q\x01(" + short("batch_label") + b"q\x02" + short(label) + b"q\x03"
    for name, values in lists.items():
        numbers = b"".join(b"K" + bytes([value]) for value in values)
        out += short(name) + b"]q\x04(" + numbers + b"e"
    shape = b"".join(b"J" + struct.pack("<i", length) for length in data.shape) + b"\x86"
    out += short("data") + b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07"
    out += b"(K\x01" + shape + b"cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09"
    out += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    out += b"T" + struct.pack("<i", data.size) + data.tobytes() + b"tb"
    names = b"".join(short(f"image_{k}.png") for k in range(len(data)))
    return out + short("filenames") + b"](" + names + b"eu."


def planes(X: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(X.transpose(0, 3, 1, 2)).reshape(len(X), -1)


def write_cifar10(folder: Path, *, binary: bool = False, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    y = ten_classes(n)
    X = pictures(n, y, 32, 3, 2)
    names = [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]
    for name, rows in zip(names, np.array_split(np.arange(n), 6), strict=True):
        if binary:
            records = np.concatenate([y[rows, np.newaxis], planes(X[rows])], axis=1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            batch = python2_batch(planes(X[rows]), {"labels": y[rows].tolist()}, f"part {name}")
            (folder / name).write_bytes(batch)
    return X, y


def write_cifar100(folder: Path, *, binary: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write 5 images of each fine class; return images, fine and coarse labels (fine ones divided by 5)."""
    fine = np.random.default_rng(5).permutation(np.arange(500) % 100).astype(np.uint8)
    coarse = (fine // 5).astype(np.uint8)
    X = pictures(500, coarse // 2, 32, 3, 3)
    X[np.arange(500), 31, fine % 32] = 255
    for name, rows in (("train", slice(0, 400)), ("test", slice(400, 500))):
        if binary:
            records = np.concatenate([np.stack([coarse, fine], axis=1)[rows], planes(X[rows])], axis=1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            lists = {"fine_labels": fine[rows].tolist(), "coarse_labels": coarse[rows].tolist()}
            (folder / name).write_bytes(python2_batch(planes(X[rows]), lists, name))
    return X, fine, coarse


def write_images(root: Path, classes: tuple[str, ...] = ("ant", "bee", "cow"), n: int = 40) -> None:
    """Write photographs of different sizes, every other one a JPEG."""
    rng = np.random.default_rng(4)
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for k in range(n):
            height, width = rng.integers(20, 60, 2)
            X = rng.integers(0, 90, (height, width, 3), dtype=np.uint8)
            X[..., label % 3] += 120
            Image.fromarray(X).save(root / name / f"{k:03}.{'jpg' if k % 2 else 'png'}")


def write_housing(folder: Path, n: int = N) -> None:
    """Write a table whose target is nearly linear in the income."""
    rng = np.random.default_rng(6)
    households, income = rng.integers(10, 900, n), rng.uniform(0.5, 15, n).round(4)
    counts = [(households * rng.uniform(low, high, n)).round() for low, high in ((3, 9), (0.8, 1.4), (1, 5))]
    place = rng.uniform([-124, 32], [-114, 42], (n, 2)).round(2).T
    value = (40_000 * income + rng.normal(0, 20_000, n)).round()
    table = np.column_stack([*place, rng.integers(1, 53, n), *counts, households, income, value])
    np.savetxt(folder / "cal_housing.data", table, delimiter=",", fmt="%.6f")


def write_covtype(folder: Path, n: int = 7 * N // 6) -> None:
    """Write a table whose classes differ in their elevation."""
    rng = np.random.default_rng(7)
    kinds = rng.permutation(np.arange(n) % 7) + 1
    table = np.column_stack([400 * kinds + rng.integers(0, 600, n), rng.integers(0, 2, (n, 53)), kinds])
    content = "\n".join(",".join(map(str, row)) for row in table)
    (folder / "covtype.data.gz").write_bytes(gzip.compress(content.encode()))


def write_olivetti(folder: Path) -> np.ndarray:
    """Write ten noisy images of each of 40 persons; return them, uint8 of shape (400, 64, 64)."""
    labels = np.arange(400) // 10
    X = np.random.default_rng(8).integers(0, 80, (400, 64, 64), dtype=np.uint8)
    X[np.arange(400), labels + 12] += 150
    savemat(folder / "olivettifaces.mat", {"faces": X.transpose(0, 2, 1).reshape(400, -1).T})
    return X


PUBLISHED_WHOLE = {"california_housing": write_housing, "covtype": write_covtype, "olivetti_faces": write_olivetti}


@cache
def files_of(name: str) -> str | None:
    """Write the files of the dataset `name` into a folder of their own, once; None where it reads none."""
    folder = Path(mkdtemp(prefix=f"{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if name in {"mnist", "fashion_mnist"}:
        write_mnist(folder, zipped=name == "fashion_mnist")
    elif name == "cifar10":
        write_cifar10(folder)
    elif name == "cifar100":
        write_cifar100(folder, binary=True)
    elif name == "imagenet":
        write_images(folder)
    elif name in PUBLISHED_WHOLE:
        PUBLISHED_WHOLE[name](folder)
    elif name == "custom":
        y = np.arange(300) % 3
        X = np.random.default_rng(0).normal(size=(300, 4)) + 2 * y[:, np.newaxis]
        np.savez(folder / "own.npz", X=X, y=np.array(["a", "b", "c"])[y], **{"factors/order": np.arange(300)})
        return str(folder / "own.npz")
    else:
        folder.rmdir()
        return None
    return str(folder)


def png_bytes(values, depth, color_type, key=b""):
    """Return a PNG as its specification says, from integers (height, width[, channels]) and a tRNS chunk."""
    height, width = values.shape[:2]
    rows = b""
    for row in values.reshape(height, -1):
        bits = "".join(format(int(value), f"0{depth}b") for value in row)
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", key), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
        if content or kind == b"IEND"
    )
