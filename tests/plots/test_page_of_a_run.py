"""`mlx report`, and that its page says what the tables of the run say, read out of a browser."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import started

from mlx.cli import main
from mlx.plots.report.figures import FIGURES
from mlx.runs.history import find_run

pytestmark = pytest.mark.slow

MINUS = "\N{MINUS SIGN}"
CONFIG = {
    "name": "small",
    "dataset": {"name": "digits", "params": {"n_samples": 900}},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression", "params": {"C": 1e-3}},
    "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
    "report": {"dpi": 50},
}
LINE = {
    "name": "line",
    "dataset": {"name": "synthetic_regression", "params": {"n_samples": 300}},
    "model": {"name": "linear_regression"},
    "report": {"dpi": 50},
}


DRAWN = {
    "classification": ("samples", "confusion", "similarity_entropy"),
    "regression": ("samples", "residuals_fitted"),
}


@pytest.fixture(scope="module", autouse=True)
def few_figures():
    """Draw figures of images, of counts and of points: each figure by itself has the same bytes again elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        for task, names in DRAWN.items():
            patch.setitem(FIGURES, task, {name: FIGURES[task][name] for name in names})
        yield


@pytest.fixture(scope="module")
def studied(tmp_path_factory, few_figures):
    """A folder with a run of a classifier and one of a regression."""
    folder = tmp_path_factory.mktemp("studied")
    (folder / "params.yaml").write_text(json.dumps([CONFIG, LINE]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(["run-experiment"])
    return folder


@pytest.fixture
def folder(studied, monkeypatch):
    monkeypatch.chdir(studied)
    return studied


@pytest.fixture(scope="module")
def browser():
    with started() as browser:
        yield browser


def content(folder):
    """The bytes of every file but the locks, which stay where a process took them and are empty."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(".lock"))
    return {path.relative_to(folder): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", ["small", "line"])
def test_a_report_is_drawn_again_from_what_is_there_with_the_same_bytes(folder, capsys, name):
    run = find_run(name, folder / "outputs").folder
    before = content(run)
    shutil.rmtree(run / "data/report")
    main(["report", name])
    assert Path(capsys.readouterr().out.strip()).resolve() == (run / "data/report/report.html").resolve()
    assert content(run) == before
    main(["report", str(run)])
    assert content(run) == before


def test_a_report_of_the_workspace_is_drawn_where_it_stands(folder, capsys, monkeypatch, tmp_path):
    run = find_run("small", folder / "outputs").folder
    for part in ("data", "metrics"):
        shutil.copytree(run / part, tmp_path / part)
    shutil.rmtree(tmp_path / "data/report")
    (tmp_path / "params.yaml").write_text(json.dumps(CONFIG | {"report": {"dpi": 60}}))
    monkeypatch.chdir(tmp_path)
    main(["report", "."])
    assert capsys.readouterr().out.strip() == "data/report/report.html"
    assert "dpi" in Path("data/report/report.html").read_text()


def test_a_report_of_arrays_recorded_elsewhere_is_drawn_again(folder, capsys, tmp_path):
    recorded = find_run("small", folder / "outputs").folder / "data/representations/test"
    output = tmp_path / "analysis"
    files = {"representations": "penultimate", "probabilities": "probabilities", "labels": "y_true"}
    flags = [part for flag, file in files.items() for part in (f"--{flag}", str(recorded / f"{file}.npy"))]
    main(["analyze", *flags, "--output", str(output)])
    before = content(output)
    main(["report", str(output)])
    assert content(output) == before


def test_a_run_of_a_version_with_fewer_tables_keeps_its_page_and_says_how_to_repeat_it(folder, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(find_run("small", folder / "outputs").folder, old)
    (old / "data/residuals/temperature.csv").unlink()
    (old / "checksums.json").unlink()
    before = content(old)
    with pytest.raises(SystemExit, match=r"temperature\.csv: expected a file, found none; the run may be .*old/config"):
        main(["report", str(old)])
    assert content(old) == before


@pytest.mark.parametrize("name", ["nothing-like-it", "empty"])
def test_a_report_of_nothing_says_what_is_missing(folder, capsys, name):
    (folder / "empty").mkdir(exist_ok=True)
    with pytest.raises(SystemExit, match=r"expected a run"):
        main(["report", name])
    (folder / "half/metrics").mkdir(parents=True, exist_ok=True)
    with pytest.raises(SystemExit, match=r"dataset\.json: expected a file, found none"):
        main(["report", "half"])


def test_the_page_says_what_the_tables_say(folder, browser):
    run = find_run("small", folder / "outputs").folder
    browser.open(run / "data/report/report.html")
    evaluation = json.loads((run / "metrics/evaluation.json").read_text())
    shown = {row[0]: row for row in table(browser, "Evaluation")}
    for key, value in evaluation.items():
        if isinstance(value, int | float):
            assert shown[key.replace("_", " ")][1] == value
    low, high = evaluation["accuracy_interval"]
    assert shown["accuracy"][2] == f"{low:.3f} to {high:.3f}"
    read_tests(browser, run)
    read_files(browser, run)
    read_samples(browser, run)
    counts = pd.read_csv(run / "metrics/confusion.csv")["count"].to_numpy()
    matrix = browser.js("return [...document.querySelectorAll('.confusions tbody td')].map(c => Number(c.textContent))")
    assert matrix == counts.tolist()
    cards = dict(zip(browser.texts(".key-result dt"), browser.texts(".key-result dd:last-child"), strict=True))
    tests = pd.read_csv(run / "data/residuals/tests.csv")
    answer = browser.text(".answer p").replace("\N{NO-BREAK SPACE}", " ")
    row = tests[(tests.name == "error by entropy") & (tests.statistic == "auroc")].iloc[0]
    assert f"AUROC of its entropy {row.estimate:.2f}, 95 % interval {row.low:.2f} to {row.high:.2f}" in answer
    assert f"{int(counts.sum() - np.trace(counts.reshape(10, 10)))} of {counts.sum()} test samples" in answer
    row = tests[(tests.name == "error by low similarity") & (tests.statistic == "auroc")].iloc[0]
    if added := cards.get("Geometry beside the softmax"):  # of which there is one or the other
        assert added.startswith(("Scores of geometry", "These samples do not show that geometry"))
    else:
        claims = row.low > 0.5  # without an interval above chance the page claims nothing
        assert f"AUROC {row.estimate:.2f}" in cards[f"Low similarity {'detects' if claims else 'and'} mistakes"]
    assert f"small/{run.name}," in browser.text(".about")
    assert dict(table(browser, "Configuration"))["model.params.C"] == "0.001"
    assert dict(table(browser, "Environment"))["numpy"] == np.__version__
    assert browser.complaints() == []


def table(browser, caption):
    """The rows of the table under a caption: numbers as they are, not as they are rounded."""
    rows = browser.js(
        "const t = [...document.querySelectorAll('table.sortable')].find(t => t.caption.textContent === arguments[0]);"
        "return [...t.tBodies[0].rows].map(r => [...r.cells].map(c => c.dataset.v === undefined ? c.textContent : "
        "Number(c.dataset.v)))",
        caption,
    )
    assert rows
    return rows


def read_tests(browser, run):
    tests = pd.read_csv(run / "data/residuals/tests.csv", keep_default_na=False)
    rows = table(browser, "Tests")
    assert len(rows) == len(tests)
    columns = browser.js(
        "const t = [...document.querySelectorAll('table.sortable')].find(t => t.caption.textContent === 'Tests');"
        "return [...t.tHead.rows[0].cells].map(c => c.textContent)"
    )
    headings = {"name": "test", "estimate": "estimate", "low": "interval", "p": "p", "n": "samples"}
    for column, heading in headings.items():
        for row, value in zip(rows, tests[column], strict=True):
            found = row[columns.index(heading)]
            read = found if isinstance(found, str) else float(found)
            assert read == ("\N{EN DASH}" if value == "" else type(read)(value))


def read_files(browser, run):
    """Each table links to the file that has all of it, and unfolds to as many rows."""
    links = browser.all(".table:has(details) .under a")
    assert len(links) > 8
    for link in links:
        path = Path(link.get_attribute("href").removeprefix("file://"))
        assert path.is_relative_to(run.resolve())
        assert path.is_file()
    table = browser.find(".table:has([href$='tests.csv'])")
    shown = "return [...arguments[0].querySelectorAll('tbody tr')].filter((row) => row.offsetParent).length"
    assert browser.js(shown, table) == 5
    table.find_element("css selector", "summary").click()
    assert browser.js(shown, table) == len(pd.read_csv(run / "data/residuals/tests.csv"))


def number(text):
    return float("nan") if text == "\N{EN DASH}" else float(text.replace(MINUS, "-"))


def read_samples(browser, run):
    samples = pd.read_parquet(run / "data/residuals/samples.parquet").sort_values("index")
    browser.js("document.querySelector('#rows [data-column=index] button').click()")
    read = []
    while True:
        cells = "return [...document.querySelectorAll('#rows tbody tr')].map(r => [...r.cells].slice(1).map(c => c.textContent))"  # noqa: E501
        read += browser.js(cells)
        if browser.find("#next").get_property("disabled"):
            break
        browser.js("document.querySelector('#next').click()")
    assert [int(row[0]) for row in read] == samples["index"].tolist()
    assert [row[1:4] for row in read] == [
        [str(t), str(p), "correct" if ok else "wrong"]
        for t, p, ok in zip(samples.y_true, samples.y_pred, samples.correct, strict=True)
    ]
    columns = browser.js("return [...document.querySelectorAll('#rows thead th')].map(th => th.dataset.column)")
    for column in ("confidence", "entropy", "similarity"):
        place = columns.index(column)
        np.testing.assert_allclose([number(row[place]) for row in read], samples[column], rtol=6e-3, atol=6e-4)


def test_the_page_of_a_regression_says_what_its_tables_say(folder, browser):
    run = find_run("line", folder / "outputs").folder
    browser.open(run / "data/report/report.html")
    evaluation = json.loads((run / "metrics/evaluation.json").read_text())
    assert {row[0]: row[1] for row in table(browser, "Evaluation")} == {
        key.replace("_", " "): value for key, value in evaluation.items() if not isinstance(value, list | dict)
    }
    assert "Split: random, 210 train, 30 val, 60 test" in browser.js("return document.body.innerText")
    samples = pd.read_parquet(run / "data/residuals/samples.parquet")
    shown = browser.csv().set_index("index").loc[samples["index"]]
    np.testing.assert_allclose(shown.residual, samples.residual, atol=1e-3 * np.ptp(samples.residual))
    assert len(browser.all(".plot")) >= 2
    browser.js("for (const box of document.querySelectorAll('#splits input')) box.click()")  # one always stays
    browser.js("document.querySelectorAll('#splits input')[0].click()")
    shown, train = browser.csv(), run / "data/representations/train"
    shown = shown[shown.split == "train"].set_index("index").loc[np.load(train / "index.npy")]
    np.testing.assert_allclose(shown.y_pred, np.load(train / "y_pred.npy"), atol=1e-3 * np.ptp(shown.y_pred))
    inputs = np.load(run / "data/raw/X.npy")[shown.index]
    np.testing.assert_allclose(shown["feature.feature 0"], inputs[:, 0], atol=1e-3 * np.ptp(inputs[:, 0]))
    assert browser.complaints() == []
