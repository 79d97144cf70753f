"""Random numbers: every stream is derived at one place."""

import re
from pathlib import Path

import numpy as np

from mlx.core.streams import epoch_stream, stream

MLX = Path(__file__).parents[2] / "mlx"
DERIVES = {"core/streams.py", "stats/permutation.py"}
"""The second one takes a stream from that of its caller."""


def test_no_other_module_derives_a_stream() -> None:
    files = {file.relative_to(MLX).as_posix(): file.read_text() for file in MLX.rglob("*.py")}
    assert {name for name, text in files.items() if re.search(r"default_rng\(|SeedSequence\(", text)} == DERIVES


def test_streams_of_different_keys_differ_and_repeat() -> None:
    assert stream(3).random() == np.random.default_rng(3).random() != stream(3, 1).random()
    assert epoch_stream(3, 1, 2).random() == np.random.default_rng([3, 1, 2]).random() != epoch_stream(3, 2).random()
