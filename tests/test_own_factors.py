"""The columns of one's own table are factors, from the file to the tables of why it fails."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlx.config import ExperimentConfig
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import SettingsError
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.pipeline.results import read_classification_residuals, read_regression_residuals
from mlx.pipeline.sample_columns import SampleColumns, column_values, columns_at
from mlx.pipeline.steps import STEPS
from mlx.residuals import ResidualsSettings
from mlx.residuals.errors.factor_choice import restates

pytestmark = pytest.mark.slow

QUICK: dict[str, Any] = {"n_bootstrap": 100, "n_permutations": 199, "projections": ["pca"]}
FOREST = {"name": "random_forest", "params": {"n_estimators": 20}}
NAMES_ALONE = QUICK | {"n_permutations": 19}


def passengers(n: int = 1200, seed: int = 1) -> pd.DataFrame:
    """Return a table whose labels are noisy at one port, so that errors depend on it."""
    generator = np.random.default_rng(seed)
    port = generator.choice(["S", "C", "Q"], n, p=[0.6, 0.3, 0.1])
    sex = generator.choice(["female", "male"], n)
    age = generator.integers(1, 80, n).astype(float)
    score = 3.0 * (sex == "female") - 1.5 + (40 - age) / 20
    survived = score + np.where(port == "C", 4.0, 0.4) * generator.normal(size=n) > 0
    age[generator.random(n) < 0.2] = np.nan
    return pd.DataFrame({
        "survived": np.where(survived, "yes", "no"),
        "alive": survived,
        "sex": sex,
        "age": age,
        "fare": generator.lognormal(3, 1, n).round(2),
        "port": np.where(generator.random(n) < 0.05, None, port),
        "boarded": (np.datetime64("1912-04-01") + generator.integers(0, 60, n)).astype(str),
        "cabin": [f"cabin {k}" for k in generator.integers(0, 400, n)],
        "person": [f"p{k}" for k in range(n)],
    })  # fmt: skip


def analyzed(folder: Path, table: pd.DataFrame, residuals: dict[str, Any] | None = None, **params: Any) -> Workspace:
    table.to_csv(folder / "t.csv", index=False)
    params = {"target": "survived", "roles": {"alive": "ignore", "cabin": "group"}} | params
    config = ExperimentConfig.model_validate({
        "name": "passengers",
        "dataset": {"name": "custom", "path": str(folder / "t.csv"), "params": params},
        "split": {"method": "random", "test_size": 0.5},
        "preprocessing": {"scaling": "standard"},
        "model": {"name": "logistic_regression"} if params["target"] == "survived" else FOREST,
        "residuals": QUICK | (residuals or {}),
    })  # fmt: skip
    workspace = Workspace(folder)
    for step in STEPS[:6]:
        step(workspace, **{section: getattr(config, section) for section in sections_of(step)})
    return workspace


def factors_of(workspace: Workspace) -> pd.DataFrame:
    return pd.read_csv(workspace.residuals / "factors.csv", dtype={"bin": str}, keep_default_na=False, na_values=[""])


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return analyzed(tmp_path_factory.mktemp("classified"), passengers())


def test_features_and_roles_are_factors_by_their_names_and_the_target_is_none(classified: Workspace) -> None:
    table = factors_of(classified)
    assert set(table["factor"]) == {"sex", "age", "fare", "port", "boarded", "cabin"}
    kinds = table.groupby("factor")["kind"].first().to_dict()
    assert kinds == {"sex": "categorical", "age": "numeric", "fare": "numeric", "port": "categorical",
                     "boarded": "numeric", "cabin": "categorical"}  # fmt: skip
    bins = table[table["statistic"] == "error_rate"]
    assert bins.loc[bins["factor"] == "sex", "bin"].tolist() == ["female", "male"]
    assert bins.loc[bins["factor"] == "port", "bin"].tolist() == ["C", "Q", "S", "missing"]
    assert bins.loc[bins["factor"] == "boarded", "bin"].str.fullmatch(r"1912-\d\d-\d\d to 1912-\d\d-\d\d").all()
    assert "missing" in bins.loc[bins["factor"] == "age", "bin"].tolist()


def test_the_planted_cause_is_found_and_what_is_missing_is_counted(classified: Workspace) -> None:
    table, raw = factors_of(classified), pd.read_csv(classified.root / "t.csv")
    errors = table[(table["target"] == "error") & (table["statistic"] != "error_rate")].set_index("factor")
    assert errors.loc["port", "p_holm"] < 0.05
    assert errors["p_holm"].dropna().idxmin() == "port"
    rates = table[(table["factor"] == "port") & (table["statistic"] == "error_rate")].set_index("bin")["estimate"]
    assert rates["C"] > 1.5 * rates["S"]
    test = raw.iloc[np.load(classified.representations / "test" / "index.npy")]
    assert errors.loc["age", "n_missing"] == test["age"].isna().sum()
    assert errors.loc["age", "n"] == test["age"].notna().sum()
    samples = pd.read_parquet(classified.residuals / "samples.parquet")
    assert samples["factor.port"].fillna("").tolist() == test["port"].fillna("").tolist()
    np.testing.assert_array_equal(samples["factor.age"], test["age"])
    assert (samples["factor.boarded"] == pd.to_datetime(test["boarded"]).to_numpy()).all()


def test_results_are_read_back_for_the_page(classified: Workspace) -> None:
    found = read_classification_residuals(classified, SampleColumns.of(classified).described)
    assert {effect.factor for effect in found.factors} == set(found.sample_factors)
    assert found.slices


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [(["port", "alive"], {"port", "alive"}), ("none", set()), (["age", "age"], {"age"})],
)
def test_the_configuration_picks_factors(classified: Workspace, chosen: Any, expected: set[str]) -> None:
    residuals_analysis(classified, residuals=ResidualsSettings(**NAMES_ALONE, factors=chosen))
    assert set(factors_of(classified)["factor"]) == expected


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["prot"], r"expected some of sex, age, .*, found 'prot'; did you mean 'port'\?"),
        (["survived"], "found 'survived', the target"),
    ],
)
def test_an_unknown_name_is_rejected_with_the_nearest(classified: Workspace, chosen: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        residuals_analysis(classified, residuals=ResidualsSettings(**NAMES_ALONE, factors=chosen))
    assert caught.value.key == ("residuals", "factors")


def test_a_copy_of_the_target_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = analyzed(tmp_path, passengers(300), NAMES_ALONE | {"groups": "cabin"})
    assert "left out what restates the target, 'alive'" in capsys.readouterr().err
    assert {"alive", "cabin"}.isdisjoint(factors_of(workspace)["factor"])
    assert "factor.cabin" in pd.read_parquet(workspace.residuals / "samples.parquet")


def test_a_feature_may_group_the_samples(tmp_path: Path) -> None:
    workspace = analyzed(tmp_path, passengers(300), NAMES_ALONE | {"groups": "port", "factors": ["age"]})
    assert set(factors_of(workspace)["factor"]) == {"age"}


def test_a_regression_has_factors_too(tmp_path: Path) -> None:
    table = passengers()
    generator = np.random.default_rng(0)
    spread = np.where(table["port"] == "C", 4.0, 0.5)
    table["weight"] = 50 + table["age"].fillna(40) / 2 + spread * generator.normal(size=len(table))
    table["pounds"] = 2.2046 * table["weight"]
    params = {"target": "weight", "roles": {"pounds": "ignore", "survived": "ignore", "alive": "ignore"}}
    workspace = analyzed(tmp_path, table, **params)
    found = factors_of(workspace)
    assert "pounds" not in set(found["factor"])
    tests = found[(found["target"] == "abs_residual") & (found["statistic"] != "mean")].set_index("factor")
    assert tests["p_holm"].dropna().idxmin() == "port"
    assert tests.loc["port", "p_holm"] < 0.05
    read = read_regression_residuals(workspace, SampleColumns.of(workspace).described)
    assert any("port" in one.description for one in read.slices)
    assert {test.subject for test in read.tests} >= {"port", "age", "sex"}


def test_many_features_are_bounded_with_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(0)
    table = pd.DataFrame(generator.normal(size=(300, 130)), columns=[f"gene {k}" for k in range(130)])
    table["survived"] = np.where(table["gene 0"] + generator.normal(size=300) > 0, "yes", "no")
    workspace = analyzed(tmp_path, table, NAMES_ALONE, roles={})
    assert "residuals.factors: the first 100 of 130 features are factors" in capsys.readouterr().err
    assert len(set(factors_of(workspace)["factor"])) == 100
    residuals_analysis(workspace, residuals=ResidualsSettings(**NAMES_ALONE, factors=["gene 129"]))
    assert set(factors_of(workspace)["factor"]) == {"gene 129"}


@pytest.mark.parametrize(("shape", "expected"), [((200, 3), {"x0", "x1", "x2"}), ((200, 120), set())])
def test_arrays_without_names_have_numbered_factors(tmp_path: Path, shape: tuple[int, int], expected: set[str]) -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=shape)
    np.savez(tmp_path / "a.npz", X=X, y=(X[:, 0] + generator.normal(size=200) > 0).astype(int))
    config = ExperimentConfig.model_validate({
        "name": "arrays",
        "dataset": {"name": "custom", "path": str(tmp_path / "a.npz")},
        "model": {"name": "logistic_regression"},
        "residuals": NAMES_ALONE,
    })  # fmt: skip
    workspace = Workspace(tmp_path)
    for step in STEPS[:6]:
        step(workspace, **{section: getattr(config, section) for section in sections_of(step)})
    assert set(factors_of(workspace)["factor"]) == expected


def test_numbers_of_a_column_become_what_they_stand_for() -> None:
    kinds = {"numeric": [], "categorical": ["a", "b"], "boolean": [], "date": []}
    described = {k: ColumnDescription(name=k, kind=k, categories=c) for k, c in kinds.items()}
    gaps = np.array([1.0, np.nan, 0.0])
    assert column_values(described["categorical"], gaps).tolist() == ["b", None, "a"]
    assert column_values(described["boolean"], gaps).tolist() == [True, None, False]
    assert column_values(described["boolean"], gaps[[0, 2]]).dtype == bool
    dates = column_values(described["date"], np.array([-0.5, np.nan, 19723.0]))
    assert dates.astype(str).tolist() == ["1969-12-31T12:00:00.000000", "NaT", "2024-01-01T00:00:00.000000"]
    np.testing.assert_array_equal(column_values(described["numeric"], gaps), gaps)


def test_only_the_rows_and_columns_asked_for_are_kept(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(50, 7))
    np.save(tmp_path / "X.npy", X)
    rows, places = np.array([40, 3, 3, 17]), [5, 0]
    for array in (X, np.load(tmp_path / "X.npy", mmap_mode="r")):
        np.testing.assert_array_equal(columns_at(array, rows, places), X[rows][:, places].T)


def test_a_column_restates_the_target_if_each_determines_the_other() -> None:
    y = np.repeat([0, 1, 2], 20)
    assert restates(pd.Series(np.array(["c", "a", "b"])[y]), y)
    assert restates(pd.Series(y * 2.0 - 7), y)
    assert not restates(pd.Series(np.where(np.arange(60) == 5, 1, y)), y)
    assert not restates(pd.Series(np.arange(60)), y)
    assert not restates(pd.Series(np.array(["a", "b", "b"])[y]), y)
    assert not restates(pd.Series(y[:9]), y[:9])
    numbers = np.random.default_rng(0).normal(size=60)
    assert restates(pd.Series(np.exp(numbers)), numbers)
    assert restates(pd.Series(-3 * numbers), numbers)
    assert not restates(pd.Series(numbers**2), numbers)
    assert not restates(pd.Series([f"{k}" for k in range(60)]), numbers)
    gaps = pd.Series(np.where(np.arange(60) % 3 == 0, np.nan, numbers))
    assert restates(gaps, numbers)
