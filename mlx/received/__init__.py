"""Recorded outputs of a model of any framework: read and checked at one place, for `mlx analyze` and for notebooks."""

from mlx.datasets.custom.rows import Rows
from mlx.received.class_names import read_class_names
from mlx.received.predictions import Given, Received, given_in_notebook, receive
from mlx.received.sparse import is_sparse

__all__ = ["Given", "Received", "Rows", "given_in_notebook", "is_sparse", "read_class_names", "receive"]
