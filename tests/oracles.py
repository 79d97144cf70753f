"""Results of other statistical software; a test that needs one that is not installed is skipped, by its name."""

from typing import Any

import pytest


def oracle(module: str) -> Any:
    """Import the software."""
    return pytest.importorskip(module, reason=f"needs the oracle {module.partition('.')[0]}")


def adjusted(p: Any, method: str) -> Any:
    """Return p-values adjusted by ``holm`` or ``fdr_bh``, of statsmodels."""
    return oracle("statsmodels.stats.multitest").multipletests(p, method=method)[1]


def wilson(count: int, n: int) -> Any:
    """Return Wilson's interval of a share, of statsmodels."""
    return oracle("statsmodels.stats.proportion").proportion_confint(count, n, method="wilson")
