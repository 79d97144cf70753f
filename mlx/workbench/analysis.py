"""The residuals analysis for notebooks, by the functions that the pipeline runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.artifacts import replacing_folder
from mlx.core.errors import SettingsError
from mlx.core.metrics import write_metrics
from mlx.core.paths import expanded
from mlx.core.sections import settings_of
from mlx.pipeline.residuals_analysis import write_classification
from mlx.received import Received, given_in_notebook, receive
from mlx.residuals import ResidualsSettings, analyze_classification
from mlx.residuals.issues import Part, find_issues
from mlx.results.classification_residuals import ClassificationResiduals
from mlx.workbench.display import Described, Tables


class ResidualsAnalyzer(Described):
    """Tests whether the geometry of representations tells where a classifier is uncertain and wrong.

    Parameters
    ----------
    save_dir
        Folder to which an analysis writes its tables, in ``residuals/``, and its headline numbers, in
        ``residuals.json``, replacing those of an earlier one; None writes nothing.
    settings
        Keys of the section ``residuals`` of a configuration, such as ``seed`` and ``n_permutations``.
    """

    def __init__(self, save_dir: str | Path | None = None, **settings: Any) -> None:
        self.save_dir = None if save_dir is None else expanded(save_dir)
        self.settings = settings_of("residuals", ResidualsSettings, settings)

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
    ) -> Tables:
        """Analyze predictions and representations.

        Parameters
        ----------
        representations
            (n, d), an array or sparse; or several layers by name, the headline's first.
        softmax_outputs
            (n, K), rows that sum to 1; or (n,), the probability of the second of two classes.
        y_true, y_pred
            (n,), labels from 0, or names; y_pred is by default the class of the largest probability.
        logits
            (n, K) before the softmax, if known: they make entropies exact if probabilities are rounded.
        class_names
            K names, in any sequence; by default those of the labels in sorted order, or numbers.
        factors
            Properties of the samples, columns of n values.

        Each may also be the name of a file, as for `mlx analyze`.

        Returns
        -------
        dict of DataFrame
            ``samples``, ``classes``, ``tests``, ``factors``, ``slices``, ``risk_coverage``, ``scores``,
            ``temperature``, ``similarity``, ``issues``, ``issue_counts``, ``prediction_sets`` and ``probes``, as
            ``docs/tables.md`` describes them. Prediction sets, linear probes and scores that are fitted need other
            samples, which `mlx.analyze` takes.

        Raises
        ------
        DataError
            A shape is wrong, or a row is invalid: names the first.
        SettingsError
            ``groups`` or ``factors`` of the settings name a column that is not there.
        """
        received = receive(
            given_in_notebook(
                representations, softmax_outputs, y_true, y_pred, logits, class_names, factors, self.settings.groups
            )
        )
        try:
            residuals = analyze_received(received, self.settings)
        except SettingsError as error:  # there is no file whose line could be named
            raise SettingsError(": ".join(filter(None, [".".join(map(str, error.key)), str(error)]))) from None
        if self.save_dir is not None:
            with replacing_folder(self.save_dir / "residuals") as folder:
                write_classification(folder, residuals)
            write_metrics(self.save_dir / "residuals.json", residuals.headline)
        return Tables(residuals.frames())


def analyze_received(received: Received, settings: ResidualsSettings) -> ClassificationResiduals:
    """Analyze what `mlx.received.receive` returned."""
    layers, index = received.whole_layers(), np.arange(len(received.y_true))
    probabilities, logits = received.whole_probabilities(), received.whole_logits()
    found = analyze_classification(
        layers,
        logits=logits,
        probabilities=probabilities,
        y_true=received.y_true,
        y_pred=received.y_pred,
        class_names=received.class_names,
        index=index,
        settings=settings,
        factors=pd.DataFrame(received.factors) if received.factors else None,
    )
    test = Part("test", index, received.y_true, received.y_pred, next(iter(layers.values())), probabilities, logits)
    noticed = find_issues([test], received.class_names, seed=settings.seed, confidence=settings.confidence)
    return replace(found, **vars(noticed.found), headline=found.headline | noticed.headline)
