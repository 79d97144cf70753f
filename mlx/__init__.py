"""MLX: how, where and why a trained model fails, and whether its representations tell."""

__version__ = "0.1.0"

_MODULES = {
    "Analysis": "mlx.workbench",
    "DataGenerator": "mlx.workbench",
    "ImageDataGenerator": "mlx.workbench",
    "ModelSelector": "mlx.workbench",
    "ResidualsAnalyzer": "mlx.workbench",
    "TrainingPipeline": "mlx.workbench",
    "VisualizationAnalyzer": "mlx.workbench",
    "analyze": "mlx.workbench",
}
__all__ = ["__version__", *_MODULES]  # the names are texts


def __getattr__(name: str) -> object:
    """Import a class or function for notebooks when it is first asked for (PEP 562), so that ``import mlx`` is free."""
    import importlib

    if name not in _MODULES:
        close = importlib.import_module("difflib").get_close_matches(name, _MODULES, 1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise AttributeError(f"module 'mlx' has no attribute '{name}'{hint}")

    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return what there is, for the completion of a notebook."""
    return sorted(__all__)
