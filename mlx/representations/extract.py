"""One pass of a trained model over the samples to be analyzed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from mlx.core.array_types import Array
from mlx.models import Model, Outputs


def extract(model: Model, batches: Iterable[Array], layers: Sequence[str], *, size: int = 0) -> Iterator[Outputs]:
    """Yield the outputs of `model` for each batch, with the representations under the requested names.

    The last batch is padded to the size of the others with copies of its last row, and its outputs are cut
    again. So the model is compiled once, and the outputs for a sample do not depend on the size of its batch.

    The `batches` (m, *sample_shape) are all of the same `size`, that of the first by default, but the last; `layers`
    may contain ``penultimate``.

    Raises
    ------
    SettingsError
        The model has no layer of that name.
    """
    resolved = {name: model.resolve_layer(name) for name in layers}
    for batch in batches:
        size = size or len(batch)
        filler = np.repeat(batch[-1:], size - len(batch), axis=0)
        outputs = model.outputs(np.concatenate([batch, filler]), tuple(dict.fromkeys(resolved.values())))
        named = {name: outputs.representations[layer] for name, layer in resolved.items()}
        yield _first(replace(outputs, representations=named), len(batch))


def _first(outputs: Outputs, rows: int) -> Outputs:
    return Outputs(
        None if outputs.logits is None else outputs.logits[:rows],
        None if outputs.probabilities is None else outputs.probabilities[:rows],
        outputs.predictions[:rows],
        {name: values[:rows] for name, values in outputs.representations.items()},
    )
