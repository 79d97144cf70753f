"""`ResidualsAnalyzer` does for a notebook what the pipeline's step does."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import softmax

import mlx
from mlx.core.errors import DataError, SettingsError
from mlx.results.classification_residuals import TABLES


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    y = generator.integers(3, size=150)
    h = 2 * np.eye(3, 6)[y] + generator.normal(size=(150, 6))
    p = softmax(2 * h[:, :3], axis=1)
    return {"representations": h, "softmax_outputs": p, "y_true": y, "y_pred": p.argmax(axis=1)}


@pytest.mark.slow
def test_the_tables_are_data_frames_and_stand_in_the_folder(arrays, tmp_path: Path) -> None:
    analyzer = mlx.ResidualsAnalyzer(save_dir=tmp_path / "results", n_permutations=99)
    factors = {"size": np.arange(150) % 5}
    tables = analyzer.run_full_analysis(**arrays, factors=factors, class_names=["a", "b", "c"])
    folder = tmp_path / "results/residuals"
    assert set(tables) == {"samples", *TABLES}
    pd.testing.assert_frame_equal(tables["samples"], pd.read_parquet(folder / "samples.parquet"), check_dtype=False)
    for name in set(tables) - {"samples"}:
        assert len(pd.read_csv(folder / f"{name}.csv")) == len(tables[name])
    assert tables["classes"]["name"].tolist() == ["a", "b", "c"]
    assert json.loads((tmp_path / "results/residuals.json").read_text())["n"] == 150


@pytest.mark.slow
def test_nothing_is_written_unasked_and_layers_may_be_several_and_sparse(arrays, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    layers = {"dense": arrays.pop("representations")}
    layers["leaves"] = sparse.csc_array((layers["dense"] > 0).astype(float))
    tables = mlx.ResidualsAnalyzer(n_permutations=19).run_full_analysis(layers, **arrays)
    assert set(tables["classes"]["layer"]) == {"dense", "leaves"}
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_used_is_refused_with_its_row(arrays) -> None:
    arrays["softmax_outputs"][4] = 0.9
    with pytest.raises(DataError, match="probabilities: row 4"):
        mlx.ResidualsAnalyzer().run_full_analysis(**arrays)


def test_an_invalid_setting_is_one_line_that_names_it():
    with pytest.raises(ValueError, match=r'^residuals: groups: expected text that is not empty or null, found ""$'):
        mlx.ResidualsAnalyzer(groups="")
    with pytest.raises(ValueError, match=r"^residuals: n_bootstrap: expected an integer of at least 100 .*found 3$"):
        mlx.ResidualsAnalyzer(n_bootstrap=3)


def test_settings_pick_the_factors() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([1.0, 1.0], 60)
    arguments = generator.normal(size=(60, 3)), probabilities, generator.integers(2, size=60)
    factors = {"light": generator.normal(size=60), "size": generator.normal(size=60)}
    quick = {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]}
    found = mlx.ResidualsAnalyzer(**quick, factors=["size"]).run_full_analysis(*arguments, factors=factors)
    assert set(found["factors"]["factor"]) == {"size"}
    assert "factor.light" not in found["samples"]
    with pytest.raises(SettingsError, match=r"residuals\.factors: expected some of light, size, found 'sise'; did you"):
        mlx.ResidualsAnalyzer(**quick, factors=["sise"]).run_full_analysis(*arguments, factors=factors)
