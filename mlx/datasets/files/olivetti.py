"""``olivetti_faces``: 400 gray photographs of 64 x 64 pixels, ten of each of 40 persons."""

from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.dataset import Dataset
from mlx.datasets.files.download import Download, Layout, locate
from mlx.datasets.files.stored import FetchedParams, StoredParams, augmentation_of, stored_dataset
from mlx.datasets.files.subsets import choose_rows, counted, rows_in

# Address and checksum are those of scikit-learn, whose own cache holds pickles and is not read.
OLIVETTI_DOWNLOAD = Download(
    "olivettifaces.mat",
    "https://ndownloader.figshare.com/files/5976027",
    "b612fb967f2dc77c9c62d3e1266e0c73d5fca46a4b8906c18e454d41af987794",
    "olivetti_faces",
)
SIZE = 64
PER_PERSON = 10


class OlivettiParams(FetchedParams, StoredParams):
    """Parameters of ``olivetti_faces``."""


def open_olivetti_faces(params: OlivettiParams, path: str | None) -> Dataset:
    """Photographs of persons; X is uint8 of shape (n_samples, 64, 64, 1).

    Source: F. Samaria, A. Harter, "Parameterisation of a stochastic model for human face identification",
    IEEE Workshop on Applications of Computer Vision, 1994; as resized by S. Roweis.

    Raises
    ------
    DataError
        If the file is not there or is damaged.
    """
    layouts = [Layout("file", (("olivettifaces.mat",),))]
    _, (file,) = locate("olivetti_faces", path, layouts, [OLIVETTI_DOWNLOAD], download=params.download)
    images = _read_faces(file)
    labels = np.arange(len(images), dtype=np.int64) // PER_PERSON
    index = choose_rows(labels, params.n_samples, params.seed)
    return stored_dataset(
        "olivetti_faces",
        params,
        rows_in(images),
        index,
        labels,
        class_names=tuple(f"person {k + 1}" for k in range(int(labels[-1]) + 1)),
        sample_shape=images.shape[1:],
        source=f"photographs of faces, AT&T Laboratories Cambridge 1994, {counted(index, len(labels))}",
        details={"augmentation": augmentation_of("olivetti_faces", params)},
        files=[file],
    )


def _read_faces(file: Path) -> Array:
    """Return the images, uint8 of shape (n, 64, 64, 1): the columns of the array ``faces``, column by column."""
    from scipy.io import loadmat

    wanted = f"{file}: expected an array faces of {SIZE * SIZE} rows of whole numbers 0 to 255, {PER_PERSON} columns "
    wanted += "for each person"
    try:
        found = loadmat(file, variable_names=["faces"]).get("faces", np.empty(0))
    except Exception as error:  # SciPy's reader fails in many ways on a damaged file
        raise DataError(f"{wanted}, found a damaged file ({' '.join(str(error).split())})") from None
    if found.ndim != 2 or found.shape[0] != SIZE * SIZE or found.shape[1] % PER_PERSON or not found.size:
        raise DataError(f"{wanted}, found {found.shape if found.size else 'none'}")
    if found.dtype.kind not in "iuf" or not ((found >= 0) & (found <= 255) & (found == np.floor(found))).all():
        raise DataError(f"{wanted}, found other values")
    faces = found.astype(np.uint8).T.reshape(-1, SIZE, SIZE)
    return np.ascontiguousarray(faces.transpose(0, 2, 1))[..., np.newaxis]
