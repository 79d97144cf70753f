"""The parameters of the scikit-learn models, under scikit-learn's own names."""

from pydantic import Field

from mlx.core.settings import Settings


class LogisticRegressionParams(Settings):
    """scikit-learn's multinomial logistic regression, under its own parameter names.

    Attributes
    ----------
    C : inverse strength of the L2 penalty.
    max_iter : most iterations of L-BFGS.
    tol : gradient size at which it stops.
    """

    C: float = Field(1.0, ge=1e-12, le=1e12)
    max_iter: int = Field(1000, ge=1, le=10_000_000)
    tol: float = Field(1e-4, gt=0)


SKLEARN_PARAMS: dict[str, type[Settings]] = {"logistic_regression": LogisticRegressionParams}
"""Each scikit-learn model's name and the schema of its `params`."""
