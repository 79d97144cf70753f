"""The dataset section: what it accepts, and where its errors lie."""

import re

import pytest
from pydantic import BaseModel, ValidationError

from mlx.datasets import DATASETS, DatasetSettings


class Configuration(BaseModel):
    dataset: DatasetSettings


def the_error(**section):
    with pytest.raises(ValidationError) as caught:
        Configuration(dataset=section)
    (error,) = caught.value.errors()
    assert error["loc"][0] == "dataset"
    return error["loc"][1:], error["type"], error["msg"]


@pytest.mark.parametrize("name", ["shapes", "Shapes", "SHAPES"])
def test_names_ignore_case(name):
    assert DatasetSettings(name=name).name == "shapes"


@pytest.mark.parametrize("name", DATASETS)
def test_defaults_are_filled_in_and_survive_a_round_trip(name):
    settings = DatasetSettings(name=name)
    spec = DATASETS[name]
    assert settings.source() == spec.params()
    assert settings.as_dict() == {"name": name, "path": None, "params": spec.params().as_dict()}
    assert DatasetSettings(**settings.as_dict()) == settings


def test_given_params_stand_and_the_rest_are_defaults():
    settings = DatasetSettings(name="shapes", params={"image_size": [16, 24], "noise": 0})
    assert settings.as_dict()["params"]["image_size"] == [16, 24]
    assert settings.source().height_width == (16, 24)
    assert settings.source().n_samples == 1000


def test_an_unknown_name_lists_the_known_and_suggests_the_nearest():
    where, _, message = the_error(name="shaeps")
    assert where == ("name",)
    assert f"expected one of {', '.join(DATASETS)}, found" in message
    assert "shaeps" in message
    assert re.search("did you mean '?shapes'?", message)
    assert "did you mean" not in the_error(name="qqq")[2]


def test_an_unknown_name_is_the_only_error_whatever_the_params():
    assert the_error(name="qqq", path="there", params={"x": 1})[0] == ("name",)


def test_a_path_that_would_be_ignored_is_refused():
    where, _, message = the_error(name="digits", path="there")
    assert (where, message) == (("path",), "expected no path, found there: digits reads no files")


@pytest.mark.parametrize(
    ("name", "params", "key", "kind"),
    [
        ("shapes", {"n_class": 3}, "n_class", "extra_forbidden"),
        ("digits", {"sead": 1}, "sead", "extra_forbidden"),
        ("shapes", {"n_samples": "many"}, "n_samples", "int_type"),
        ("shapes", {"n_samples": True}, "n_samples", "int_type"),
        ("shapes", {"n_samples": 0}, "n_samples", "greater_than_equal"),
        ("shapes", {"n_classes": 1}, "n_classes", "greater_than_equal"),
        ("shapes", {"noise": -0.1}, "noise", "greater_than_equal"),
        ("shapes", {"occlusion": 1.5}, "occlusion", "less_than_equal"),
        ("shapes", {"noise": float("nan")}, "noise", "finite_number"),
        ("shapes", {"channels": 2}, "channels", "literal_error"),
        ("shapes", {"seed": -1}, "seed", "greater_than_equal"),
        ("shapes", {"seed": 2**32}, "seed", "less_than_equal"),
        ("blobs", {"cluster_std": 0.0}, "cluster_std", "greater_than"),
        ("blobs", {"n_features": 0}, "n_features", "greater_than_equal"),
        ("blobs", {"center_box": [0.0]}, "center_box", "too_short"),
        ("synthetic_regression", {"noise_std": -1.0}, "noise_std", "greater_than_equal"),
        ("synthetic_classification", {"class_sep": 0.0}, "class_sep", "greater_than"),
        ("classification", {"n_redundant": -1}, "n_redundant", "greater_than_equal"),
        ("moons", {"noise": -0.1}, "noise", "greater_than_equal"),
        ("moons", {"noise": float("nan")}, "noise", "finite_number"),
        ("moons", {"n_features": 1}, "n_features", "greater_than_equal"),
        ("circles", {"factor": 1.0}, "factor", "less_than"),
        ("blobs", {"label_noise": 1.0}, "label_noise", "less_than"),
        ("patterns", {"label_noise": -0.1}, "label_noise", "greater_than_equal"),
        ("patterns", {"min_frequency": 0.5}, "min_frequency", "greater_than_equal"),
        ("gradients", {"min_extent": 0.0}, "min_extent", "greater_than"),
        ("noise", {"max_density": 1.1}, "max_density", "less_than_equal"),
        ("gaussian_mixture", {"n_features": 501}, "n_features", "less_than_equal"),
        ("synthetic_regression", {"n_informative": 0}, "n_informative", "greater_than_equal"),
    ],
)
def test_a_bad_parameter_is_one_error_at_its_own_key(name, params, key, kind):
    assert the_error(name=name, params=params)[:2] == (("params", key), kind)


@pytest.mark.parametrize(
    ("name", "params", "key", "expected"),
    [
        ("shapes", {"n_classes": 17}, "n_classes", "at most 16 classes, as many as there are looks"),
        ("shapes", {"n_samples": 4}, "n_samples", "at least one sample for each of 5 classes"),
        ("shapes", {"image_size": 7}, "image_size", "an integer from 8 to 2048, or [height, width]"),
        ("shapes", {"image_size": [9, 9, 3]}, "image_size", "an integer from 8 to 2048, or [height, width]"),
        ("shapes", {"min_size": 0.8, "max_size": 0.7}, "max_size", "at least min_size = 0.8"),
        ("shapes", {"min_contrast": 0.5, "max_contrast": 0.4}, "max_contrast", "at least min_contrast = 0.5"),
        ("blobs", {"center_box": [1.0, -1.0]}, "center_box", "a lower and then a higher coordinate"),
        ("synthetic_regression", {"n_informative": 11}, "n_informative", "at most n_features = 10"),
        ("synthetic_classification", {"n_informative": 11}, "n_informative", "at most n_features = 10"),
        ("patterns", {"n_classes": 17}, "n_classes", "at most 16 classes, as many as there are looks"),
        ("gradients", {"n_classes": 15}, "n_classes", "at most 14 classes, as many as there are looks"),
        ("noise", {"n_classes": 14}, "n_classes", "at most 13 classes, as many as there are looks"),
        ("noise", {"max_grain": 0.01}, "max_grain", "at least min_grain = 0.08"),
        ("patterns", {"max_frequency": 2.0}, "max_frequency", "at least min_frequency = 2.5"),
        ("blobs", {"class_weights": [1.0, 2.0]}, "class_weights", "3 numbers, one per class"),
        (
            "moons",
            {"class_weights": [1.0, 1e-9]},
            "class_weights",
            "weights that give every class at least one of 1000 samples",
        ),
        ("classification", {"n_informative": 1}, "n_informative", "at least 2 for 4 clusters"),
        ("classification", {"n_redundant": 11}, "n_redundant", "at most 10, the features that are left"),
        (
            "classification",
            {"n_repeated": 3, "n_redundant": 8},
            "n_repeated",
            "at most 2, the features that are left",
        ),
        ("gaussian_mixture", {"means": [[0.0], [1.0, 2.0]]}, "means", "2 lists of 1 numbers, a mean a class"),
        (
            "gaussian_mixture",
            {"covariances": [[[1.0]]]},
            "covariances",
            "3 matrices of 2 x 2 numbers, one per class",
        ),
    ],
)
def test_parameters_that_do_not_fit_say_what_was_expected_and_found(name, params, key, expected):
    where, _, message = the_error(name=name, params=params)
    assert where == ("params", key)
    assert message == f"expected {expected}, found {params[key]}"


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]]])
def test_a_matrix_that_is_no_covariance_is_named_with_its_class(matrix):
    good = [[1.0, 0.0], [0.0, 1.0]]
    params = {"means": [[0.0, 0.0], [1.0, 1.0]], "covariances": [good, matrix]}
    where, _, message = the_error(name="gaussian_mixture", params=params)
    assert where == ("params", "covariances")
    assert message == f"expected a symmetric, positive definite matrix for class 1, found {matrix}"


@pytest.mark.parametrize("bad", [-1.0, 0.0, float("nan"), float("inf")])
def test_a_bad_class_weight_is_one_error_at_its_place(bad):
    where, _, _ = the_error(name="blobs", params={"class_weights": [1.0, bad, 1.0]})
    assert where == ("params", "class_weights", 1)


def test_each_bad_parameter_has_its_own_error():
    with pytest.raises(ValidationError) as caught:
        DatasetSettings(name="shapes", params={"noise": -1.0, "seed": "x", "color": 1})
    assert {error["loc"] for error in caught.value.errors()} == {("params", key) for key in ("noise", "seed", "color")}
