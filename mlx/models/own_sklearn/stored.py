"""Any estimator of scikit-learn as a skops file, with types that skops trusts by default."""

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.artifacts import replacing
from mlx.core.errors import ArtifactError, DataError
from mlx.core.reading import existing
from mlx.models.in_sklearn.leaves import check_tree_links

TRUSTED = frozenset(
    {
        "sklearn.tree._tree.Tree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    }
)
"""Types beside those that skops trusts; trees are checked, as compiled code follows their links."""


def write_stored(path: Path, estimator: Any, where: str) -> None:
    """Write `estimator`, with the same bytes for the same one.

    skops names arrays by their memory addresses and dates them: here they are numbered, in the order of the schema.

    Raises
    ------
    DataError
        It has objects of other classes than those of scikit-learn, NumPy and SciPy: names them.
    """
    from skops.io import dumps, get_untrusted_types

    content = dumps(estimator)
    if unknown := set(get_untrusted_types(data=content)) - TRUSTED:
        raise DataError(
            f"{where}: expected an estimator of classes of scikit-learn, NumPy and SciPy alone, which can be stored "
            f"without pickling, found {', '.join(sorted(unknown))}"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as source, replacing(path) as temporary:
        names: dict[str, str] = {}
        schema = _numbered(json.loads(source.read("schema.json")), names, {})
        with zipfile.ZipFile(temporary, "w") as target:
            target.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema, separators=(",", ":")))
            for old, new in names.items():
                target.writestr(zipfile.ZipInfo(new), source.read(old))


def _numbered(part: Any, names: dict[str, str], objects: dict[int, int]) -> Any:
    """Return `part` of a schema with its objects and files numbered in the order in which they appear."""
    if isinstance(part, list):
        return [_numbered(item, names, objects) for item in part]
    if not isinstance(part, dict):
        return part
    renamed = {key: _numbered(value, names, objects) for key, value in part.items()}
    if isinstance(file := part.get("file"), str):
        renamed["file"] = names.setdefault(file, f"{len(names)}{Path(file).suffix}")
    if isinstance(number := part.get("__id__"), int):
        renamed["__id__"] = objects.setdefault(number, len(objects))
    return renamed


def read_stored(path: Path) -> Any:
    """Read an estimator from a skops file; nothing in it is unpickled.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, was written by another version of scikit-learn, or has objects of other
        classes than those of scikit-learn, NumPy and SciPy.
    """
    from skops.io import get_untrusted_types, loads

    content = existing(path).read_bytes()  # once, so that what is checked is what is loaded
    try:
        unknown = set(get_untrusted_types(data=content)) - TRUSTED
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = None if unknown else loads(content, trusted=sorted(TRUSTED))
            _check_trees(found, 0, set())
    except Exception as error:  # an altered file can fail anywhere
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(f"{path}: expected a scikit-learn model in a skops file, found {reason}") from None
    if unknown:
        raise ArtifactError(
            f"{path}: expected an estimator of classes of scikit-learn, NumPy and SciPy alone, found "
            f"{', '.join(sorted(unknown))}"
        )
    return found


def _check_trees(value: Any, n_features: int, seen: set[int]) -> None:
    """Raise `ValueError` if a tree in a loaded estimator is unsafe for compiled code."""
    from sklearn.base import BaseEstimator
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.tree._tree import Tree

    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Tree):
        left, right = value.children_left, value.children_right
        check_tree_links(left, right, value.feature, left == right, min(value.n_features, n_features))
    elif isinstance(value, TreePredictor):
        nodes = value.nodes
        leaf = nodes["is_leaf"].astype(bool)
        left, right, feature = (nodes[name].astype(np.int64) for name in ("left", "right", "feature_idx"))
        check_tree_links(left, right, feature, leaf, n_features)
        if nodes["is_categorical"].any():
            raise ValueError("a tree that splits on categories")
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype.kind == "O"):
        for item in value if isinstance(value, list | tuple) else value.ravel():
            _check_trees(item, n_features, seen)
    elif isinstance(value, BaseEstimator) or hasattr(value, "__dict__"):
        own = getattr(value, "n_features_in_", n_features)
        for item in vars(value).values():
            _check_trees(item, own if isinstance(own, int) else n_features, seen)
