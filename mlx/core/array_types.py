"""Names of array types, for annotations."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.floating]
"""Logits, probabilities or representations in the precision that they are stored in."""
Integers = npt.NDArray[np.intp]
"""Class labels, and row numbers of arrays in memory."""
Counts = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int64]
"""Row numbers that are written to files."""
Flags = npt.NDArray[np.bool_]
