"""Rates in simulations."""

from scipy.stats import binom


def rate_is_within(hits, low, high, *, runs):
    """Whether the rate may be between two limits, by a test of size 0.00025 at either."""
    return binom.ppf(0.00025, runs, low) <= hits <= binom.ppf(0.99975, runs, high)
