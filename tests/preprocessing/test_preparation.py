"""The features that are made of columns, beside those of scikit-learn fitted to the same training rows."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import DataError, SettingsError
from mlx.preprocessing.column_notes import column_notes
from mlx.preprocessing.column_plans import plan_columns
from mlx.preprocessing.column_settings import ColumnSettings
from mlx.preprocessing.preparation import Preparation, fit_preparation
from mlx.preprocessing.scaling import fit_scaler
from mlx.preprocessing.settings import PreprocessingSettings

COLORS = ["amber", "blue", "cyan", "green", "red"]
COLUMNS = [
    ColumnDescription(name="age", kind="numeric"),
    ColumnDescription(name="color", kind="categorical", categories=COLORS),
    ColumnDescription(name="wild", kind="boolean"),
    ColumnDescription(name="born", kind="date"),
    ColumnDescription(name="y", kind="numeric", use="target"),
]
N, N_TRAIN = 200, 120


def raw(seed: int = 0, gaps: float = 0.2) -> np.ndarray:
    """Return rows whose last eighty, which don't train, have a color of their own."""
    rng = np.random.default_rng(seed)
    color = rng.choice(5, N, p=[0.5, 0.3, 0.04, 0.02, 0.14]).astype(float)
    color[:N_TRAIN][color[:N_TRAIN] == 3] = 0
    X = np.column_stack([rng.normal(40, 9, N), color, rng.integers(0, 2, N), rng.integers(0, 20000, N) / 2])
    X[rng.random(X.shape) < gaps] = np.nan
    return X


def prepared(X: np.ndarray, columns: dict[str, object], rows: int = 17) -> tuple[Preparation, np.ndarray]:
    settings = PreprocessingSettings.model_validate({"columns": columns})
    plan = plan_columns(COLUMNS, settings.columns)

    def train() -> list[np.ndarray]:
        return [X[:N_TRAIN][k : k + rows] for k in range(0, N_TRAIN, rows)]

    preparation = fit_preparation(plan, train, N_TRAIN)
    return preparation, preparation.apply(X)[0]


def as_table(X: np.ndarray) -> np.ndarray:
    table = X.astype(object)
    table[:, 1] = [None if np.isnan(code) else COLORS[int(code)] for code in X[:, 1]]
    return table


def in_scikit_learn(X: np.ndarray, numbers: SimpleImputer, categories: object) -> tuple[list[str], np.ndarray]:
    made = ColumnTransformer(
        [("n", numbers, [0]), ("c", categories, [1]), ("b", SimpleImputer(strategy="most_frequent"), [2])],
        verbose_feature_names_out=False,
        sparse_threshold=0,
    )
    table = as_table(X)
    made.fit(table[:N_TRAIN])
    names = [f"color{name[2:]}" for name in made.named_transformers_["c"].get_feature_names_out(["x1"])]
    return ["age", *names, "wild"], made.transform(table).astype(float)


ONE_HOT = {"handle_unknown": "infrequent_if_exist", "sparse_output": False}


@pytest.mark.filterwarnings("ignore:Found unknown categories")  # which have no feature, as the dropped one
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("columns", "numbers", "categories"),
    [
        ({}, "mean", {}),
        ({"numeric": "median"}, "median", {}),
        ({"age": {"strategy": "most_frequent"}}, "most_frequent", {}),
        ({"age": {"strategy": "constant", "fill_value": -1.0}}, -1.0, {}),
        ({"age": "constant"}, 0.0, {}),
        ({"color": {"min_frequency": 10}}, "mean", {"min_frequency": 10}),
        ({"categorical": {"min_frequency": 0.1}}, "mean", {"min_frequency": 0.1}),
        ({"categorical": {"max_categories": 3}}, "mean", {"max_categories": 3}),
        ({"color": {"max_categories": 1}}, "mean", {"max_categories": 1}),
        ({"color": {"drop": "first"}}, "mean", {"drop": "first"}),
        ({"color": {"drop": "first", "min_frequency": 10}}, "mean", {"drop": "first", "min_frequency": 10}),
        ({"color": {"max_categories": 3, "min_frequency": 8}}, "mean", {"max_categories": 3, "min_frequency": 8}),
    ],
    ids=str,
)
def test_features_and_their_names_are_those_of_scikit_learn(seed, columns, numbers, categories) -> None:
    X = raw(seed)
    preparation, made = prepared(X, columns)
    imputer = SimpleImputer(strategy=numbers) if isinstance(numbers, str) else None
    imputer = imputer or SimpleImputer(strategy="constant", fill_value=numbers)
    encoder = make_pipeline(_modes(), OneHotEncoder(**ONE_HOT, **categories))
    names, expected = in_scikit_learn(X, imputer, encoder)
    assert preparation.features == names
    np.testing.assert_allclose(made, expected, rtol=1e-12)


def _modes() -> SimpleImputer:
    return SimpleImputer(strategy="most_frequent", missing_values=None)


def _own(name: str) -> SimpleImputer:
    return SimpleImputer(strategy="constant", fill_value=name, missing_values=None)


@pytest.mark.parametrize("name", ["missing_value", "a", "z", "blue"])
def test_gaps_can_be_a_category_of_their_own(name: str) -> None:
    X = raw()
    fill = {} if name == "missing_value" else {"fill_value": name}
    preparation, made = prepared(X, {"color": {"strategy": "constant", **fill}})
    encoder = make_pipeline(_own(name), OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    names, expected = in_scikit_learn(X, SimpleImputer(), encoder)
    assert preparation.features == names
    np.testing.assert_allclose(made, expected, rtol=1e-12)
    assert preparation.fits[1].description([], {}, {}).fill_value == name


@pytest.mark.parametrize("rare", [{}, {"min_frequency": 10}])
def test_categories_can_be_their_places_in_sorted_order(rare: dict[str, int]) -> None:
    X = raw()
    preparation, made = prepared(X, {"categorical": {"encoder": "ordinal", **rare}})
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, **rare)
    names, expected = in_scikit_learn(X, SimpleImputer(), make_pipeline(_modes(), encoder))
    assert preparation.features == names
    np.testing.assert_allclose(made, expected, rtol=1e-12)
    assert preparation.scaled is not None
    assert preparation.scaled.all()


def test_numbers_can_be_categories() -> None:
    X = raw()
    X[:, 0] = np.where(np.isnan(X[:, 0]), np.nan, X[:, 0].round(-1))
    preparation, made = prepared(X, {"age": "categorical", "color": "drop", "wild": "drop"})
    encoder = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    np.testing.assert_array_equal(made, encoder.fit(X[:N_TRAIN, :1]).transform(X[:, :1]).toarray())
    names = encoder[-1].get_feature_names_out(["age"])
    assert preparation.features == [name.removesuffix(".0") for name in names]


def test_dates_can_be_categories() -> None:
    X = raw(gaps=0)
    X[:, 3] = np.resize([19723, 19723.5, -1, np.nan], N)
    preparation, made = prepared(X, {"born": "categorical", "age": "drop", "color": "drop", "wild": "drop"})
    assert preparation.features == ["born_1969-12-31", "born_2024-01-01", "born_2024-01-01T12:00:00"]
    assert made[:4].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0]]
    counts = {"train": np.zeros(1, np.int64)}
    assert preparation.description(counts, counts)[0].fill_value == "1969-12-31"


def test_truth_values_can_be_categories() -> None:
    X = raw()
    preparation, made = prepared(X, {"wild": {"kind": "categorical", "strategy": "constant"}})
    assert preparation.features[-3:] == ["wild_False", "wild_True", "wild_missing_value"]
    np.testing.assert_array_equal(made[:, -3:], np.column_stack([X[:, 2] == 0, X[:, 2] == 1, np.isnan(X[:, 2])]))


def test_features_of_one_name_are_told_apart() -> None:
    columns = [COLUMNS[1], ColumnDescription(name="color_red", kind="numeric")]
    X = np.column_stack([np.arange(N_TRAIN) % 5, np.arange(N_TRAIN)])
    preparation = fit_preparation(plan_columns(columns, {}), lambda: [X], N_TRAIN)
    assert preparation.features[-2:] == ["color_red", "color_red_2"]
    assert preparation.description({}, {})[1].features == ["color_red_2"]
    X[:, 0] = 1
    with pytest.raises(DataError, match="expected different values in the training rows, found none in any of 1 col"):
        fit_preparation(plan_columns(columns[:1], {"color": ColumnSettings(drop="first")}), lambda: [X], N_TRAIN)


def test_dates_are_numbers_where_they_are_asked_for() -> None:
    X = raw()
    without, _ = prepared(X, {})
    assert without.left_out["born"].startswith(
        "it holds dates; to use them as numbers, set preprocessing.columns: {born"
    )
    for columns in ({"born": "date"}, {"date": "mean"}, {"born": {"kind": "numeric", "strategy": "mean"}}):
        preparation, made = prepared(X, columns)
        assert preparation.features[-1] == "born"
        np.testing.assert_allclose(made[:, -1:], SimpleImputer().fit(X[:N_TRAIN, 3:]).transform(X[:, 3:]))


def test_a_name_comes_before_its_kind() -> None:
    _, made = prepared(raw(), {"numeric": "median", "age": "mean"})
    np.testing.assert_array_equal(made, prepared(raw(), {})[1])
    assert prepared(raw(), {"categorical": "drop", "boolean": "drop"})[0].features == ["age"]


def test_a_column_that_is_named_as_a_kind_is_set_alone() -> None:
    columns = [
        COLUMNS[0],
        ColumnDescription(name="numeric", kind="numeric"),
        ColumnDescription(name="n", kind="numeric"),
    ]
    plan = plan_columns(columns, PreprocessingSettings.model_validate({"columns": {"numeric": "drop"}}).columns)
    assert [column.name for column in plan.columns] == ["age", "n"]


def test_what_trains_decides_alone() -> None:
    X, poisoned = raw(), raw()
    poisoned[N_TRAIN:] = np.random.default_rng(1).permutation(poisoned[N_TRAIN:]) * [1e6, 0, 0, 1]
    poisoned[N_TRAIN + 5 :: 3] = np.nan
    for columns in ({}, {"numeric": "median", "categorical": {"min_frequency": 10}, "date": "median"}):
        (clean, made), (other, apart) = prepared(X, columns), prepared(poisoned, columns)
        assert clean.features == other.features
        np.testing.assert_array_equal(made[:N_TRAIN], apart[:N_TRAIN])
        assert [fit.fill for fit in clean.fits] == [fit.fill for fit in other.fits]


def test_categories_that_no_training_row_has_are_counted() -> None:
    X = raw(gaps=0)
    preparation, _ = prepared(X, {})
    made, unknown = preparation.apply(X)
    assert unknown.tolist() == [0, (X[:, 1] == 3).sum(), 0]
    assert unknown[1] > 0
    assert not made[X[:, 1] == 3, 1:-1].any()


def test_a_column_without_a_value_in_training_rows_is_left_out() -> None:
    X = raw()
    X[:N_TRAIN, 1] = np.nan
    preparation, _ = prepared(X, {})
    assert preparation.features == ["age", "wild"]
    assert preparation.left_out["color"] == "it has no value in the training rows"
    assert prepared(X, {"color": "constant"})[0].features == ["age", "color_missing_value", "wild"]
    X[:N_TRAIN] = np.nan
    with pytest.raises(DataError, match="expected values in the training rows, found none in any of 3 columns"):
        prepared(X, {})


def test_a_column_that_is_left_out_may_be_dropped() -> None:
    columns = [*COLUMNS, ColumnDescription(name="id", kind="text", use="left out", reason="it has 200 texts")]
    drop = PreprocessingSettings.model_validate({"columns": {"id": "drop"}}).columns
    assert plan_columns(columns, drop) == plan_columns(COLUMNS, {})
    with pytest.raises(SettingsError, match="'id', which is none, as it has 200 texts"):
        plan_columns(columns, PreprocessingSettings.model_validate({"columns": {"id": "onehot"}}).columns)


def test_a_column_without_a_feature_is_named() -> None:
    X = raw(gaps=0)
    X[:, 1] = 1
    preparation, _ = prepared(X, {"color": {"drop": "first"}})
    assert preparation.features == ["age", "wild"]
    counts = {"train": np.zeros(3, np.int64)}
    notes = list(column_notes(preparation.description(counts, counts), {}))
    assert notes[0] == "column 'color' has one category in the training rows, and no feature, as drop says first"


@pytest.mark.parametrize(
    ("columns", "key", "message"),
    [
        ({"agee": "drop"}, "agee", "expected one of age, color, wild, born, numeric, .* did you mean 'age'"),
        ({"y": "drop"}, "y", "expected a feature, found 'y', which is none, as it is the target"),
        ({"color": "mean"}, "color", "expected most_frequent or constant for categories, found strategy: mean"),
        ({"color": "numeric"}, "color", "expected categorical .* found numeric; .* encoder: ordinal"),
        ({"age": "date"}, "age", "expected numeric or categorical for a column of kind numeric, found date"),
        ({"age": "onehot"}, "age", "expected encoder of categories, .* set kind: categorical"),
        ({"age": {"min_frequency": 3}}, "age", "expected min_frequency of categories"),
        ({"age": {"strategy": "constant", "fill_value": "x"}}, "age", "expected a number as fill_value, found 'x'"),
        ({"age": {"fill_value": 3.0}}, "age", "expected strategy: constant beside fill_value, found mean"),
        (dict.fromkeys(("numeric", "categorical", "boolean"), "drop"), None, "expected to use at least one"),
    ],
)
def test_settings_without_a_meaning_for_a_column_are_rejected_at_their_key(columns, key, message) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        prepared(raw(), columns)
    assert caught.value.key == (("preprocessing", "columns", key) if key else ("preprocessing", "columns"))


def test_columns_by_name_need_columns() -> None:
    settings = PreprocessingSettings.model_validate({"columns": {"age": "drop", "numeric": "median"}})
    with pytest.raises(SettingsError, match="as the data have no columns by name, found 'age'"):
        plan_columns([], settings.columns)
    assert not plan_columns([], {}).columns


def test_filled_numbers_are_scaled_and_categories_are_not() -> None:
    preparation, made = prepared(raw(), {})
    scaler = fit_scaler("standard", float, [made[:50], made[50:N_TRAIN]], preparation.scaled)
    numbers = [name in {"age", "wild"} for name in preparation.features]
    expected = made.copy()
    expected[:, numbers] = StandardScaler().fit(made[:N_TRAIN, numbers]).transform(made[:, numbers])
    np.testing.assert_allclose(scaler.apply(made), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(scaler.apply(made)[:, np.invert(numbers)], made[:, np.invert(numbers)])
