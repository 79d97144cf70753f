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
    n_estimators : trees.
    criterion : what a split lowers. Of a classifier gini, entropy or log_loss; of a regression squared_error,
        absolute_error or poisson; auto: gini, or squared_error.
    max_depth : most splits on the way to a leaf; null: until leaves are pure.
    min_samples_split : fewest samples of a node that is split, or their share.
    min_samples_leaf : fewest samples of a leaf, or their share.
    min_weight_fraction_leaf : smallest share of all weights in a leaf.
    max_features : features tried for a split: how many, which share, sqrt or log2 of them, null for all; auto:
        sqrt for a classifier, all for a regression.
    max_leaf_nodes : most leaves of a tree, which then grows where it gains most; null: any number.
    min_impurity_decrease : smallest gain of a split.
    bootstrap : fit each tree to a sample drawn with replacement; false: to all samples.
    max_samples : how many samples are drawn for a tree, or their share; null: as many as there are.
    class_weight : balanced: classes count alike, however large; balanced_subsample: in every tree's own sample.
    ccp_alpha : price of a leaf in cost-complexity pruning.
    n_jobs : trees fitted at a time, -1 for as many as there are processors; changes no result.
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
    loss : of a classifier log_loss; of a regression squared_error, absolute_error, gamma, poisson or quantile; auto:
        log_loss, or squared_error.
    quantile : which one loss quantile fits.
    learning_rate : share of each tree that is added.
    max_iter : rounds; each adds a tree for each class, one for two classes and for a regression.
    max_leaf_nodes : most leaves of a tree; null: any number.
    max_depth : most splits on the way to a leaf; null: any number.
    min_samples_leaf : fewest samples of a leaf.
    l2_regularization : weight of the squared leaf values.
    max_features : share of the features that is tried for a split.
    max_bins : bins into which each feature is cut.
    early_stopping : stop when a part of the training samples set aside is not fitted better; auto: with more than
        10,000 samples.
    validation_fraction : how many samples are set aside, or their share; null: none, the training loss is watched.
    n_iter_no_change : rounds without a gain before it stops.
    tol : smallest change of the loss that is a gain.
    class_weight : balanced: classes count alike, however large.
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
    C : inverse strength of the penalty.
    kernel : rbf, linear, poly or sigmoid.
    degree : of the kernel poly.
    gamma : of all kernels but linear: a number, scale for 1 / (features · variance), auto for 1 / features.
    coef0 : of the kernels poly and sigmoid.
    shrinking : leave out samples that are decided; changes the time it takes, hardly the result.
    tol : accuracy at which the solver stops.
    max_iter : most iterations of the solver; -1 for any number.
    cache_size : memory of the kernel cache in MB; changes no result.
    class_weight : balanced: classes count alike, however large; of a classifier.
    epsilon : error that costs nothing; of a regression.
    cv : parts into which the samples are divided to calibrate the probabilities; of a classifier.
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
    penalty : l2, l1, elasticnet for both, or none. scikit-learn 1.8 writes l1_ratio 0 and 1 for l2 and l1, and an
        infinite C for none.
    C : inverse strength of the penalty.
    l1_ratio : share of l1 in the penalty elasticnet.
    fit_intercept : whether there is one.
    class_weight : balanced: classes count alike, however large.
    solver : lbfgs, newton-cg, newton-cholesky, sag or saga; with l1 only saga can.
    max_iter : most iterations of the solver; 1000, where scikit-learn's 100 often end before it converges.
    tol : gradient size at which it stops.
    """

    penalty: Literal["l2", "l1", "elasticnet", "none"] = "l2"
    C: float = Field(1.0, ge=1e-12, le=1e12)
    l1_ratio: float | None = Field(None, ge=0, le=1)
    fit_intercept: bool = True
    class_weight: Literal["balanced"] | None = None
    solver: Literal["lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"] = "lbfgs"
    max_iter: int = Field(1000, ge=1, le=10_000_000)
    tol: float = Field(1e-4, gt=0)
