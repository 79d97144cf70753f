"""The page and the tables for a paper of a study say what its tables say, also in a browser."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from axe_core import axe_of, faults
from small_studies import write_study

from mlx.cli import main
from mlx.core.workers import SERIAL
from mlx.studies.finished import read_finished
from mlx.studies.latex import escaped, latex_table
from mlx.studies.page import render_study, write_page
from mlx.studies.plan import read_study
from mlx.studies.results import StudyResults, results_of, write_results
from mlx.studies.study import run_study

pytestmark = pytest.mark.slow

IMAGES = {"name": "digits", "params": {"n_samples": 400}}
BASE = {
    "dataset": IMAGES,
    "preprocessing": {"scaling": "unit"},
    "split": {"test_size": 0.5},
    "model": {"name": "mlp", "params": {"hidden_layers": [8]}},
    "training": {"epochs": 3, "learning_rate": 0.01},
    "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    folder = tmp_path_factory.mktemp("shown")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        cells = {"a_b & <c>": {}, "linear": {"model": {"name": "logistic_regression"}}}
        grid = {"training.learning_rate": [0.01]}
        study = read_study(write_study(folder, base=BASE, cells=cells, grid=grid, seeds=2))
        found = results_of(run_study(study, SERIAL))
        write_results(found)
        write_page(found)
    return found


def test_the_page_begins_with_a_verdict_in_words(results: StudyResults) -> None:
    page = (results.done.study.folder / "study.html").read_text()
    assert page == render_study(results)
    assert "a_b &amp; &lt;c&gt;, learning_rate=0.01" in page
    assert page.index('id="verdicts"') < page.index("<figure")
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "In words",
        "What the cells reach",
        "How they differ",
        "What an ensemble of the runs reaches",
        "How they learn",
        "One right, the other wrong",
        "What was tried",
        "Tables",
    ]


def test_every_verdict_is_that_of_a_row(results: StudyResults) -> None:
    study = read_finished(results.done.study.folder)
    assert len(study.about["verdicts"]) == len(study.differences)
    told = {(verdict["first"], verdict["second"], verdict["metric"]): verdict for verdict in study.about["verdicts"]}
    for row in study.differences:
        verdict = told[row.first, row.second, str(row.metric)]
        assert (verdict["outcome"] == "not tested") == bool(np.isnan(row.p))


def test_the_table_for_a_paper_has_a_row_for_each_cell(results: StudyResults, tmp_path: Path) -> None:
    study = read_finished(results.done.study.folder)
    text = latex_table(study, study.metrics[:2])
    assert r"a\_b \& \textless{}c\textgreater{}" in text
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    assert body.count(r"\\") == 2
    assert all(row.count("&") - row.count(r"\&") == 2 for row in body.strip().splitlines())
    assert escaped("50 % ~ {x}") == r"50 \% \textasciitilde{} \{x\}"
    if (program := shutil.which("pdflatex")) is not None:
        (tmp_path / "t.tex").write_text(
            "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + text + "\n\\end{document}"
        )
        subprocess.run([program, "-interaction=nonstopmode", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True)


def test_the_commands_print_what_the_tables_hold(results: StudyResults, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(results.done.study.folder)
    for command in (["show"], ["runs"], ["compare"], ["table", "--latex"]):
        main(["study", command[0], folder, *command[1:]])
        assert "linear" in capsys.readouterr().out
    main(["study", "compare", folder, "--metric", "accuracy", "--json"])
    assert '"metric": "accuracy"' in capsys.readouterr().out
    with pytest.raises(SystemExit, match="--metric: expected one of accuracy"):
        main(["study", "compare", folder, "--metric", "rmse"])


def test_a_browser_has_nothing_to_complain_of(
    results: StudyResults, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    selenium = pytest.importorskip("selenium.webdriver")
    options = selenium.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=420,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    study = results.done.study.folder
    compared = tmp_path / "compared.html"
    runs = [str(outcome.folder) for outcome in results.done.outcomes if outcome.planned.repetition.seed == 1]
    main(["compare", *runs, "--html", str(compared)])
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(shutil.which("chromedriver")))
    try:
        for page, least in ((study / "study.html", 10), (compared, 3)):
            driver.get(page.as_uri())
            assert [entry for entry in driver.get_log("browser") if entry["level"] != "INFO"] == []
            asked = re.findall(r'"url":"((?:https?|file)://[^"#]*)', str(driver.get_log("performance")))
            assert {url for url in asked if "favicon" not in url} <= {page.as_uri()}
            assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
            pictures = driver.execute_script("return [...document.images].map(i => [i.naturalWidth, i.alt.length])")
            assert len(pictures) >= least
            assert all(width > 0 and alt > 0 for width, alt in pictures)
            assert driver.execute_script("return document.querySelectorAll('th button').length > 0")
            assert faults(driver, axe_of(pytestconfig)) == []
    finally:
        driver.quit()
