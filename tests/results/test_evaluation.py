"""An evaluation is read back from its files as the types that it was written from."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from mlx.core.artifacts import read_csv, write_csv
from mlx.core.errors import ArtifactError
from mlx.core.metrics import read_metrics, write_metrics
from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.results.evaluation import EVALUATION_SCHEMAS, classification_evaluation, regression_evaluation
from mlx.stats.status import Reason


def evaluated(n, n_classes, seed=0, sure=1.0):
    generator = np.random.default_rng(seed)
    logits = sure * generator.normal(size=(n, n_classes))
    y = generator.integers(min(n_classes, 3), size=n)
    names = [f"class {k}" for k in range(n_classes)]
    probabilities = softmax(logits, axis=1)
    settings = EvaluationSettings(n_bootstrap=100)
    return evaluate_classification(y, logits.argmax(axis=1), probabilities, class_names=names, settings=settings)


def written(folder, result):
    folder.mkdir(exist_ok=True)
    write_metrics(folder / "evaluation.json", result.metrics.as_dict())
    for name, frame in result.frames().items():
        write_csv(folder / name, frame)


def read(folder, n_classes):
    tables = {schema.file: read_csv(folder / schema.file, text=schema.text) for schema in EVALUATION_SCHEMAS}
    names = [f"class {k}" for k in range(n_classes)]
    return classification_evaluation(folder, read_metrics(folder / "evaluation.json"), tables, names)


@pytest.mark.parametrize(("n", "n_classes", "sure"), [(300, 3, 1.0), (8, 4, 1.0), (60, 7, 800.0), (1, 2, 1.0)])
def test_an_evaluation_of_a_classifier_is_read_back_as_it_was(tmp_path, n, n_classes, sure):
    result = evaluated(n, n_classes, sure=sure)
    written(tmp_path / "first", result)
    found = read(tmp_path / "first", n_classes)
    assert repr(found.metrics) == repr(result.metrics)
    assert repr(found.classes) == repr(result.classes)
    written(tmp_path / "again", found)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_an_evaluation_of_a_regression_is_read_back_as_it_was(tmp_path):
    x = np.arange(40.0)
    for target in (x + np.sin(x), np.ones(40), x):
        result = evaluate_regression(target, x, settings=EvaluationSettings())
        written(tmp_path, result)
        found = regression_evaluation(tmp_path, read_metrics(tmp_path / "evaluation.json"))
        assert repr(found.metrics) == repr(result.metrics)
        assert all(read_csv(tmp_path / schema.file).empty for schema in EVALUATION_SCHEMAS)


def test_a_damaged_evaluation_names_the_file_and_what_is_wrong(tmp_path):
    result = evaluated(50, 3)
    written(tmp_path, result)
    metrics = read_metrics(tmp_path / "evaluation.json")
    tables = {schema.file: read_csv(tmp_path / schema.file, text=schema.text) for schema in EVALUATION_SCHEMAS}
    names = ["class 0", "class 1", "class 2"]
    for key, value, wanted in (
        ("accuracy", "high", r"evaluation\.json: accuracy: expected a number .*found text 'high'"),
        (
            "macro_f1_status",
            "for no reason",
            r"evaluation\.json: macro_f1: expected .* of this version, found for no",
        ),
        ("macro_f1_status", 3, r"evaluation\.json: macro_f1: expected .* found the status 3"),
        ("macro_f1_status", None, r"evaluation\.json: macro_f1: expected .* found the status null"),
        ("macro_f1_status", "no interval (5)", r"evaluation\.json: macro_f1: expected .* found no interval \(5\)"),
        ("confidence", None, r"evaluation\.json: confidence: expected a number .*found null"),
        ("n", None, r"evaluation\.json: n: expected a number .*found null"),
        ("n", 0, r"evaluation\.json: n: expected a number of at least 1, found 0"),
        ("accuracy", 1.7, r"evaluation\.json: accuracy: expected a number from 0 to 1, found 1\.7"),
        ("accuracy_high", 1.2, r"evaluation\.json: accuracy_interval: expected a number from 0 to 1, found 1\.2"),
        ("confidence", 7, r"evaluation\.json: confidence: expected a number from 0 to 1, found 7"),
        ("cohen_kappa", -1.1, r"evaluation\.json: cohen_kappa: expected a number from -1 to 1, found -1\.1"),
        ("log_loss", -3.0, r"evaluation\.json: log_loss: expected a number of at least 0, found -3"),
        ("ece_p", 2, r"evaluation\.json: ece_p: expected a number from 0 to 1, found 2"),
    ):
        broken = metrics | {key: value} | ({"macro_f1_low": None} if key == "macro_f1_status" else {})
        with pytest.raises(ArtifactError, match=wanted):
            classification_evaluation(tmp_path, broken, tables, names)
    without = {key: value for key, value in metrics.items() if key != "ece"}
    with pytest.raises(ArtifactError, match=r"evaluation\.json: expected a key 'ece', found n, "):
        classification_evaluation(tmp_path, without, tables, names)
    odd = tables["per_class.csv"].assign(status="because")
    with pytest.raises(ArtifactError, match=r"per_class\.csv: row 0: status: expected a status of .*, found because"):
        classification_evaluation(tmp_path, metrics, tables | {"per_class.csv": odd}, names)
    twice = tables["per_class.csv"].assign(**{"class": 0})
    with pytest.raises(ArtifactError, match=r"per_class\.csv: row 1: class: expected 1, found 0"):
        classification_evaluation(tmp_path, metrics, tables | {"per_class.csv": twice}, names)
    with pytest.raises(ArtifactError, match=r"confusion\.csv: expected 9 counts, .* found 4"):
        classification_evaluation(tmp_path, metrics, tables | {"confusion.csv": tables["confusion.csv"][:4]}, names)
    with pytest.raises(ArtifactError, match=r"per_class\.csv: expected 3 rows, one for each class, found 2"):
        classification_evaluation(tmp_path, metrics, tables | {"per_class.csv": tables["per_class.csv"][:2]}, names)


def test_an_estimate_says_why_it_or_its_interval_is_missing():
    metrics = evaluated(8, 3).metrics
    assert metrics.macro_f1.status == Reason.NO_INTERVAL(metrics.macro_f1.interval.why_missing)
    single = evaluate_classification(
        [1, 1], [1, 0], np.array([[0.4, 0.6], [0.6, 0.4]]), class_names=["a", "b"], settings=EvaluationSettings()
    ).metrics
    assert single.roc_auc.status == Reason.ONE_CLASS_TESTED()
    assert replace(single, ece=0.0).ece == 0.0
