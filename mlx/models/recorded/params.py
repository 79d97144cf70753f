"""The parameters of a model that is known by its recorded outputs: none."""

from mlx.core.settings import Settings


class RecordedModelParams(Settings):
    """Nothing is to be set of a model that is elsewhere."""
