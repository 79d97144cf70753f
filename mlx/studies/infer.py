"""The inference of a study: all its tables from the metrics of its cells."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlx.results.comparison import Metric
from mlx.results.study import CellDifference, CellEstimate, VarianceComponents
from mlx.studies.cells import estimate_cell
from mlx.studies.differences import compare_cells
from mlx.studies.ranking import Ranking, rank_cells, with_ranks
from mlx.studies.values import MetricValues, Repeats, Varies
from mlx.studies.variance import variance_of_cell, variance_of_difference


@dataclass(frozen=True)
class StudyInference:
    """What a study says.

    Attributes
    ----------
    cells
        Rows of ``cells.csv``.
    differences
        Rows of ``differences.csv``.
    variance
        Rows of ``variance.csv``.
    rankings
        By metric, the cells best first; of metrics of which more or less is better.
    """

    cells: tuple[CellEstimate, ...]
    differences: tuple[CellDifference, ...]
    variance: tuple[VarianceComponents, ...]
    rankings: Mapping[Metric, tuple[Ranking, ...]]


def infer(
    cells: Mapping[str, Mapping[Metric, MetricValues]],
    baseline: str | None = None,
    repeats: Repeats | None = None,
    level: float = 0.95,
) -> StudyInference:
    """Return intervals, paired differences, ranks and components of variance of the cells of a study.

    Parameters
    ----------
    cells
        By name, the metrics of the runs of each, as `mlx.studies.measure.measure_cell` returns them. All cells share
        their test samples, or, where each seed has its own, their seeds, in the same order.
    baseline
        Name of the cell that the others are compared with first; None without one.
    repeats
        What differs between the runs of a cell; by default the training alone.
    level
        Of all intervals, between 0 and 1.

    Raises
    ------
    ValueError
        Cells have other samples, or, where each seed has its own, other numbers of runs.
    """
    shared = (repeats or Repeats()).varies is Varies.TRAINING
    found = StudyInference((), (), (), {})
    for metric in dict.fromkeys(metric for metrics in cells.values() for metric in metrics):
        of_metric = {name: metrics[metric] for name, metrics in cells.items() if metric in metrics}
        pairs = compare_cells(of_metric, baseline, repeats, level)
        ranking = rank_cells({name: values.mean for name, values in of_metric.items()}, pairs, level)
        rows = [row for name, values in of_metric.items() for row in estimate_cell(name, values, repeats, level)]
        variance = [variance_of_cell(name, values, level) for name, values in of_metric.items()] if shared else []
        if shared:
            variance += [
                variance_of_difference(
                    pair, of_metric[pair.first], of_metric[pair.second], level=level, n_tests=len(pairs)
                )
                for pair in pairs
            ]
        found = StudyInference(
            found.cells + with_ranks(rows, ranking),
            found.differences + pairs,
            found.variance + tuple(variance),
            {**found.rankings, metric: ranking} if ranking else found.rankings,
        )
    return found
