"""Which learning rates are worth a word."""

import warnings

LARGEST_USUAL = 1.0


def warn_of_large_rate(rate: float) -> None:
    """Warn of a learning rate that few problems bear."""
    if rate > LARGEST_USUAL:
        warnings.warn(f"a learning rate above {LARGEST_USUAL:g} seldom converges, found {rate:g}", stacklevel=3)
