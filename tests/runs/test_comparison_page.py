"""The page of a comparison says what the tests say, shows where models disagree, and is safe whatever its names are."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recorded_models import classifier, regression, run_in, two_classifiers

from mlx.cli import main
from mlx.pipeline.model_outputs import ModelOutputs
from mlx.runs.compare import compare_outputs
from mlx.runs.comparison_page import letter_of, render_comparison
from mlx.runs.disagreements import better_predicted, predicted
from mlx.stats.status import Reason


def page_of(folder: Path, *models: ModelOutputs) -> str:
    runs = [run_in(folder / f"model_{i}/1", one, training={"epochs": i}) for i, one in enumerate(models)]
    shown = runs[1].workspace.report / "report.html"
    shown.parent.mkdir(parents=True)
    shown.write_text("<p>")
    comparison, shared = compare_outputs(runs)
    page = render_comparison(comparison, runs, shared, beside=folder)
    assert page == render_comparison(comparison, runs, shared, beside=folder)
    assert 'src="http' not in page
    numbers = set(re.findall(r'href="model_1/1/data/report/report.html#explore\?samples=(\d+)&amp;at=\1"', page))
    assert page.count('href="model_0') == 0, "a run without a page has no links"
    assert numbers or 'class="mistakes"' not in page
    for verdict in comparison.verdicts():
        assert verdict.sentence in page.replace("&lt;", "<").replace("&gt;", ">")
    return page


def test_classifiers_disagree_in_galleries_whatever_the_names_are(tmp_path: Path) -> None:
    first, second = two_classifiers(300, np.random.default_rng(0), sharpness=(1, 2))
    names = ("<script>alert(1)</script>", "a & b", 'c"d')
    page = page_of(tmp_path, *(replace(one, class_names=names) for one in (first, second)))
    assert "<script>alert" not in page
    assert page.index('id="verdicts"') < page.index('class="mistakes"') < page.index('id="differences"')
    right = [one.y_true == one.y_pred for one in (first, second)]
    for title, count in (("A right, B wrong", right[0] & ~right[1]), ("B right, A wrong", right[1] & ~right[0])):
        assert f"<h3>{title}: {count.sum()} samples, the 24 clearest</h3>" in page or count.sum() <= 24
    assert f'<td class="n">{(right[0] & right[1]).sum()}</td>' in page


def test_the_clearest_come_first(tmp_path: Path) -> None:
    y = np.array([0, 0, 0, 1])
    p, q = np.array([0.9, 0.6, 0.4, 0.5]), np.array([0.4, 0.1, 0.8, 0.5])
    both = [classifier(y, np.stack([x, 1 - x], axis=1), np.eye(4)) for x in (p, q)]
    runs = [run_in(tmp_path / f"m{i}/1", one) for i, one in enumerate(both)]
    one, other = predicted(compare_outputs(runs)[1][0])
    assert better_predicted(one, other).tolist() == [0, 1]
    assert better_predicted(other, one).tolist() == [2]


def test_regressions_and_test_sets_that_differ(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=200)
    first, second = (regression(y, y + scale * rng.normal(size=200)) for scale in (0.1, 0.5))
    part = replace(second, y_true=y[50:], y_pred=second.y_pred[50:], index=np.arange(50, 200),
                   layers={"input": np.ones((150, 1))})  # fmt: skip
    page = page_of(tmp_path, first, part)
    assert "which is worse" in page
    assert "150 test samples of A and B" in page
    assert "A closer than B: " in page
    assert re.search(r'<a href="#samples">.*150', page)


def test_models_that_agree_and_models_that_share_nothing(tmp_path: Path) -> None:
    model, other = two_classifiers(100, np.random.default_rng(2))
    page = page_of(tmp_path, model, replace(model), replace(other, index=np.arange(100, 200)))
    assert "No sample." in page
    assert "no difference of accuracy" in page
    assert str(Reason.NO_SHARED_SAMPLES()) in page
    assert [letter_of(k) for k in (0, 25, 26)] == ["A", "Z", "A1"]


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [run_in(tmp_path / f"m{i}/1", one) for i, one in enumerate(two_classifiers(60, np.random.default_rng(3)))]
    names = [str(run.folder) for run in runs]
    main(["compare", *names, "--html", str(tmp_path / "c.html")])
    *said, last = capsys.readouterr().out.strip().splitlines()
    assert last == str(tmp_path / "c.html")
    assert said[0].startswith("m1/1")
    with pytest.raises(SystemExit, match="--html: expected a file that ends in .html"):
        main(["compare", "--html", *names])
