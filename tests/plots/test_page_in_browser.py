"""The report page in a real browser: it stays by itself, shows its views, links them, and anybody can use it."""

import hashlib
import re
import subprocess
import tarfile
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import started
from made_reports import with_residuals, with_samples
from PIL import Image
from selenium.webdriver.common.keys import Keys

from mlx.plots.page import render_page
from mlx.plots.report.figures import draw_report
from mlx.plots.report.inputs import Provenance
from mlx.plots.style import render_png

pytestmark = pytest.mark.slow

BLUE, ORANGE = (0, 114, 178), (213, 94, 0)
AXE = "axe-core@4.14.1"
AXE_INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\">",
    "</script><script>document.title='taken'</script>",
    "猫 & قطة",
    "--><svg onload=document.title='taken'>",
    "x" * 200,
)


@pytest.fixture(scope="module")
def browser():
    with started() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(browser):
    """No page may write an error or a warning to the console, or ask anybody for anything."""
    browser.complaints()
    yield
    assert browser.complaints() == []


@pytest.fixture(scope="module")
def pages(tmp_path_factory, classification, regression):
    """Write the page of any inputs, each once."""
    folder, written = tmp_path_factory.mktemp("pages"), {}

    def write(name):
        if name not in written:
            inputs = PAGES[name](regression if name == "regression" else classification)
            images = {key: render_png(made, 50) for key, made in draw_report(inputs)}
            path = folder / f"{name}.html"
            path.write_text(render_page(inputs, images), encoding="utf-8", errors="replace")
            written[name] = path, inputs
        return written[name]

    return write


def with_views(report, *, images=True):
    """Add coordinates for a map and, unless told otherwise, images of noise, of which every one is different."""
    rng = np.random.default_rng(0)
    n = len(report.samples)
    coordinates = {f"{kind}_{axis}": rng.normal(size=n) for kind in ("pca", "tsne") for axis in (1, 2)}
    report = with_samples(report, **coordinates)
    noise = (rng.random((n, 8, 8, 1)) * 255).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    return replace(report, raw=replace(report.raw, inputs=noise)) if images else report


def with_leverage(report):
    first, second = np.random.default_rng(0).normal(size=(2, len(report.samples)))
    return with_residuals(report, samples=replace(report.residuals.samples, leverage=first**2, standardised=second))


HOSTILE_PROVENANCE = Provenance(name=HOSTILE[0], description=HOSTILE[1])
PAGES = {
    "shapes": lambda make: with_views(make()),
    "table": lambda make: with_views(make(120, images=False), images=False),
    "regression": lambda make: with_leverage(make()),
    "two": lambda make: with_views(make(60, ("no", "yes"))),
    "hundred": lambda make: with_views(make(2000, [f"class {k}" for k in range(100)])),
    "perfect": lambda make: with_views(make(perfect=True)),
    "never predicted": lambda make: with_views(make(unpredicted=1)),
    "hostile": lambda make: replace(with_views(make(names=HOSTILE)), provenance=HOSTILE_PROVENANCE),
    "without views": lambda make: make(40),
}


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


def near(image, color, tolerance=70):
    """Where an image has a color, drawn over white with some transparency or without."""
    full, pale = np.array(color), 0.55 * np.array(color) + 0.45 * 255
    return (np.abs(image - full).sum(axis=2) < tolerance) | (np.abs(image - pale).sum(axis=2) < tolerance)


def test_names_are_text_wherever_they_stand(browser, pages):
    path, _ = pages("hostile")
    browser.open(path)
    assert browser.texts("#matrix tbody th") == list(HOSTILE)
    assert browser.text("h1") == HOSTILE[0]
    shown = set(browser.texts("#rows tbody td:nth-child(3)")) | set(browser.texts("#rows tbody td:nth-child(4)"))
    assert shown <= set(HOSTILE)
    assert browser.js("return document.querySelectorAll('svg[onload], img[onerror]').length") == 0
    browser.find("#color").send_keys("actual class")
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
    assert facts["actual"] == inputs.class_names[int(row.y_true)]
    assert facts["entropy"] == f"{row.entropy:.3f}"
    expected = inputs.raw.inputs[int(facts["sample"])].mean(axis=2)
    shown = Image.fromarray(browser.pixels("#tip .thumb").astype(np.uint8)).convert("L")
    shown = np.asarray(shown.resize(expected.shape[::-1], Image.Resampling.BOX), float)
    assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.9
    browser.pointer("h1", 5, 5)
    browser.until(lambda: not browser.find("#tip").is_displayed(), "and leaving hides it")


def selected(browser):
    return sorted(browser.js("return Bokeh.documents[0].get_model_by_name('samples').selected.indices"))


def test_a_cell_of_the_confusion_matrix_lists_its_samples_and_marks_them_in_all_views(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    assert read_matrix(browser) == inputs.evaluation.confusion.tolist()
    before = {plot: near(browser.pixels(plot), BLUE).sum() for plot in ("#plot-map", "#plot-scatter")}
    wrong = inputs.evaluation.confusion * (1 - np.eye(5, dtype=int))
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
    pressed = {cell.get_attribute("data-cell") for cell in browser.all("#matrix [aria-pressed=true]")}
    assert pressed == {f"{a},{p}" for a, p in zip(part.y_true, part.y_pred, strict=True)}
    assert f"{len(chosen)} samples" in browser.text("#page-number")


def test_everything_can_be_done_with_the_keyboard(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    browser.js("document.querySelector('#plot-map').focus()")
    browser.press(Keys.HOME)
    first = int(np.argmin(inputs.samples.pca_1.to_numpy(np.float32)))
    assert browser.find("#tip").is_displayed()
    assert browser.text("#selection").startswith(f"sample {first},")
    browser.press(Keys.ARROW_RIGHT, Keys.ENTER)
    second = int(np.argsort(inputs.samples.pca_1.to_numpy(np.float32))[1])
    assert selected(browser) == [second]
    browser.press(Keys.ESCAPE)
    assert selected(browser) == []
    assert not browser.find("#tip").is_displayed()
    browser.js("document.querySelector('#matrix button[tabindex=\"0\"]').focus()")
    browser.press(Keys.ARROW_DOWN, Keys.ENTER)
    assert len(browser.all("#matrix [aria-pressed=true]")) == 1
    assert not browser.js("return document.activeElement.dataset.cell").startswith("0,")
    browser.press(Keys.ESCAPE)
    reached = set()
    browser.js("document.activeElement.blur(); window.scrollTo(0, 0)")
    for _ in range(120):
        browser.press(Keys.TAB)
        reached.add(str(browser.js("const e = document.activeElement; return e.id || e.className || e.tagName")))
    assert {"plot-map", "plot-scatter", "color", "projection", "filter", "next"} <= reached


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
        np.testing.assert_allclose(shown, expected[:12], atol=6e-4)


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


@pytest.mark.parametrize("name", ["shapes", "hundred", "regression", "hostile"])
def test_a_narrow_screen_shows_everything_without_scrolling_sideways(browser, pages, name):
    path, _ = pages(name)
    browser.open(path, width=375, height=740)
    assert browser.js("return document.documentElement.scrollWidth") <= 375
    for plot in browser.all(".plot"):
        box = plot.rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
        assert near(browser.pixels(f"#{plot.get_attribute('id')}"), BLUE).sum() > 60
    too_wide = browser.js("""
        return [...document.querySelectorAll("main *")].filter((e) => {
          const box = e.getBoundingClientRect();
          return box.right > 376 && !e.closest(".scroll, .scroll-box, .picture, .hidden, .plot");
        }).map((e) => e.outerHTML.slice(0, 80))""")
    assert too_wide == []


@pytest.fixture(scope="session")
def axe(pytestconfig, tmp_path_factory):
    """The checks of axe-core, from npm once, then from pytest's cache."""
    kept = Path(pytestconfig.cache.mkdir("axe-core")) / f"{AXE}.js"
    if not kept.exists():
        kept.write_bytes(fetched(tmp_path_factory.mktemp("axe")))
    return kept.read_text(encoding="utf-8")


def fetched(folder):
    try:
        subprocess.run(["npm", "pack", AXE, "--silent"], cwd=folder, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.fail(f"the accessibility tests need npm and, the first time, a network to fetch {AXE}: {error}", False)
    archive = next(folder.glob("*.tgz"))
    digest = b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == AXE_INTEGRITY, "another file than the one that these tests were written with"
    with tarfile.open(archive) as content:
        return content.extractfile("package/axe.min.js").read()


@pytest.mark.parametrize(
    ("name", "look"),
    [("shapes", {}), ("shapes", {"dark": True}), ("shapes", {"width": 375}), ("regression", {}), ("hundred", {})],
    ids=["shapes", "dark", "narrow", "regression", "hundred"],
)
def test_axe_finds_no_serious_fault_of_accessibility(browser, pages, axe, name, look):
    path, _ = pages(name)
    browser.open(path, **look)
    if name == "shapes":
        browser.find("#matrix button").click()
    browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = browser.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    assert len(found["passes"]) > 20
    faults = [(rule["id"], node["html"][:120], node["failureSummary"][:300]) for rule in found["violations"]
              if rule["impact"] in ("serious", "critical") for node in rule["nodes"]]  # fmt: skip
    assert faults == []


def test_plots_have_text_alternatives(browser, pages):
    path, _ = pages("shapes")
    browser.open(path)
    for plot in browser.all(".plot"):
        assert re.search(r"across, .* up", plot.get_attribute("aria-label"))
    assert all(len(image.get_attribute("alt")) > 20 for image in browser.all("main img"))
    thumbs = browser.js("return [...document.querySelectorAll('.thumb')].map(e => e.getAttribute('aria-label'))")
    assert all(re.fullmatch(r"image of sample \d+", label) for label in thumbs)
