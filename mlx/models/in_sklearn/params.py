"""The parameters of the scikit-learn models, under scikit-learn's own names and with its defaults."""

from typing import Annotated, Literal

from pydantic import Field

from mlx.core.settings import Settings

Count = Annotated[int, Field(ge=1, le=10_000_000)]
Share = Annotated[float, Field(gt=0, lt=1)]
WholeShare = Annotated[float, Field(gt=0, le=1)]
LeafLimit = Annotated[int, Field(ge=2, le=10_000_000)]


class RandomForestParams(Settings):
    """scikit-learn's `RandomForestClassifier`, or `RandomForestRegressor` for a regression.

    Attributes
    ----------
    n_estimators
        Trees.
    criterion
        Impurity that splits reduce. For classification gini, entropy or log_loss; for regression squared_error,
        absolute_error or poisson; auto: gini or squared_error.
    max_depth
        Largest depth of a tree; null: until leaves are pure.
    min_samples_split
        Smallest number, or share, of samples in a node that is split.
    min_samples_leaf
        Smallest number, or share, of samples in a leaf.
    min_weight_fraction_leaf
        Smallest share of all weights in a leaf.
    max_features
        Number or share of features considered for a split, sqrt or log2 of their number, null for all; auto: sqrt for
        classification, all for regression.
    max_leaf_nodes
        Largest number of leaves of a tree, which then grows best-first; null: no limit.
    min_impurity_decrease
        Smallest impurity decrease of a split.
    bootstrap
        Fit each tree to a sample drawn with replacement; false: to all samples.
    max_samples
        Number or share of samples drawn for a tree; null: as many as there are.
    class_weight
        balanced: inversely proportional to the class frequencies; balanced_subsample: to those in the sample of each
        tree.
    ccp_alpha
        Complexity parameter of cost-complexity pruning.
    n_jobs
        Number of trees fitted in parallel, -1 for the number of processors; changes no result.
    """

    n_estimators: int = Field(100, ge=1, le=100_000)
    criterion: Literal["auto", "gini", "entropy", "log_loss", "squared_error", "absolute_error", "poisson"] = "auto"
    max_depth: Count | None = None
    min_samples_split: LeafLimit | Share = 2
    min_samples_leaf: Count | Share = 1
    min_weight_fraction_leaf: float = Field(0.0, ge=0, le=0.5)
    max_features: Literal["auto", "sqrt", "log2"] | Count | WholeShare | None = "auto"
    max_leaf_nodes: LeafLimit | None = None
    min_impurity_decrease: float = Field(0.0, ge=0)
    bootstrap: bool = True
    max_samples: Count | WholeShare | None = None
    class_weight: Literal["balanced", "balanced_subsample"] | None = None
    ccp_alpha: float = Field(0.0, ge=0)
    n_jobs: Literal[-1] | Count | None = None


class GradientBoostingParams(Settings):
    """scikit-learn's `HistGradientBoostingClassifier`, or `HistGradientBoostingRegressor` for a regression.

    Attributes
    ----------
    loss
        For classification log_loss; for regression squared_error, absolute_error, gamma, poisson or quantile; auto:
        log_loss or squared_error.
    quantile
        That the loss quantile fits.
    learning_rate
        Factor of each tree.
    max_iter
        Number of rounds; each adds one tree for each class, or one for two classes and for regression.
    max_leaf_nodes
        Largest number of leaves of a tree; null: no limit.
    max_depth
        Largest depth of a tree; null: no limit.
    min_samples_leaf
        Smallest number of samples in a leaf.
    l2_regularization
        L2 penalty of the leaf values.
    max_features
        Share of the features considered for a split.
    max_bins
        Largest number of bins of a feature.
    early_stopping
        Stop when the loss on a validation part of the training samples does not improve; auto: with more than 10,000
        samples.
    validation_fraction
        Number or share of the validation samples; null: none, the training loss is monitored.
    n_iter_no_change
        Rounds without an improvement before it stops.
    tol
        Smallest decrease of the loss that counts as an improvement.
    class_weight
        balanced: inversely proportional to the class frequencies.
    """

    loss: Literal["auto", "log_loss", "squared_error", "absolute_error", "gamma", "poisson", "quantile"] = "auto"
    quantile: float | None = Field(None, ge=0, le=1)
    learning_rate: float = Field(0.1, gt=0)
    max_iter: int = Field(100, ge=1, le=100_000)
    max_leaf_nodes: LeafLimit | None = 31
    max_depth: Count | None = None
    min_samples_leaf: Count = 20
    l2_regularization: float = Field(0.0, ge=0)
    max_features: float = Field(1.0, gt=0, le=1)
    max_bins: int = Field(255, ge=2, le=255)
    early_stopping: Literal["auto"] | bool = "auto"
    validation_fraction: Count | Share | None = 0.1
    n_iter_no_change: Count = 10
    tol: float = Field(1e-7, ge=0)
    class_weight: Literal["balanced"] | None = None


class SvmParams(Settings):
    """scikit-learn's `SVC` under a `CalibratedClassifierCV`, or `SVR` for a regression.

    Attributes
    ----------
    C
        Inverse of the regularization strength.
    kernel
        rbf, linear, poly or sigmoid.
    degree
        Of the kernel poly.
    gamma
        Of all kernels but linear: a number, scale for 1 / (features · variance), auto for 1 / features.
    coef0
        Of the kernels poly and sigmoid.
    shrinking
        Use the shrinking heuristic, which changes the time and hardly the result.
    tol
        Tolerance at which the solver stops.
    max_iter
        Largest number of iterations of the solver; -1 for no limit.
    cache_size
        Memory of the kernel cache in MB; changes no result.
    class_weight
        balanced: inversely proportional to the class frequencies; for classification.
    epsilon
        Width of the tube without a loss; for regression.
    cv
        Number of folds that calibrate the probabilities; for classification.
    """

    C: float = Field(1.0, gt=0, le=1e12)
    kernel: Literal["rbf", "linear", "poly", "sigmoid"] = "rbf"
    degree: int = Field(3, ge=0, le=100)
    gamma: Literal["scale", "auto"] | Annotated[float, Field(gt=0)] = "scale"
    coef0: float = 0.0
    shrinking: bool = True
    tol: float = Field(1e-3, gt=0)
    max_iter: int = Field(-1, ge=-1, le=2**31 - 1)
    cache_size: float = Field(200, gt=0)
    class_weight: Literal["balanced"] | None = None
    epsilon: float = Field(0.1, ge=0)
    cv: int = Field(5, ge=2, le=1000)


class LogisticRegressionParams(Settings):
    """scikit-learn's multinomial logistic regression.

    Attributes
    ----------
    penalty
        l2, l1, elasticnet for both, or none. scikit-learn 1.8 writes l1_ratio 0 and 1 for l2 and l1, and an infinite C
        for none.
    C
        Inverse of the regularization strength.
    l1_ratio
        Share of l1 in the penalty elasticnet.
    fit_intercept
        Whether there is an intercept.
    class_weight
        balanced: inversely proportional to the class frequencies.
    solver
        lbfgs, newton-cg, newton-cholesky, sag or saga; only saga supports l1.
    max_iter
        Largest number of iterations of the solver; the default is 1000, as scikit-learn's 100 often end before
        convergence.
    tol
        Tolerance at which the solver stops.
    """

    penalty: Literal["l2", "l1", "elasticnet", "none"] = "l2"
    C: float = Field(1.0, ge=1e-12, le=1e12)
    l1_ratio: float | None = Field(None, ge=0, le=1)
    fit_intercept: bool = True
    class_weight: Literal["balanced"] | None = None
    solver: Literal["lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"] = "lbfgs"
    max_iter: int = Field(1000, ge=1, le=10_000_000)
    tol: float = Field(1e-4, gt=0)
