"""`VisualizationAnalyzer` draws for a notebook what the report draws for a run."""

from pathlib import Path

import numpy as np
import pytest
from embedded_fonts import embedded_once
from scipy.special import softmax

import mlx
from mlx.core.errors import DataError

pytestmark = pytest.mark.slow

QUICK = {"n_permutations": 19, "n_bootstrap": 100}


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    y = generator.integers(3, size=90)
    h = 2 * np.eye(3, 6)[y] + generator.normal(size=(90, 6))
    p = softmax(2 * h[:, :3], axis=1)
    return {"representations": h, "softmax_outputs": p, "y_true": y, "y_pred": p.argmax(axis=1)}


@pytest.mark.usefixtures("undrawn")  # as PNG; every picture is drawn in its PDF
def test_every_picture_is_drawn_and_saved(arrays, tmp_path: Path) -> None:
    visualizer = mlx.VisualizationAnalyzer(save_dir=tmp_path / "v", residuals=QUICK, dpi=50, formats=["png", "pdf"])
    images = np.random.default_rng(1).integers(0, 255, (90, 8, 8, 1), dtype=np.uint8)
    history = {"epoch": [1, 2], "loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}
    with embedded_once():
        figures = visualizer.run_full_visualization(
            **arrays, images=images, factors={"size": np.arange(90) % 7}, history=history
        )
    expected = {"samples", "confusion", "roc", "precision_recall", "reliability", "temperature", "risk_coverage",
                "similarity_entropy", "similarity_entropy_by_class", "similarity_matrix", "map_pca", "map_tsne",
                "uncertain_samples", "residual_images", "factor_effects", "learning_curves"}  # fmt: skip
    assert expected <= set(figures)
    files = {path.name for path in (tmp_path / "v/plots").iterdir()}
    assert files == {f"{name}.{kind}" for name in figures for kind in ("png", "pdf")}
    assert figures["confusion"].axes[0].get_ylabel() == "true class"


def test_a_table_has_no_images_and_nothing_is_written_unasked(arrays, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    figures = mlx.VisualizationAnalyzer(residuals=QUICK).run_full_visualization(**arrays)
    assert not {"samples", "uncertain_samples", "residual_images"} & set(figures)
    assert not list(tmp_path.iterdir())


def test_images_of_other_samples_are_refused(arrays) -> None:
    with pytest.raises(DataError, match=r"images: expected shape \(90, height, .* found \(3, 8, 8, 1\)"):
        mlx.VisualizationAnalyzer(residuals=QUICK).run_full_visualization(**arrays, images=np.zeros((3, 8, 8, 1)))


def test_epochs_of_a_history_are_numbered_and_its_loss_is_required(arrays) -> None:
    visualizer = mlx.VisualizationAnalyzer(residuals=QUICK)
    drawn = visualizer.run_full_visualization(**arrays, history={"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]})
    assert {"best epoch 2" in ax.get_title("left") for ax in drawn["learning_curves"].axes} == {True}
    with pytest.raises(DataError, match="history: expected a column 'loss', found accuracy"):
        visualizer.run_full_visualization(**arrays, history={"accuracy": [0.5, 0.6]})
