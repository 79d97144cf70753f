"""One simulated test set: what a model recorded of it, and what is known of its samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Sample:
    """What a classifier recorded of n test samples.

    Attributes
    ----------
    representation
        (n_samples, n_features).
    probabilities
        (n_samples, n_classes).
    y_true, y_pred
        (n_samples,).
    factors
        A column a factor, n_samples rows.
    groups
        Name of the column of ``factors`` that is declared as groups, or "duplicates"; empty where none is.
    """

    representation: np.ndarray
    probabilities: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    factors: pd.DataFrame
    groups: str = ""

    @property
    def group_labels(self) -> np.ndarray | None:
        """Label (n_samples,) of the group of each sample; None where no groups are declared."""
        if self.groups == "duplicates":
            return np.unique(self.probabilities, axis=0, return_inverse=True)[1].ravel()
        return self.factors[self.groups].to_numpy() if self.groups else None

    @property
    def n_errors(self) -> int:
        """Number of wrong predictions."""
        return int((self.y_true != self.y_pred).sum())
