"""Columns that several tables have, each with one meaning."""

from typing import Annotated

from mlx.core.array_types import Array, Floats
from mlx.results.schema import Column
from mlx.stats.status import Status

STATUS = Column("text", "`ok`, or what is missing and why")

ClassLabel = Annotated[int, Column("label", "class label", name="class")]
ClassName = Annotated[str, Column("text", "name of the class")]
Layer = Annotated[str, Column("text", "the layer")]
Sd = Annotated[float, Column("number", "its standard deviation")]
Low = Annotated[float, Column("number", "lower end of its interval")]
High = Annotated[float, Column("number", "upper end of its interval")]
Null = Annotated[str, Column("text", "null hypothesis that the p-value is about")]
PMethod = Annotated[str, Column("text", "how the p-value was obtained")]
Permutations = Annotated[int, Column("count", "permutations drawn for the p-value", name="B")]
RowStatus = Annotated[Status, STATUS]

Index = Annotated[Array, Column("count", "row in the raw data")]
Target = Annotated[Floats, Column("number", "target")]
Prediction = Annotated[Floats, Column("number", "prediction")]
Residual = Annotated[Floats, Column("number", "true less predicted, in units of y")]
