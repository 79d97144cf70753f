"""Pictures of how a model fails: ``plot_*(…, ax=None)`` functions that return Axes, in one style."""

_MODULES = {
    "plot_class_counts": "table",
    "plot_class_scatter": "table",
    "plot_confusion": "confusion",
    "plot_data_map": "data_map",
    "plot_entropy_histogram": "entropy",
    "plot_factor_effects": "factors",
    "plot_failure_scores": "failure_scores",
    "plot_issue_counts": "issues",
    "plot_layers": "comparison",
    "plot_learning_curves": "curves",
    "plot_leverage": "regression",
    "plot_precision_recall": "curves",
    "plot_probes": "probes",
    "plot_reliability": "reliability",
    "plot_representation_map": "embedding",
    "plot_residual_histogram": "regression",
    "plot_residual_images": "images",
    "plot_residual_qq": "regression",
    "plot_residuals_fitted": "regression",
    "plot_risk_coverage": "coverage",
    "plot_roc": "curves",
    "plot_runs": "comparison",
    "plot_sample_cards": "images",
    "plot_sample_grid": "images",
    "plot_similarity_entropy": "similarity",
    "plot_similarity_matrix": "matrix",
    "plot_target_histogram": "table",
    "plot_temperature": "reliability",
    "plot_weak_slices": "factors",
}
__all__ = [*_MODULES]  # the names are texts


def __getattr__(name: str) -> object:
    """Import a plot function when it is first asked for (PEP 562): reading a configuration imports none."""
    if name not in _MODULES:
        raise AttributeError(f"module 'mlx.plots' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(f"mlx.plots.{_MODULES[name]}"), name)
