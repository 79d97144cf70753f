"""The residuals analysis for notebooks: thin, over the functions that the pipeline runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.artifacts import replacing_folder
from mlx.core.metrics import write_metrics
from mlx.core.paths import expanded
from mlx.pipeline.residuals_analysis import write_classification
from mlx.residuals import ResidualsSettings, analyze_classification
from mlx.runs.received import given_in_notebook, receive


class ResidualsAnalyzer:
    """Asks whether the geometry of representations tells where a classifier is unsure and wrong.

    Parameters
    ----------
    save_dir : folder in which every analysis leaves its tables, in ``residuals/``, and its headline numbers, in
        ``residuals.json``; an earlier analysis there is replaced. Without, nothing is written.
    settings : keys of the section ``residuals`` of a configuration, such as ``seed`` and ``n_permutations``.
    """

    def __init__(self, save_dir: str | Path | None = None, **settings: Any) -> None:
        self.save_dir = None if save_dir is None else expanded(save_dir)
        self.settings = ResidualsSettings.model_validate(settings)

    def run_full_analysis(
        self,
        representations: Any,
        softmax_outputs: Any,
        y_true: Any,
        y_pred: Any = None,
        *,
        logits: Any = None,
        class_names: Any = None,
        factors: Any = None,
    ) -> dict[str, pd.DataFrame]:
        """Analyze predictions and what represents them.

        Parameters
        ----------
        representations : (n, d), an array or sparse; or several layers by their names, the headline's first.
        softmax_outputs : (n, K), rows that sum to 1; or (n,), the probability of the second of two classes.
        y_true, y_pred : (n,), labels from 0, or names; for no y_pred, the class of the largest probability.
        logits : (n, K) before the softmax, where known: entropies are exact where probabilities are rounded.
        class_names : K names, in any sequence; the labels' own in sorted order, or numbers, by default.
        factors : what is known of each sample, a column of n values each.

        Each may also be the name of a file, as `mlx analyze` takes it.

        Returns
        -------
        dict of DataFrame
            ``samples``, ``classes``, ``tests``, ``factors``, ``slices``, ``risk_coverage``, ``temperature`` and
            ``similarity``, as ``docs/tables.md`` describes them.

        Raises
        ------
        DataError
            A shape is wrong, or for the first row that can't be used.
        """
        received = receive(
            given_in_notebook(representations, softmax_outputs, y_true, y_pred, logits, class_names, factors)
        )
        found = analyze_classification(
            received.whole_layers(),
            logits=None if received.logits is None else received.logits.whole(),
            probabilities=received.probabilities.whole(),
            y_true=received.y_true,
            y_pred=received.y_pred,
            class_names=received.class_names,
            index=np.arange(len(received.y_true)),
            settings=self.settings,
            factors=pd.DataFrame(received.factors) if received.factors else None,
        )
        if self.save_dir is not None:
            with replacing_folder(self.save_dir / "residuals") as folder:
                write_classification(folder, found)
            write_metrics(self.save_dir / "residuals.json", found.headline)
        return found.frames()
