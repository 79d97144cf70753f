"""`mlx plan`: how many seeds and samples a study needs."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx.studies.required_size import RequiredSize

NAME = "plan"
HELP = "say how many seeds and samples detect a difference, from a study that was run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--difference", type=float, required=True, metavar="NUMBER", help="to detect, such as 0.01")
    parser.add_argument(
        "--from", dest="study", required=True, metavar="STUDY", help="a study that was run: file, folder or name"
    )
    parser.add_argument("--metric", help="(default: accuracy, or mae of a regression)")
    parser.add_argument("--power", type=float, default=0.8, help="chance to detect it (default: %(default)s)")
    parser.add_argument(
        "--pairs", type=int, default=1, metavar="M", help="pairs of cells that will be tested (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> str:
    """Return a row for each pair of cells of the study: seeds needed on its samples, and samples by seeds."""
    import json
    from functools import partial

    from mlx.core.errors import SettingsError
    from mlx.studies.finished import read_finished, study_folder
    from mlx.studies.required_size import comparable_pairs, required_size

    if not 0 < chosen.difference < float("inf"):
        raise SettingsError(f"--difference: expected a number above 0, found {chosen.difference:g}")
    if chosen.pairs < 1:
        raise SettingsError(f"--pairs: expected a number of at least 1, found {chosen.pairs}")
    study = read_finished(study_folder(chosen.study))
    alpha = 1 - study.about["confidence"]
    if not alpha / chosen.pairs < chosen.power < 1:
        raise SettingsError(f"--power: expected a number above {alpha / chosen.pairs:.3g} and below 1")
    metric = study.chosen([chosen.metric] if chosen.metric else [], "--metric")[0]
    pairs = comparable_pairs([row for row in study.variance if row.metric is metric])
    if not pairs:
        reasons = sorted({str(row.status) for row in study.variance if row.metric is metric and row.against})
        found = "one" if len(study.names) < 2 else "runs that each have test samples of their own"
        why = ": " + "; ".join(reasons) if reasons else f", found {found}"
        raise SettingsError(
            f"{study.folder}: expected two cells or more whose {metric} has components of variance{why}"
        )
    size_of = partial(
        required_size, difference=chosen.difference, power=chosen.power, alpha=alpha, n_tests=chosen.pairs
    )
    rows = [(size_of(pair, at_upper_seed=upper), upper) for pair in pairs for upper in (False, True)]
    if chosen.json:
        return json.dumps([_record(size) | {"at_upper_seed": upper} for size, upper in rows], indent=2)
    return _table(rows, f"{metric} {chosen.difference:g}")


def _table(rows: "list[tuple[RequiredSize, bool]]", what: str) -> str:
    from mlx.commands.tables import as_prose, as_table
    from mlx.studies.required_size import SEEDS

    columns = [
        what,
        "variance by seeds",
        "detected now",
        "seeds",
        "on samples",
        *(f"samples by {s} seeds" for s in SEEDS),
    ]
    cells = [
        [
            f"{size.pair.cell} - {size.pair.against}",
            "upper 80 % limit" if upper else "as estimated",
            size.detectable,
            _count(size.seeds),
            size.pair.n_samples,
            *map(_count, size.samples.values()),
        ]
        for size, upper in rows
    ]
    table = as_table(columns, cells, more="--json")
    return "\n".join([table, "", *as_prose(["none: no number is enough, as the variance of the other remains"])])


def _count(number: int | None) -> Any:
    return "none" if number is None else number


def _record(size: "RequiredSize") -> dict[str, Any]:
    pair = {name: getattr(size.pair, name) for name in ("cell", "against", "n_seeds", "n_samples")}
    pair["metric"] = str(size.pair.metric)
    floors = {name: getattr(size.pair, name) for name in ("floor_seed", "floor_sample")}
    return pair | floors | {key: value for key, value in asdict(size).items() if key != "pair"}
