"""One layer beside the others: how well a linear probe reads the classes from it, and how far it has collapsed."""

from dataclasses import dataclass
from typing import Annotated

from mlx.results import columns
from mlx.results.schema import Column, RowSchema
from mlx.stats.status import OK, Status

NAN = float("nan")

Nc1 = Annotated[float, Column("number", "spread within classes against spread between them, 0 when collapsed")]
Nc2Norms = Annotated[float, Column("number", "variation of the lengths of the class centers")]
Nc2Angles = Annotated[float, Column("number", "standard deviation of the cosines between them")]
Nc2Simplex = Annotated[float, Column("number", "mean distance of these cosines from those of a simplex")]
Nc3 = Annotated[float, Column("number", "distance of the last layer's weights from the class centers, 0 to 2")]
Nc4 = Annotated[float, Column("share", "samples that the model assigns to another class than the nearest center")]


@dataclass(frozen=True, kw_only=True)
class LayerReadout:
    """Linear probe and neural collapse of one layer; a number is NaN where a status says why."""

    layer: columns.Layer
    n_features: Annotated[int, Column("count", "width of the layer")]
    n_train: Annotated[int, Column("count", "recorded training samples")] = 0
    probe_accuracy: Annotated[
        float, Column("share", "accuracy, on the test samples, of a logistic regression fitted on the training samples")
    ] = NAN
    probe_low: columns.Low = NAN
    probe_high: columns.High = NAN
    probe_status: Annotated[Status, Column("text", "`ok`, or why it or its interval is missing")] = OK
    model_accuracy: Annotated[float, Column("share", "accuracy of the model on the same test samples")] = NAN
    confidence: Annotated[float, Column("share", "level of the interval")] = NAN
    train_nc1: Nc1 = NAN
    train_nc2_norms: Nc2Norms = NAN
    train_nc2_angles: Nc2Angles = NAN
    train_nc2_simplex: Nc2Simplex = NAN
    train_nc3: Nc3 = NAN
    train_nc4: Nc4 = NAN
    train_status: Annotated[Status, Column("text", "`ok`, or what is missing of the training samples' and why")] = OK
    test_nc1: Nc1 = NAN
    test_nc2_norms: Nc2Norms = NAN
    test_nc2_angles: Nc2Angles = NAN
    test_nc2_simplex: Nc2Simplex = NAN
    test_nc3: Nc3 = NAN
    test_nc4: Nc4 = NAN
    test_status: Annotated[Status, Column("text", "`ok`, or what is missing of the test samples' and why")] = OK


PROBES = RowSchema(
    "probes.csv",
    LayerReadout,
    "One row per layer: a linear probe, and neural collapse of the training samples (`train_`), whose published "
    "quantities these are, beside that of the test samples (`test_`).",
    key=("layer",),
)
