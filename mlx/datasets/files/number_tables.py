"""``california_housing`` and ``covtype``: published tables of numbers without a header."""

import warnings
import zlib
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.dataset import IN_MEMORY_LIMIT, Dataset
from mlx.datasets.files.download import Download, Layout, locate
from mlx.datasets.files.stored import FetchedParams, stored_table

# The addresses and checksums are those of scikit-learn, whose own cache holds pickles and is not read.
HOUSING_DOWNLOAD = Download(
    "unpacked",
    "https://ndownloader.figshare.com/files/5976036",
    "aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681",
    "california_housing",
    archive=True,
)
COVTYPE_DOWNLOAD = Download(
    "covtype.data.gz",
    "https://ndownloader.figshare.com/files/5976039",
    "614360d0257557dd1792834a85a1cdebfadc3c4f30b011d56afee7ffb5b15771",
    "covtype",
)

HOUSING_FEATURES = (
    "MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude",
)  # fmt: skip
COVTYPE_FEATURES = (
    "Elevation", "Aspect", "Slope", "Horizontal_Distance_To_Hydrology", "Vertical_Distance_To_Hydrology",
    "Horizontal_Distance_To_Roadways", "Hillshade_9am", "Hillshade_Noon", "Hillshade_3pm",
    "Horizontal_Distance_To_Fire_Points",
    *(f"Wilderness_Area_{k}" for k in range(4)),
    *(f"Soil_Type_{k}" for k in range(40)),
)  # fmt: skip
COVER_TYPES = (
    "Spruce/Fir", "Lodgepole Pine", "Ponderosa Pine", "Cottonwood/Willow", "Aspen", "Douglas-fir", "Krummholz",
)  # fmt: skip


class NumberTableParams(FetchedParams):
    """Parameters of ``california_housing`` and ``covtype``."""


def open_california_housing(params: NumberTableParams, path: str | None) -> Dataset:
    """Median values of houses in 20,640 districts of California, in units of 100,000 dollars, from 8 features.

    Rooms, bedrooms and occupants are divided by the households of the district, as in scikit-learn.

    Source: R. K. Pace, R. Barry, "Sparse spatial autoregressions", Statistics and Probability Letters 33, 1997.

    Raises
    ------
    DataError
        If the file is not there or is damaged.
    """
    layouts = [Layout("file", (("cal_housing.data",),), ("CaliforniaHousing",))]
    _, (file,) = locate("california_housing", path, layouts, [HOUSING_DOWNLOAD], download=params.download)
    columns = read_numbers(file, 9).T
    longitude, latitude, age, rooms, bedrooms, population, households, income, value = columns
    if households.min() <= 0:
        raise DataError(
            f"{file}: expected at least one household in column 7, found {households.min():g} in row "
            f"{np.argmin(households) + 1}"
        )
    shares = (rooms / households, bedrooms / households, population, population / households)
    return stored_table(
        "california_housing",
        params,
        np.column_stack([income, age, *shares, latitude, longitude]),
        value / 100_000,
        class_names=(),
        features=HOUSING_FEATURES,
        target="MedHouseVal",
        source="house values in districts of California, census of 1990",
        files=[file],
    )


def open_covtype(params: NumberTableParams, path: str | None) -> Dataset:
    """Kinds of forest on 581,012 plots of 30 x 30 m, seven classes, from 54 features.

    Source: J. A. Blackard, D. J. Dean, "Comparative accuracies of artificial neural networks and discriminant
    analysis in predicting forest cover types", Computers and Electronics in Agriculture 24, 1999.

    Raises
    ------
    DataError
        If the file is not there or is damaged.
    """
    layouts = [Layout("file", (("covtype.data.gz", "covtype.data"),))]
    _, (file,) = locate("covtype", path, layouts, [COVTYPE_DOWNLOAD], download=params.download)
    table = read_numbers(file, len(COVTYPE_FEATURES) + 1)
    kinds = table[:, -1]
    if (wrong := ~np.isin(kinds, range(1, len(COVER_TYPES) + 1))).any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{file}: expected a cover type from 1 to 7 in column 55, found {kinds[row]:g} in row {row + 1}"
        )
    return stored_table(
        "covtype",
        params,
        table[:, :-1],
        kinds.astype(np.int64) - 1,
        class_names=COVER_TYPES,
        features=COVTYPE_FEATURES,
        target="Cover_Type",
        source="forest cover types, UCI 1998",
        files=[file],
    )


def read_numbers(file: Path, n_columns: int) -> Array:
    """Return the numbers in a file without a header, separated by commas, float64 of shape (rows, `n_columns`).

    Raises
    ------
    DataError
        If it holds anything else, or more than `IN_MEMORY_LIMIT` bytes of numbers.
    """
    most = IN_MEMORY_LIMIT // (8 * n_columns)
    wanted = f"{file}: expected {n_columns} numbers in each row, separated by commas"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of an empty file
            table: Array = np.loadtxt(file, delimiter=",", comments=None, max_rows=most + 1, ndmin=2)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        reason = " ".join(str(error).partition(";")[0].split())  # after it, how NumPy's function is called
        raise DataError(f"{wanted}, found something else ({reason})") from None
    if table.shape[1] != n_columns or not len(table):
        raise DataError(f"{wanted}, found {table.shape[1] if len(table) else 'an empty file'}")
    if len(table) > most:
        raise DataError(f"{file}: expected at most {most:,} rows, found more")
    if not (finite := np.isfinite(table).all(axis=1)).all():
        raise DataError(f"{wanted}, found a missing or infinite one in row {int(np.argmin(finite)) + 1}")
    return table
