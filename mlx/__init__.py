"""MLX: how, where and why a trained model fails, and whether its representations tell."""

__version__ = "0.1.0"

__all__ = ["DataGenerator", "ImageDataGenerator", "__version__"]


def __getattr__(name: str) -> object:
    """Import a notebook class when it is first asked for (PEP 562), so that ``import mlx`` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'mlx' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module("mlx.workbench"), name)
