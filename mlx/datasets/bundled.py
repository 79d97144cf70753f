"""``iris``, ``wine``, ``breast_cancer`` and ``diabetes``: the tables that are part of scikit-learn."""

import numpy as np

from mlx.datasets.dataset import Dataset
from mlx.datasets.files.stored import SubsetParams, stored_table

BUNDLED = {
    "iris": "flowers of three species, R. A. Fisher 1936",
    "wine": "chemical analyses of wines of three growers, UCI 1991",
    "breast_cancer": "cell nuclei in images of tumors (Wisconsin, diagnostic), UCI 1995",
    "diabetes": "progression of diabetes after a year, B. Efron et al. 2004",
}
"""What each table contains, and where it was published."""


class BundledParams(SubsetParams):
    """Parameters of ``iris``, ``wine``, ``breast_cancer`` and ``diabetes``."""


def open_bundled(name: str, params: BundledParams) -> Dataset:
    """Return the table `name`, one of `BUNDLED`; X is float64 of shape (n_samples, features).

    ``details["features"]`` holds the names of the columns. All values are as measured: those of ``diabetes``
    are ``load_diabetes(scaled=False)``, as scaling by the statistics of all rows would use test rows.

    Raises
    ------
    SettingsError
        If more samples are asked for than there are.
    """
    from sklearn import datasets

    load = getattr(datasets, f"load_{name}")
    data = load(scaled=False) if name == "diabetes" else load()
    names = [str(k) for k in data.get("target_names", ())]
    return stored_table(
        name,
        params,
        np.asarray(data.data, dtype=np.float64),
        data.target.astype(np.int64 if names else np.float64),
        class_names=names,
        features=[str(k) for k in data.feature_names],
        source=f"scikit-learn load_{name}: {BUNDLED[name]}",
    )
