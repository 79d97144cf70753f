"""MLX: how, where and why a trained model fails, and whether its representations tell."""

__version__ = "0.1.0"
