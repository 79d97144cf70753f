"""`mlx demo`: a whole study from a few flags, for demonstrations."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx.config import Resolved

NAME = "demo"
HELP = "generate data, train a model, and report where and why it fails"

FLAGS: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "data_method": (("dataset", "name"), "shapes", "generated dataset: shapes, patterns, noise, gradients, or a table"),
    "n_samples": (("dataset", "params", "n_samples"), 1000, "samples to generate"),
    "n_classes": (("dataset", "params", "n_classes"), 5, "classes"),
    "image_size": (("dataset", "params", "image_size"), 32, "height and width of the images in pixels"),
    "model_type": (("model", "name"), "cnn", "model, by its name in a configuration"),
    "hidden_layers": (("model", "params", "hidden_layers"), "128,64", "widths of the hidden layers"),
    "batch_size": (("training", "batch_size"), 32, "samples a training step"),
    "epochs": (("training", "epochs"), 30, "maximum number of passes over the training samples"),
    "learning_rate": (("training", "learning_rate"), 0.001, "step size of the optimizer"),
    "output_dir": (("output", "directory"), "./results", "folder of the results, in the repository"),
    "random_seed": (("training", "seed"), 42, "seed of data, split, training and resampling"),
}
"""Each flag: the key that it sets, its default, and its description."""

SEEDS = (("dataset", "params", "seed"), ("split", "seed"), ("residuals", "seed"))
OPTIONAL = {"image_size": "dataset.params", "hidden_layers": "model.params", "n_classes": "dataset.params"}
"""Flags that some datasets or models do not have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags, each with underscores or hyphens."""
    for name, (_, default, text) in FLAGS.items():
        spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
        kind = {int: _whole, float: _number}.get(type(default), str)
        parser.add_argument(*spellings, dest=name, type=kind, metavar="X", help=f"{text} (default: {default})")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an integer, found '{text}'") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, found '{text}'") from None


def run(chosen: argparse.Namespace) -> str:
    """Return the headline metrics, and what opens the report."""
    from mlx.commands.places import at_root
    from mlx.commands.tables import metrics_of, result_lines
    from mlx.experiment import run_experiment
    from mlx.runs.run import read_run

    experiment = configured(chosen)
    with at_root() as shown:
        folder = run_experiment(experiment.config)
        lines = result_lines(metrics_of(read_run(folder)), shown(folder))
        return "\n".join([*lines, f"report      {shown(folder / 'data/report/report.html')}"])


def configured(chosen: argparse.Namespace) -> "Resolved":
    """Return the configuration that the flags describe; messages name the flag.

    Raises
    ------
    SettingsError
        A flag has an invalid value, or has no effect on the dataset or the model.
    """
    from pathlib import Path

    from mlx.config import resolve
    from mlx.core.documents import Document
    from mlx.core.errors import SettingsError

    document = Document(Path("mlx demo"), {"name": "demo", "training": {"early_stopping_patience": 10}}, {})
    for name, (key, default, _) in FLAGS.items():
        given = getattr(chosen, name)
        value = default if given is None else given
        if name == "hidden_layers":
            value = _widths(value)
        if name in OPTIONAL and not _has_use(name, chosen):
            if given is not None:
                which = chosen.model_type or "cnn" if name == "hidden_layers" else chosen.data_method or "shapes"
                raise SettingsError(f"--{name}: expected none, as {which} has no such parameter, found {given}")
            continue
        document = document.with_value(key, value, f"--{name}")
        if name == "random_seed":
            for other in SEEDS:
                document = document.with_value(other, value, f"--{name}")
    images = _has_use("image_size", chosen)
    document = document.with_value(("preprocessing", "scaling"), "unit" if images else "standard", "mlx demo")
    return resolve(document, strict=True)


def _has_use(name: str, chosen: argparse.Namespace) -> bool:
    """Return whether the dataset or model has the parameter; True for an unknown one, which is rejected later."""
    from mlx.datasets.catalogue import GENERATED, DatasetSpec
    from mlx.models.catalogue import MODELS, ModelSpec

    if name == "hidden_layers":
        spec: DatasetSpec | ModelSpec | None = MODELS.get((chosen.model_type or FLAGS["model_type"][1]).lower())
    else:
        spec = GENERATED.get((chosen.data_method or FLAGS["data_method"][1]).lower())
    return spec is None or name in spec.params.model_fields


def _widths(text: str) -> list[int]:
    from mlx.core.errors import SettingsError

    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SettingsError(f"--hidden_layers: expected numbers separated by commas, found '{text}'") from None
