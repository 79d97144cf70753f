"""The mistakes that a newcomer is most likely to make, and the exact message that each gets."""

from pathlib import Path

import pytest

from mlx.cli import main

GOOD = """name: study
dataset:
  name: digits
model:
  name: logistic_regression
training:
  epochs: 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


MISTAKES = {
    "a number in quotes": (
        GOOD.replace("3", "'3'"),
        "c.yaml:7: training.epochs: expected an integer of at least 1, found \"3\"",
    ),
    "no epochs": (GOOD.replace("3", "0"), "c.yaml:7: training.epochs: expected an integer of at least 1, found 0"),
    "a fraction of an epoch": (
        GOOD.replace("3", "1.5"),
        "c.yaml:7: training.epochs: expected an integer of at least 1, found 1.5",
    ),
    "an empty value": (
        GOOD.replace("3", ""),
        "c.yaml:7: training.epochs: expected an integer of at least 1, found null",
    ),
    "a misspelled key": (
        GOOD.replace("epochs", "epoch"),
        "c.yaml:7: training.epoch: expected one of batch_size, cross_fit, early_stopping_patience, epochs, "
        "learning_rate, optimizer, params, seed, found an unknown key; did you mean 'epochs'?",
    ),
    "a misspelled section": (
        GOOD.replace("training:", "trainig:"),
        "c.yaml:6: trainig: expected one of dataset, description, evaluation, model, name, output, preprocessing, "
        "report, representations, residuals, resources, split, training, "
        "found an unknown key; did you mean 'training'?",
    ),
    "no name": (GOOD.replace("name: study\n", ""), "c.yaml: name: expected text, found nothing"),
    "a name with a slash": (
        GOOD.replace("study", "my/study"),
        "c.yaml:1: name: expected letters, digits, '_', '-' and '.', as it also names a folder, found 'my/study'",
    ),
    "no dataset": (
        GOOD.replace("dataset:\n  name: digits\n", ""),
        "c.yaml: dataset: expected a section of keys, found nothing",
    ),
    "a dataset without its section": (
        GOOD.replace("dataset:\n  name: digits", "dataset: digits"),
        'c.yaml:2: dataset: expected a section of keys, found "digits"',
    ),
    "an optimizer that is none": (
        GOOD.replace("epochs: 3", "optimizer: adamm"),
        "c.yaml:7: training.optimizer: expected one of adam, sgd, rmsprop, adamw, found \"adamm\"",
    ),
    "a negative learning rate": (
        GOOD.replace("epochs: 3", "learning_rate: -0.1"),
        "c.yaml:7: training.learning_rate: expected a number above 0, found -0.1",
    ),
    "a key twice": (GOOD + "model:\n  name: mlp\n", "c.yaml:8: model: stands twice, first on line 4"),
    "a tab": (
        GOOD.replace("  epochs", "\tepochs"),
        "c.yaml:7:1: not valid YAML: found character '\\t' that cannot start any token",
    ),
    "a file of data": ("1,2,3\n", 'c.yaml: expected sections such as \'dataset:\' and \'model:\', found "1,2,3"'),
    "an empty file": ("", "c.yaml: expected sections such as 'dataset:' and 'model:', found an empty file"),
    "an output elsewhere": (
        GOOD + "output:\n  directory: /somewhere\n",
        "c.yaml:9: output.directory: expected a folder of its own inside of the repository, {folder}, "
        "found '/somewhere'",
    ),
    "a path that nothing reads": (
        GOOD.replace("  name: digits", "  name: digits\n  path: here"),
        "c.yaml:4: dataset.path: expected no path, found here: digits reads no files",
    ),
    "a parameter of another model": (
        GOOD.replace("  name: logistic_regression", "  name: logistic_regression\n  params: {hidden_layers: [3]}"),
        "c.yaml:6: model.params.hidden_layers: expected one of C, class_weight, fit_intercept, l1_ratio, max_iter, "
        "penalty, solver, tol, found an unknown key",
    ),
    "a regression model for classes": (
        GOOD.replace("logistic_regression", "linear_regression"),
        "c.yaml:5: model.name: expected a model for classification, which the dataset is, found linear_regression, "
        "which is for regression; dataset.params.task states what the targets of custom data are",
    ),
    "a layer that is none": (
        GOOD + "representations:\n  layers: [conv_1]\n",
        "c.yaml:9: representations.layers: expected one of penultimate, input, standardised, decision, found 'conv_1'",
    ),
    "too few samples of a class": (
        GOOD.replace("  name: digits", "  name: digits\n  params: {n_samples: 20}"),
        "split.stratify: expected at least 3 samples of each class, one for each part, found 2 of class '0'; "
        "use more samples or stratify: false",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_its_message(folder: Path, mistake: str) -> None:
    text, message = MISTAKES[mistake]
    (folder / "c.yaml").write_text(text)
    with pytest.raises(SystemExit) as caught:
        main(["run-experiment", "--dry-run", "--strict", "--config", "c.yaml"])
    assert str(caught.value) == message.format(folder=folder.resolve())


def test_a_config_that_is_not_there_and_a_command_that_is_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, message in (
        (["run-experiment", "--config", "c.yml"], "c.yml: no such file; expected a YAML or JSON configuration"),
        (
            ["run-experiment"],
            "expected --config FILE, a params.yaml here, or a NAME for the built-in default, found none",
        ),
        (["run-experiment", "--set", "epochs"], None),
        (["eval", "study"], f"study: expected a run below {folder.resolve()}/outputs, its id or its name, found none"),
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        if message is not None:
            assert str(caught.value) == message
    with pytest.raises(SystemExit) as caught:
        main(["run-experimnt"])
    assert caught.value.code == 1
    assert "invalid choice: 'run-experimnt'" in capsys.readouterr().err
