"""Every page in a browser: it opens alone, its names are text, its plots respond to pointer and selection."""

import numpy as np
import pytest
from made_pages import BLUE, HOSTILE, ORANGE, PAGES, near, selected
from PIL import Image
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(browser):
    """No page may write an error or a warning to the console, or ask anybody for anything."""
    browser.complaints()
    yield
    assert browser.complaints() == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_by_itself_and_shows_its_views(browser, pages, name):
    path, inputs = pages(name)
    assert path.stat().st_size <= 5_000_000
    browser.open(path)
    plots = browser.all(".plot")
    assert len(plots) == (1 if name == "without views" else 2 + (name == "regression"))
    for plot in plots:
        image = browser.pixels(f"#{plot.get_attribute('id')}")
        colored = near(image, BLUE) | near(image, ORANGE)
        assert colored.sum() > 60, "points are drawn"
    assert browser.js("return [...document.images].every(i => i.complete && i.naturalWidth > 0)")
    rows = browser.all("#rows tbody tr")
    assert len(rows) == min(12, len(inputs.samples))
    assert browser.js("return document.title").startswith(inputs.provenance.name)


def test_names_are_text_wherever_they_stand(browser, pages):
    path, _ = pages("hostile")
    browser.open(path)
    assert browser.texts("#filters > label:first-child option")[1:] == list(HOSTILE)
    assert browser.text("h1") == HOSTILE[0]
    shown = set(browser.texts("#rows tbody td:nth-child(3)")) | set(browser.texts("#rows tbody td:nth-child(4)"))
    assert shown <= set(HOSTILE)
    assert browser.js("return document.querySelectorAll('svg[onload], img[onerror]').length") == 0
    browser.find("#color").send_keys("true class")
    assert browser.texts("#view-map .legend li") == list(HOSTILE)


def point_at(browser, plot):
    """A place in a plot where a sample is, well inside, from the upper left corner."""
    image = browser.pixels(plot)
    marked = near(image, BLUE)
    marked[:40], marked[-60:], marked[:, :60], marked[:, -60:] = False, False, False, False
    filled = sum(np.roll(marked, (dy, dx), (0, 1)).astype(int) for dy in (-2, 0, 2) for dx in (-2, 0, 2))
    y, x = np.unravel_index(np.argmax(filled), filled.shape)
    return float(x), float(y)


@pytest.mark.parametrize("plot", ["#plot-map", "#plot-scatter"])
def test_pointing_at_a_sample_shows_its_image_and_numbers(browser, pages, plot):
    path, inputs = pages("shapes")
    browser.open(path)
    browser.pointer(plot, *point_at(browser, plot))
    browser.until(browser.find("#tip").is_displayed, "pointing shows the sample")
    facts = dict(zip(browser.texts("#tip dt"), browser.texts("#tip dd"), strict=True))
    row = inputs.samples.iloc[int(facts["sample"])]
    assert facts["true"] == inputs.class_names[int(row.y_true)]
    assert float(facts["entropy"]) == pytest.approx(row.entropy, abs=6e-5)
    expected = inputs.raw.inputs[int(facts["sample"])].mean(axis=2)
    shown = Image.fromarray(browser.pixels("#tip .thumb").astype(np.uint8)).convert("L")
    shown = np.asarray(shown.resize(expected.shape[::-1], Image.Resampling.BOX), float)
    assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.9
    browser.pointer("h1", 5, 5)
    browser.until(lambda: not browser.find("#tip").is_displayed(), "and leaving hides it")


def test_a_mistake_at_the_top_of_the_page_selects_its_sample(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    link = browser.find(".mistakes a")
    number = int(link.get_attribute("data-samples"))
    wrong = inputs.samples[~inputs.samples.correct.astype(bool)]
    assert number == wrong.sort_values("confidence", ascending=False).iloc[0]["index"]
    link.click()
    assert selected(browser) == np.flatnonzero(inputs.samples["index"] == number).tolist()
    assert browser.text("#selection") == "1 sample selected. 1 of 1 is wrong."
    cell = browser.find(".confusions .miss a")
    actual, predicted = map(int, cell.get_attribute("data-cell").split(","))
    cell.click()
    own = (inputs.samples.y_true == actual) & (inputs.samples.y_pred == predicted)
    assert selected(browser) == np.flatnonzero(own).tolist()
    assert len(selected(browser)) == int(cell.text)


def test_a_cell_of_the_confusion_matrix_lists_its_samples_and_marks_them_in_all_views(browser, pages):
    path, inputs = pages("hundred")
    browser.open(path)
    assert read_matrix(browser) == inputs.evaluation.confusion.tolist()
    before = {plot: near(browser.pixels(plot), BLUE).sum() for plot in ("#plot-map", "#plot-scatter")}
    wrong = inputs.evaluation.confusion * (1 - np.eye(100, dtype=int))
    actual, predicted = (int(k) for k in np.unravel_index(wrong.argmax(), wrong.shape))
    browser.find(f"#matrix [data-cell='{actual},{predicted}']").click()
    own = np.flatnonzero((inputs.samples.y_true == actual) & (inputs.samples.y_pred == predicted))
    assert selected(browser) == own.tolist()
    assert f"{len(own)} samples selected" in browser.text("#selection")
    listed = {int(text) for text in browser.texts("#rows tbody th")}
    assert listed <= set(own.tolist())
    assert len(listed) == min(12, len(own))
    assert len(browser.all("#matrix [aria-pressed=true]")) == 1
    for plot, colored in before.items():
        assert near(browser.pixels(plot), BLUE).sum() < colored / 2, "the others fade"
    browser.find("#clear").click()
    assert selected(browser) == []
    assert browser.text("#selection") == "Nothing is selected."
    browser.js("document.querySelector('#matrix button[tabindex=\"0\"]').focus()")
    browser.press(Keys.ARROW_RIGHT, Keys.ENTER)
    assert len(browser.all("#matrix [aria-pressed=true]")) == 1
    assert browser.js("return document.activeElement.dataset.cell").startswith("0,")


def read_matrix(browser):
    counts = browser.js("return [...document.querySelectorAll('#matrix tbody td')].map(c => Number(c.textContent))")
    return np.reshape(counts, (-1, len(browser.all("#matrix tbody tr")))).tolist()


def test_a_box_in_one_plot_selects_in_all_views(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    browser.pixels("#plot-scatter")
    width, height = (browser.find("#plot-scatter").size[side] for side in ("width", "height"))
    browser.drag("#plot-scatter", (width * 0.25, 20), (width * 0.75, height * 0.5))
    chosen = selected(browser)
    assert 0 < len(chosen) < len(inputs.samples)
    assert f"{len(chosen)} samples selected" in browser.text("#selection")
    part = inputs.samples.iloc[chosen]
    rest = inputs.samples.drop(index=chosen)
    between = [rest[name].between(part[name].min(), part[name].max()) for name in ("similarity", "entropy")]
    assert not (between[0] & between[1]).any()
    pressed = {cell.get_attribute("data-cell") for cell in browser.all(".confusions [aria-current=true]")}
    assert pressed == {f"{a},{p}" for a, p in zip(part.y_true, part.y_pred, strict=True)}
    assert f"{len(chosen)} samples" in browser.text("#page-number")


def test_tables_sort_by_any_heading_and_samples_by_theirs(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    for number, table in enumerate(browser.all("table.sortable")):
        column = len(table.find_elements("css selector", "thead th")) - 1
        browser.js("arguments[0].tHead.rows[0].cells[arguments[1]].querySelector('button').click()", table, column)
        values = browser.js(
            "return [...arguments[0].tBodies[0].rows].map(r => r.cells[arguments[1]].dataset.v)", table, column
        )
        numbers = [float(value) for value in values if value is not None]
        assert numbers == sorted(numbers), number
        assert (
            browser.js("return arguments[0].tHead.rows[0].cells[arguments[1]].getAttribute('aria-sort')", table, column)
            == "ascending"
        )
    for _ in range(2):
        browser.js("document.querySelector('#rows [data-column=similarity] button').click()")
        shown = [float(text.replace("\N{MINUS SIGN}", "-")) for text in browser.texts("#rows tbody td:nth-child(8)")]
        descending = shown[0] > shown[-1]
        expected = np.sort(inputs.samples.similarity)[::-1] if descending else np.sort(inputs.samples.similarity)
        np.testing.assert_allclose(shown, expected[:12], atol=6e-5)


def test_the_map_changes_its_projection_and_colors(browser, pages):
    path, _ = pages("shapes")
    browser.open(path)
    before = browser.pixels("#plot-map")
    browser.find("#projection").send_keys("t-SNE")
    after = browser.pixels("#plot-map")
    assert (np.abs(before - after).sum(axis=2) > 60).sum() > 500
    browser.find("#color").send_keys("predicted class")
    assert len(browser.texts("#view-map .legend li")) == 5
    assert (np.abs(browser.pixels("#plot-map") - after).sum(axis=2) > 60).sum() > 500
