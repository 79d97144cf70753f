"""The page in a browser by keyboard, on a narrow screen, and for people who can't see it."""

import re
from base64 import b64decode

import numpy as np
import pytest
from axe_core import axe_of, faults
from made_pages import BLUE, near, selected
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(browser):
    """No page may write an error or a warning to the console, or ask anybody for anything."""
    browser.complaints()
    yield
    assert browser.complaints() == []


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
    browser.js("document.querySelector('.confusions .miss a').focus()")
    browser.press(Keys.ENTER)
    assert len(browser.all(".confusions [aria-current=true]")) == 1
    browser.press(Keys.ESCAPE)
    browser.js("document.querySelector('nav li:last-child a').focus()")
    browser.js("window.reached = []; addEventListener('focusin', (e) => window.reached.push(e.target.id || 'other'))")
    browser.press(*[Keys.TAB] * 120)
    reached = browser.js("return window.reached")
    assert len(reached) == 120
    assert {"plot-map", "plot-scatter", "color", "projection", "filter", "next"} <= set(reached)


@pytest.mark.parametrize("name", ["splits", "hundred", "regression", "hostile"])
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


@pytest.mark.parametrize(
    ("name", "look"),
    [("shapes", {}), ("shapes", {"dark": True}), ("splits", {"width": 375}), ("regression", {}), ("hundred", {})],
    ids=["shapes", "dark", "narrow", "regression", "hundred"],
)
def test_axe_finds_nothing(browser, pages, pytestconfig, name, look):
    path, _ = pages(name)
    browser.open(path, **look)
    if name != "regression":
        browser.find(".confusions .miss a, #matrix button").click()
    assert faults(browser.driver, axe_of(pytestconfig)) == []


def test_a_page_prints_on_at_most_six_sheets_in_light_colors_and_dark_pages_have_dark_pictures(browser, pages):
    path, _ = pages("shapes")
    browser.open(path, dark=True)
    chart, photographs = (browser.pixels(f"#{name} img").mean() for name in ("roc", "samples"))
    assert chart < 60
    assert photographs < 130
    paper = {"paperWidth": 8.27, "paperHeight": 11.7}  # inches, of A4
    pdf = b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", pdf)) <= 6


def test_plots_have_text_alternatives(browser, pages):
    path, _ = pages("shapes")
    browser.open(path)
    for plot in browser.all(".plot"):
        assert re.search(r"across, .* up", plot.get_attribute("aria-label"))
    assert all(len(image.get_attribute("alt")) > 20 for image in browser.all("main img"))
    thumbs = browser.js("return [...document.querySelectorAll('.thumb')].map(e => e.getAttribute('aria-label'))")
    assert all(re.fullmatch(r"image of sample \d+", label) for label in thumbs)
