"""One's own labels: the task that they are for, and the names of the classes."""

import numpy as np
import pytest
from own_data import X, Y, everything, opened, refused

from mlx.cli import main
from mlx.core.errors import SettingsError
from mlx.datasets import DatasetSettings, open_dataset


@pytest.mark.parametrize(
    ("labels", "task", "names", "codes"),
    [
        (np.array(["b", "a", "c"])[Y], "classification", ("a", "b", "c"), np.array([1, 0, 2])[Y]),
        (np.array([b"b", b"a", b"c"])[Y], "classification", ("a", "b", "c"), np.array([1, 0, 2])[Y]),
        (Y > 0, "classification", ("False", "True"), (Y > 0).astype(int)),
        (np.array([7, -2, 40])[Y], "classification", ("-2", "7", "40"), np.array([1, 0, 2])[Y]),
        (Y[:, np.newaxis].astype(np.uint8), "classification", ("0", "1", "2"), Y),
        (Y.astype(float), "regression", (), Y),
        (np.arange(30), "regression", (), np.arange(30)),
        (Y % 1 + X[:, 0], "regression", (), X[:, 0]),
    ],
)
def test_the_task_is_inferred_from_the_labels(tmp_path, labels, task, names, codes):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    dataset = opened(tmp_path / "a.npz")
    _, y = everything(dataset)
    assert (dataset.task, dataset.class_names) == (task, names)
    assert y.dtype == (np.int64 if names else np.float64)
    np.testing.assert_allclose(y, codes)
    assert "inferred" in dataset.source


def test_a_stated_task_goes_before_an_inferred_one(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    assert opened(tmp_path / "a.npz", task="regression").task == "regression"
    np.savez(tmp_path / "b.npz", X=X, y=Y.astype(float))
    dataset = opened(tmp_path / "b.npz", task="classification")
    assert (dataset.class_names, "(stated)" in dataset.source) == (("0", "1", "2"), True)
    np.savez(tmp_path / "c.npz", X=X, y=Y.astype(str))
    refused(tmp_path / "c.npz", "expected numbers for task regression, found text such as '0'", task="regression")


@pytest.mark.parametrize(
    ("labels", "names", "codes"),
    [
        (Y, ["ant", "bee", "cow"], Y),
        (Y, ["ant", "bee", "cow", "dog"], Y),  # one without samples
        (Y * 10, ["ant", "bee", "cow"], Y),
        (np.array(["b", "a", "c"])[Y], ["c", "b", "a"], np.array([1, 2, 0])[Y]),
    ],
)
def test_given_names_are_kept_in_their_order(tmp_path, labels, names, codes):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    dataset = opened(tmp_path / "a.npz", class_names=names)
    assert dataset.class_names == tuple(names)
    np.testing.assert_array_equal(everything(dataset)[1], codes)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (Y * 10, ["a", "b"], "expected 3 names, as many as .* has different labels; found a, b"),
        (Y, ["a", "b", "a"], "expected names that differ"),
        (Y.astype(str), ["0", "1"], "expected all labels of .*, such as '2'; found 0, 1"),
        (X[:, 0], ["a", "b"], "expected none for a regression"),
    ],
)
def test_names_that_do_not_fit_the_labels_are_an_error_at_their_key(tmp_path, labels, names, message):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    error = refused(tmp_path / "a.npz", message, SettingsError, class_names=names)
    assert error.key == ("dataset", "params", "class_names")


TEXT = np.array(["a", "b"])[Y % 2]


def with_point(point, order="<"):
    labels = TEXT.astype(f"{order}U3")
    labels.view(f"{order}u4")[3 * 4] = point
    return labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([b"caf\xe9", b"b"])[Y % 2], "y: expected labels in UTF-8, found other bytes"),
        (with_point(0x110000), r"expected text, found U\+110000, no character, in row 4"),
        (with_point(0xFFFFFFFF, ">"), r"expected text, found U\+FFFFFFFF, no character, in row 4"),
        (with_point(0xD800), r"expected text, found U\+D800, no character, in row 4"),
    ],
    ids=["bytes", "large", "largest", "surrogate"],
)
def test_labels_that_are_no_text_are_named_by_their_row(tmp_path, labels, message):
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    refused(tmp_path / "a.npz", message.removeprefix("y: "))
    if labels.dtype.kind == "U":  # so are names and factors
        np.savez(tmp_path / "a.npz", X=X, y=Y % 2, class_names=labels[4:6])
        refused(tmp_path / "a.npz", f"class_names: {message.replace('row 4', 'row 0')}")
        np.savez(tmp_path / "a.npz", X=X, y=Y, **{"factors/shade": labels})
        refused(tmp_path / "a.npz", f"factor shade: {message}")
    np.savez(tmp_path / "a.npz", X=X, y=TEXT.astype(">U3"))
    assert opened(tmp_path / "a.npz").class_names == ("a", "b")


@pytest.mark.parametrize(
    ("labels", "found", "other"),
    [
        (np.arange(800) // 4, "regression (integers of 200 different values)", "classification"),
        (Y, "classification (integers of 3 different values)", "regression"),
        (
            Y.astype(float),
            "regression (numbers of floating type, none with a fraction, of 3",
            "classification",
        ),
        (X[:, 0], "regression (numbers of floating type of 30 different values)", "classification"),
        (Y > 0, "classification (true and false)", "regression"),
        (np.arange(30), "regression (integers of 30 different values)", "classification"),
    ],
)
def test_what_was_inferred_is_said_with_the_key_that_states_it(tmp_path, capsys, labels, found, other):
    np.savez(tmp_path / "a.npz", X=np.resize(X, (len(labels), 3)), y=labels)
    opened(tmp_path / "a.npz")
    told = capsys.readouterr().err.splitlines()[0]
    assert told.startswith(f"dataset custom: targets taken for a {found}")
    assert told.endswith(f"set dataset.params.task: {other}")
    assert opened(tmp_path / "a.npz", task=other).task == other  # the advice holds
    assert not capsys.readouterr().err


def test_text_can_be_nothing_but_classes_and_generated_data_is_known(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", X=X, y=Y.astype(str))
    opened(tmp_path / "a.npz")
    open_dataset(DatasetSettings(name="blobs"))
    assert not capsys.readouterr().err


def test_the_dry_run_says_what_was_inferred_and_a_model_that_refuses_names_the_key(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", X=np.resize(X, (800, 3)), y=np.arange(800) // 4)
    config = "name: a\ndataset: {name: custom, path: a.npz}\nmodel: {name: linear_regression}\n"
    (tmp_path / "a.yaml").write_text(config)
    main(["run-experiment", "--config", "a.yaml", "--dry-run"])
    said = "targets taken for a regression (integers of 200 different values); if they are classes, set dataset.params."
    out, err = capsys.readouterr()
    assert f"# task: {said}" in out
    assert f"dataset custom: {said}" in err
    (tmp_path / "a.yaml").write_text(config.replace("linear", "logistic"))
    with pytest.raises(SystemExit, match="which is for classification; dataset.params.task states what"):
        main(["run-experiment", "--config", "a.yaml", "--dry-run"])
