"""The figures of a classification for notebooks, by the functions that the pipeline runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.artifacts import replacing_folder, write_bytes
from mlx.core.errors import DataError
from mlx.core.paths import expanded
from mlx.core.sections import settings_of
from mlx.evaluation import EvaluationSettings, evaluate_classification
from mlx.plots.report.figures import draw_report
from mlx.plots.report.inputs import ClassificationReport, Provenance, RawSamples, Training
from mlx.plots.settings import ReportSettings
from mlx.plots.style import render_pdf, render_png
from mlx.received import given_in_notebook, receive
from mlx.residuals import ResidualsSettings
from mlx.workbench.analysis import analyze_received
from mlx.workbench.display import Described, Figures


class VisualizationAnalyzer(Described):
    """Draws the errors of a classifier, its uncertainty, and the geometry of its representations.

    Parameters
    ----------
    save_dir
        Folder to which every figure is written as ``plots/<name>.png``, and as ``<name>.pdf`` if ``formats`` includes
        it, replacing those of an earlier call; None writes nothing.
    residuals
        Keys of the section ``residuals`` of a configuration, such as ``seed`` and ``n_permutations``.
    settings
        Keys of the section ``report``, such as ``dpi`` and ``formats``.
    """

    def __init__(
        self, save_dir: str | Path | None = None, *, residuals: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        self.save_dir = None if save_dir is None else expanded(save_dir)
        self.residuals = settings_of("residuals", ResidualsSettings, residuals or {})
        self.settings = settings_of("report", ReportSettings, settings)

    def run_full_visualization(
        self,
        representations: Any,
        softmax_outputs: Any,
        y_true: Any,
        y_pred: Any = None,
        *,
        images: Any = None,
        logits: Any = None,
        class_names: Any = None,
        factors: Any = None,
        history: pd.DataFrame | Mapping[str, Any] | None = None,
    ) -> Figures:
        """Analyze predictions, and draw all figures for which there are data.

        Parameters
        ----------
        representations
            (n, d), an array or sparse; or several layers by name, the headline's first.
        softmax_outputs
            (n, K), rows that sum to 1; or (n,), the probability of the second of two classes.
        y_true, y_pred
            (n,), labels from 0, or names; y_pred is by default the class of the largest probability.
        images
            (n, h, w, c), the samples, if they are images.
        logits
            (n, K) before the softmax, if known.
        class_names
            K names, in any sequence; by default those of the labels in sorted order, or numbers.
        factors
            Properties of the samples, columns of n values.
        history
            A row for each epoch: loss, val_loss, and other quantities, as `TrainingPipeline.train` returns them;
            epochs are numbered from 1 without a column ``epoch``.

        Returns
        -------
        dict of Figure
            By name, in reading order.

        Raises
        ------
        DataError
            A shape is wrong, a row is invalid (names the first), or the history has no loss.
        """
        received = receive(
            given_in_notebook(representations, softmax_outputs, y_true, y_pred, logits, class_names, factors)
        )
        true, names = received.y_true, received.class_names
        evaluation = evaluate_classification(
            true,
            received.y_pred,
            received.whole_probabilities(),
            logits=received.whole_logits(),
            class_names=names,
            settings=EvaluationSettings(),
        )
        report = ClassificationReport(
            provenance=Provenance(name=""),
            training=None if history is None else Training(history=_checked_history(history)),
            raw=RawSamples(inputs=_checked_images(images, len(true)), targets=true),
            settings=self.settings,
            class_names=names,
            evaluation=evaluation,
            residuals=analyze_received(received, self.residuals),
        )
        figures = Figures(draw_report(report))
        self._save(figures)
        return figures

    def _save(self, figures: Mapping[str, Any]) -> None:
        if self.save_dir is None:
            return
        with replacing_folder(self.save_dir / "plots") as folder:
            for name, figure in figures.items():
                for format_ in self.settings.formats:
                    content = render_png(figure, self.settings.dpi) if format_ == "png" else render_pdf(figure)
                    write_bytes(folder / f"{name}.{format_}", content)


def _checked_images(images: Any, n: int) -> np.ndarray | None:
    if images is None:
        return None
    X = np.asarray(images)
    if X.ndim != 4 or len(X) != n:
        raise DataError(f"images: expected shape ({n}, height, width, channels), found {X.shape}")
    return X


def _checked_history(history: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(history)
    if len(frame) > 1 and "loss" not in frame:
        raise DataError(f"history: expected a column 'loss', found {', '.join(map(str, frame.columns))}")
    return frame if "epoch" in frame else frame.assign(epoch=np.arange(1, len(frame) + 1))
