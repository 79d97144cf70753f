"""`mlx analyze`: arrays of any framework get the same evaluation, residuals analysis and report."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import softmax

from mlx.cli import main
from mlx.core.errors import SettingsError
from mlx.core.paths import Workspace
from mlx.evaluation import EvaluationSettings, evaluate_classification
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.report import report
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.plots.settings import ReportSettings
from mlx.residuals import ResidualsSettings

pytestmark = pytest.mark.slow

N, K = 160, 3
QUICK = ["residuals.n_permutations=19", "residuals.n_bootstrap=100", "residuals.projections=[pca]"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Arrays as someone would save them, of a classifier that errs where it is unsure."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    y = generator.integers(K, size=N)
    h = (2 * np.eye(K, 8)[y] + 0.9 * generator.normal(size=(N, 8))).astype(np.float32)
    z = 2 * h[:, :K]
    np.save("r.npy", h)
    np.save("p.npy", softmax(z, axis=1))
    np.save("z.npy", z)
    np.save("y.npy", y)
    np.save("names.npy", np.array(["ant", "bee", "cat"])[y])
    sparse.save_npz("leaves.npz", sparse.csc_matrix((h > 1).astype(float)))
    pd.DataFrame({"size": np.arange(N) % 7, "kind": np.where(h[:, 0] > 0, "a", "b")}).to_csv("m.csv", index=False)
    return tmp_path


def analyze(*arguments: str) -> str:
    """Run the command; return what it says it can't do, or nothing."""
    given = {"--representations": "r.npy", "--probabilities": "p.npy", "--labels": "y.npy"}
    extra = [*(part for setting in QUICK for part in ("--set", setting)), *arguments]
    for flag, value in given.items():
        if flag not in extra:
            extra += [flag, value]
    try:
        main(["analyze", *extra])
    except SystemExit as end:
        return f"exit {end.code}"
    return ""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_answer_is_the_report_in_a_folder_of_the_shape_of_a_workspace(folder, capsys) -> None:
    assert not analyze("--logits", "z.npy", "--metadata", "m.csv", "--output", "out")
    report = Path(capsys.readouterr().out.strip())
    assert report == Path("out/data/report/report.html")
    assert f"<h1>{folder.name}</h1>" in report.read_text()
    samples = pd.read_parquet("out/data/residuals/samples.parquet")
    assert samples["factor.size"].tolist() == [i % 7 for i in range(N)]
    assert (samples["y_pred"] == np.load("p.npy").argmax(axis=1)).all()
    assert {path.name for path in Path("out").iterdir()} == {"data", "metrics"}


def test_the_same_seed_gives_the_same_bytes_and_an_earlier_analysis_is_replaced(folder) -> None:
    assert not analyze("--metadata", "m.csv")
    first = contents(Path("analysis"))
    assert not analyze("--metadata", "m.csv")
    assert contents(Path("analysis")) == first
    assert not analyze("--seed", "1")
    assert "data/raw/factors.parquet" not in contents(Path("analysis"))


def test_names_as_labels_and_sparse_layers_give_the_same_as_numbers_and_dense_ones(folder) -> None:
    assert not analyze("--representations", "leaf=leaves.npz", "--labels", "names.npy", "--output", "sparse")
    np.save("leaf.npy", sparse.load_npz("leaves.npz").toarray())
    assert not analyze("--representations", "leaf.npy", "--class-names", "ant,bee,cat", "--output", "dense")
    found = [pd.read_csv(f"{output}/data/residuals/tests.csv") for output in ("sparse", "dense")]
    pd.testing.assert_frame_equal(*found, atol=1e-9)
    assert set(pd.read_csv("sparse/data/residuals/classes.csv")["name"]) == {"ant", "bee", "cat"}


def test_several_layers_and_one_number_a_sample_are_analyzed(folder) -> None:
    np.save("one.npy", np.load("r.npy")[:, 0])
    Path("names.txt").write_text("ant\nbee\ncat\n")
    layers = ("--representations", "r.npy", "--representations", "conv=one.npy")
    assert not analyze(*layers, "--predictions", "y.npy", "--class-names", "names.txt")
    assert set(pd.read_csv("analysis/data/residuals/tests.csv")["layer"].dropna()) >= {"r", "conv"}
    assert pd.read_parquet("analysis/data/residuals/samples.parquet")["correct"].all()


def spoil(name: str, change) -> None:
    np.save(name, change(np.load(name)))


def with_value(row: int, value: float):
    def change(array):
        array = array.astype(np.float64)
        array[row, 1] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("r.npy", with_value(5, np.nan), "r.npy: row 5: a value is not finite"),
        ("p.npy", with_value(7, 0.9), "probabilities: row 7: expected values of at least 0 that sum to 1"),
        ("p.npy", with_value(3, np.inf), "p.npy: row 3: a value is not finite"),
        ("z.npy", with_value(2, 9.0), "logits: row 2: expected the probabilities to be their softmax"),
        ("r.npy", lambda h: h[:9], "r.npy: expected representations of shape (160, any)"),
        ("y.npy", lambda y: y + 1, "y.npy: row "),
        ("y.npy", lambda y: y[:9], "y.npy: expected labels of shape (160,), found (9,)"),
        ("y.npy", lambda y: y / 2, "expected labels that are integers or names, found 0.5 (float64)"),
        ("p.npy", lambda p: p[None], "p.npy: expected probabilities of 2 dimensions"),
    ],
)
def test_what_cannot_be_analyzed_is_named_with_its_row(folder, name, change, message) -> None:
    spoil(name, change)
    assert message in analyze("--logits", "z.npy")


def test_an_analysis_that_breaks_off_leaves_no_results_of_an_earlier_one_beside_new_arrays(folder) -> None:
    spoil("r.npy", with_value(5, np.nan))
    assert "r.npy: row 5" in analyze()
    Path("analysis/data/.representations.1.tmp").mkdir()
    Path("analysis/data/.representations.1.tmp/r.npy").touch()  # of one that was killed
    spoil("r.npy", np.nan_to_num)
    assert not analyze()
    first = contents(Path("analysis"))
    spoil("r.npy", with_value(5, np.nan))
    assert "r.npy: row 5" in analyze()
    assert contents(Path("analysis")) == first
    spoil("r.npy", np.nan_to_num)
    spoil("z.npy", with_value(2, 9.0))
    assert "logits: row 2" in analyze("--logits", "z.npy")
    assert not any(name.startswith(("metrics", "data/residuals")) for name in contents(Path("analysis")))
    assert not analyze()
    assert contents(Path("analysis")) == first


def test_flags_that_do_not_fit_are_refused(folder) -> None:
    assert "expected different names, found 'r' twice" in analyze(
        "--representations", "r.npy", "--representations", "r.npy"
    )
    assert "found 'logits'" in analyze("--representations", "logits=r.npy")
    assert "expected 3 different names" in analyze("--class-names", "a,b")
    assert "found 'bee'" in analyze("--labels", "names.npy", "--class-names", "ant,wasp,cat")
    assert "--seed: evaluation.seed: expected an integer of at least 0" in analyze("--seed", "-1")
    assert "none.npy: expected labels in a file, found nothing" in analyze("--labels", "none.npy")
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("mine")
    assert "expected a new or empty folder" in analyze("--output", "out")
    np.save("objects.npy", np.array([{}], dtype=object))
    assert "Python objects" in analyze("--labels", "objects.npy")
    Path("leaves.npz").write_bytes(b"PK")
    assert "leaves.npz: expected a file of scipy.sparse.save_npz" in analyze("--representations", "leaves.npz")


def test_no_deep_learning_framework_is_imported(folder) -> None:
    script = (
        "import sys; from matplotlib.backends.backend_agg import FigureCanvasAgg; from mlx.cli import main; "
        "FigureCanvasAgg.draw = lambda canvas: canvas.get_renderer(); "
        "main(['analyze', '--representations', 'r.npy', '--probabilities', 'p.npy', '--labels', 'y.npy', "
        "'--permutations', '19', '--set', 'residuals.projections=[pca]']); "
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize("subject", ["s{}", "2020-01-{:02}"])
def test_samples_that_belong_together_are_named_by_a_column_of_the_metadata(folder, subject: str) -> None:
    pd.DataFrame({"subject": [subject.format(row // 2) for row in range(N)]}).to_csv("m.csv", index=False)
    assert not analyze("--metadata", "m.csv", "--groups", "subject", "--output", "out")
    metrics = json.loads(Path("out/metrics/residuals.json").read_text())
    assert (metrics["groups"], metrics["n_groups"], metrics["n_duplicates"]) == ("subject", N // 2, 0)
    tests = pd.read_csv("out/data/residuals/tests.csv")
    assert tests.loc[tests["p"].notna(), "p_method"].str.contains("by group|of groups").all()
    assert Path("out/data/report/report.html").read_text().count(">n groups<") == 2
    evaluation = json.loads(Path("out/metrics/evaluation.json").read_text())
    assert (evaluation["groups"], evaluation["n_groups"], evaluation["n_duplicates"]) == ("subject", N // 2, 0)
    y, p = np.load("y.npy"), np.load("p.npy")
    found = evaluate_classification(
        y, p.argmax(axis=1), p, class_names=["0", "1", "2"], settings=EvaluationSettings(), groups=np.arange(N) // 2
    ).metrics
    interval = found.accuracy.interval
    assert evaluation["accuracy_interval"] == ([interval.low, interval.high] if interval.why_missing.is_ok else None)
    assert evaluation["ece_p_status"] == "not by group"


def test_factors_are_picked_from_the_metadata(folder) -> None:
    pd.DataFrame({"light": np.arange(N) % 7, "site": ["a", "b"] * (N // 2), "k": np.arange(N) % 5}).to_csv("m.csv")
    assert not analyze("--metadata", "m.csv", "--factors", "light, site", "--output", "out")
    assert set(pd.read_csv("out/data/residuals/factors.csv")["factor"]) == {"light", "site"}
    assert not analyze("--metadata", "m.csv", "--factors", "none", "--output", "out")
    assert pd.read_csv("out/data/residuals/factors.csv").empty
    said = analyze("--metadata", "m.csv", "--factors", "ligt", "--output", "out")
    assert said.startswith("exit --factors: residuals.factors: expected some of ")
    assert said.endswith("found 'ligt'; did you mean 'light'?")
    for setting, found in (("residuals.factors=[sit]", "'sit'"), ("evaluation.groups=sit", "'sit'")):
        said = analyze("--metadata", "m.csv", "--set", setting, "--output", "new")
        assert said.endswith(f"found {found}; did you mean 'site'?")
    assert not list(Path("new").rglob("*.npy")), "names are checked before anything is written"


def test_a_name_of_groups_that_is_no_column_is_rejected(folder) -> None:
    pd.DataFrame({"subject": [f"s{row // 2}" for row in range(N)]}).to_csv("m.csv", index=False)
    assert not analyze("--metadata", "m.csv", "--output", "out")
    said = "--groups: expected one of subject, duplicates, found 'subjects'; did you mean 'subject'?"
    assert analyze("--metadata", "m.csv", "--groups", "subjects", "--output", "other") == f"exit {said}"
    pd.DataFrame({"person": [f"p{row}" for row in range(N)]}).to_csv("names.csv", index=False)  # no factor
    said = "--groups: expected one of person, duplicates, found 'persn'; did you mean 'person'?"
    assert analyze("--metadata", "names.csv", "--groups", "persn", "--output", "other") == f"exit {said}"
    settings = ResidualsSettings(groups="subjects")
    with pytest.raises(SettingsError, match="residuals.groups: expected one of subject, duplicates, found 'subjects'"):
        residuals_analysis(Workspace(Path("out")), residuals=settings)
    with pytest.raises(SettingsError, match="evaluation.groups: expected one of subject, duplicates, found 'subjects'"):
        evaluate(Workspace(Path("out")), evaluation=EvaluationSettings(groups="subjects"))


def test_groups_that_one_section_alone_names_are_said(folder) -> None:
    pd.DataFrame({"subject": np.arange(N) // 2}).to_csv("m.csv", index=False)
    assert not analyze("--metadata", "m.csv", "--groups", "subject", "--output", "out")
    workspace, settings = Workspace(Path("out")), ReportSettings(formats=["png"])
    assert "different groups" not in report(workspace, report=settings)
    assert "intervals by" not in evaluate(workspace, evaluation=EvaluationSettings())
    said = "(inference goes by different groups: evaluation.groups: not set, residuals.groups: subject; each section"
    assert said in report(workspace, report=settings)


def test_exact_duplicates_are_said_on_the_page_in_the_summary_and_in_the_metrics(folder, capsys) -> None:
    twice = np.repeat(np.arange(N), 2)
    for name in ("r.npy", "p.npy", "y.npy"):
        np.save(name, np.load(name)[twice])
    said = f"{N} of {2 * N} samples are exact duplicates of others"
    assert not analyze("--output", "out")
    assert said in capsys.readouterr().err
    assert Path("out/data/report/report.html").read_text().count(said) > 3
    evaluation = json.loads(Path("out/metrics/evaluation.json").read_text())
    assert evaluation["duplicates_status"].endswith("as independent; evaluation.groups: duplicates counts them once")
    metrics = json.loads(Path("out/metrics/residuals.json").read_text())
    assert metrics["n_duplicates"] == evaluation["n_duplicates"] == N
    assert said in metrics["pearson_within_status"]
    assert not analyze("--groups", "duplicates", "--output", "out")
    assert said not in capsys.readouterr().err
    evaluation = json.loads(Path("out/metrics/evaluation.json").read_text())
    assert (evaluation["groups"], evaluation["n_groups"], evaluation["n_duplicates"]) == ("duplicates", N, N)
    assert "duplicates_status" not in evaluation
    assert json.loads(Path("out/metrics/residuals.json").read_text())["n_groups"] == N
