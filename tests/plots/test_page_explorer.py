"""The explorer of the page in a browser: filters, the address, exports, a sample in full, and densities."""

import numpy as np
import pandas as pd
import pytest
from made_pages import OTHERS, SLICES, selected
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(browser):
    """No page may write an error or a warning to the console, or ask anybody for anything."""
    browser.complaints()
    yield
    assert browser.complaints() == []


COPIED = """
    document.execCommand = () => { window.copied = document.activeElement.value; return true; };
    Object.defineProperty(navigator, "clipboard", {value: {writeText: () => Promise.reject()}})"""
"""Keeps what the page copies, as if the browser had no other way."""


def choose(browser, selector, text):
    Select(browser.find(selector)).select_by_visible_text(text)


def chips(browser):
    return [text.removesuffix("\N{MULTIPLICATION SIGN}") for text in browser.texts("#chips button")]


def address(browser):
    return browser.js("return location.hash")


def test_filters_combine_stand_in_the_address_and_can_be_undone(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    factors, wrong = inputs.residuals.sample_factors, ~inputs.samples.correct.to_numpy(bool)
    choose(browser, "#filter", "wrong")
    choose(browser, "#range", "contrast")
    least = browser.find("#filters [aria-label='least value']")
    least.send_keys("0.25", Keys.ENTER)
    expected = np.flatnonzero(wrong & (factors["contrast"] >= 0.25))
    assert 0 < len(expected) < wrong.sum()
    assert selected(browser) == expected.tolist()
    assert chips(browser) == ["outcome: wrong", "contrast ≥ 0.2500"]
    assert "contrast" in browser.texts("#rows thead th")
    choose(browser, "#color", "contrast")
    choose(browser, "#size", "entropy")
    browser.find("#search").send_keys("dark circle")
    dark = expected[
        [
            "dark" in factors["color"][k]
            and "circle" in {inputs.class_names[int(inputs.samples[c][k])] for c in ("y_true", "y_pred")}
            for k in expected
        ]
    ]
    browser.until(lambda: len(chips(browser)) == 3, "the search filters")
    assert selected(browser) == dark.tolist()
    kept = address(browser)
    browser.driver.back()
    browser.until(lambda: selected(browser) == expected.tolist(), "back takes the last filter away")
    browser.driver.get("about:blank")
    browser.driver.get(f"{path.as_uri()}{kept}")
    browser.until(lambda: selected(browser) == dark.tolist(), "the address restores the selection")
    assert browser.text("#selection").startswith(f"{len(dark)} sample")
    assert browser.find("#color").get_property("value") == "factor.contrast"
    assert len(browser.texts("#view-map .legend li")) == 4  # three numbers, and missing
    browser.all("#chips button")[1].click()
    assert chips(browser) == ["outcome: wrong", "“dark circle”"]
    browser.js("document.activeElement.blur()")
    browser.press(Keys.ESCAPE)
    assert selected(browser) == []
    assert chips(browser) == []


def test_whatever_the_page_lists_selects_its_samples(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    contrast, color, occluded = (inputs.residuals.sample_factors[name] for name in ("contrast", "color", "occluded"))
    of_slice = [
        (contrast > 0.6) & (color != "red"),
        (contrast <= 0.4) | np.isnan(contrast),
        ~occluded & (color == "missing"),  # a category
    ]
    wanted = dict(zip(SLICES, of_slice, strict=True))
    wanted |= {"low": (contrast >= 0.1) & (contrast <= 0.3), "7": inputs.samples["index"] == 7}
    for text, members in wanted.items():
        link = next(link for link in browser.all("main a[data-select]") if link.get_attribute("textContent") == text)
        browser.js("arguments[0].click()", link)
        assert selected(browser) == np.flatnonzero(members).tolist(), text
    choose(browser, "#filters label:has(option[value^='in=']) select", "possibly mislabeled (3 samples)")
    assert selected(browser) == [7], "a selection from the list combines with the others"
    browser.find("#chips button").click()
    assert selected(browser) == [3, 7, 11]
    assert chips(browser) == ["possibly mislabeled"]


def test_a_selection_is_exported_as_the_page_shows_it(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    choose(browser, "#filter", "wrong")
    table = browser.csv().sort_values("index")
    own = inputs.samples[~inputs.samples.correct.astype(bool)]
    assert table["index"].tolist() == own["index"].tolist() == selected(browser)
    for column in ("confidence", "entropy", "similarity", "pca_1"):
        assert np.abs(table[column].to_numpy() - own[column]).max() <= np.ptp(inputs.samples[column]) / 6554
    assert table.y_pred.tolist() == [inputs.class_names[k] for k in own.y_pred]
    factors = inputs.residuals.sample_factors
    assert (table["factor.contrast"].isna() == np.isnan(factors["contrast"][own.index])).all()
    assert table["factor.color"].tolist() == factors["color"][own.index].tolist()
    browser.js(COPIED)
    browser.find("#copy-ids").click()
    browser.until(lambda: browser.text("#selection") == f"{len(own)} ids copied.", "it says so")
    assert browser.js("return window.copied").split() == own["index"].astype(str).tolist()
    browser.find("#copy-link").click()
    browser.until(lambda: "link" in browser.text("#selection"), "it says so")
    assert browser.js("return window.copied") == f"{path.as_uri()}#explore?f.correct=%3Dwrong"


def test_samples_of_other_parts_are_shown_where_the_reader_or_a_link_asks_for_them(browser, pages):
    path, inputs = pages("splits")
    browser.open(path)
    sizes = {"test": len(inputs.samples), **OTHERS}
    assert [text.strip() for text in browser.texts("#splits label")] == [f"{k} ({n})" for k, n in sizes.items()]
    assert f"{sizes['test']} samples" in browser.text("#page-number")
    assert "split" not in browser.texts("#rows thead th")
    browser.find(".next a").click()  # "2 test samples repeat samples of another part"
    assert selected(browser) == [4, 5, 94, 95]
    assert chips(browser) == ["split: test, train", "4 samples"]
    assert browser.text("#selection").startswith("4 samples selected (2 test, 2 train).")
    browser.find(".confusions .miss a").click()
    assert max(selected(browser)) < sizes["test"], "counts are those of the test samples"
    label = next(link for link in browser.all("#act a[data-select]") if link.get_attribute("textContent") == "label")
    browser.js("arguments[0].click()", label)
    assert selected(browser) == [61, 62, 63]
    browser.js("document.querySelectorAll('#splits input')[2].focus()")
    browser.press(Keys.SPACE, Keys.ESCAPE)
    assert address(browser) == "#explore", "Escape shows the test samples alone"
    browser.press(Keys.SPACE)
    browser.js("document.querySelector('#splits input').click()")
    assert browser.text("#selection") == "Nothing is selected. Shown: 50 train."
    assert not browser.find("#plot-map").is_displayed()
    assert browser.text("#view-map .note").startswith("None of the samples that are shown has a place here")
    assert browser.text("#view-scatter h3") == "Loss against entropy"
    table, train = browser.csv().set_index("index").sort_index(), inputs.others.parts[1]
    expected = pd.DataFrame(train.columns(np.arange(50))).set_index("index").sort_index()
    assert set(table.split) == {"train"}
    assert table.index.tolist() == expected.index.tolist()
    assert table.y_true.tolist() == [inputs.class_names[k] for k in expected.y_true]
    for column in ("confidence", "entropy", "surprise"):
        np.testing.assert_allclose(table[column], expected[column], atol=1e-3)
    assert table.similarity.isna().all()
    assert table["factor.size"].tolist() == (table.index % 7).tolist()
    browser.js(COPIED)
    browser.find("#copy-ids").click()
    browser.until(lambda: browser.text("#selection") == "50 ids copied.", "it says so")
    assert browser.js("return window.copied").split("\n") == [f"train {k}" for k in expected.index]
    kept = address(browser)
    browser.driver.get("about:blank")
    browser.driver.get(f"{path.as_uri()}{kept}&f.correct=%3Dwrong")
    wrong = expected.index[~expected.correct].tolist()
    browser.until(lambda: selected(browser) == wrong, "the address restores parts and filters")
    browser.driver.get(f"{path.as_uri()}#explore?in=leak&split=test,train&at=4")
    browser.until(lambda: selected(browser) == [4, 5, 94, 95], "a leak comes with what it repeats")
    assert browser.texts("#viewer .repeated button span:nth-child(2)") == ["train sample 94"]
    browser.find("#viewer .repeated button").click()
    assert browser.text("#viewer-title").startswith("Train sample 94, ")
    ranked = np.argsort(-train.probabilities[train.index == 94][0])
    assert browser.text("#viewer .probable li").startswith(inputs.class_names[ranked[0]])
    assert browser.texts("#viewer .repeated button span:nth-child(2)") == ["sample 4"]
    browser.press(Keys.ESCAPE)


def test_numbers_and_names_of_any_kind_come_through_to_the_file(browser, pages):
    path, inputs = pages("table")
    browser.open(path)
    table = browser.csv().sort_values("index")
    for name, values in inputs.residuals.sample_factors.items():
        column = table[f"factor.{name}"]
        if name == "words":
            assert [text.removeprefix("'") for text in column.fillna("")] == values.tolist()
            assert not {text[0] for text in column.dropna()} & set("=-"), "no spreadsheet runs a name"
        elif name == "day":
            assert column.tolist() == values.astype(str).tolist()
        else:
            step = np.ptp(values) / 6554 if name in {"a.b&c=d~e?", "level"} else 0  # others keep significant digits
            np.testing.assert_allclose(column, values, rtol=5e-6, atol=step)
    choose(browser, "#range", "a.b&c=d~e?")
    browser.find("#filters [aria-label='most value']").send_keys("0", Keys.ENTER)
    below = np.flatnonzero(inputs.residuals.sample_factors["a.b&c=d~e?"] <= 0).tolist()
    assert selected(browser) == below
    kept = address(browser)
    browser.driver.get("about:blank")
    browser.driver.get(f"{path.as_uri()}{kept}")
    browser.until(lambda: selected(browser) == below, "the address restores the selection")


def test_a_sample_opens_with_its_image_probabilities_neighbors_and_columns(browser, pages):
    path, inputs = pages("shapes")
    browser.open(path)
    browser.js("document.querySelector('#gallery button').focus()")
    browser.press(Keys.ARROW_RIGHT, Keys.ENTER)
    number = int(address(browser).split("at=")[1])
    assert browser.text("#viewer-title") == f"Sample {number}, 2 of {len(inputs.samples)}"
    ranked = np.argsort(-inputs.outputs.probabilities[inputs.outputs.rows(np.array([number]))[0]])[:5]
    shown = browser.texts("#viewer .probable li span:first-child")
    assert [text.removesuffix(" (true)") for text in shown] == [inputs.class_names[k] for k in ranked]
    directions = inputs.outputs.representation[inputs.outputs.rows(np.arange(len(inputs.samples)))]
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    nearest = np.argsort(-(directions @ directions[number]), kind="stable")[1:6]
    labels = browser.js("return [...document.querySelectorAll('#viewer .near .thumb')].map(e => e.ariaLabel)")
    assert labels == [f"image of sample {k}" for k in nearest]
    facts = dict(zip(browser.texts("#viewer dt"), browser.texts("#viewer dd"), strict=True))
    assert facts["sample"] == str(number)
    assert facts["color"] == inputs.residuals.sample_factors["color"][number]
    width = browser.find("#viewer .viewer-picture .thumb").size["width"]
    browser.press("+")
    assert browser.find("#viewer .viewer-picture .thumb").size["width"] == pytest.approx(1.5 * width, abs=1)
    browser.press(Keys.ARROW_LEFT)
    assert browser.text("#viewer-title").endswith(f", 1 of {len(inputs.samples)}")
    browser.press(Keys.ESCAPE)
    browser.until(lambda: not browser.find("#viewer").is_displayed(), "Escape closes the sample")
    browser.until(lambda: "at=" not in address(browser), "and leaves the address")
    browser.press("?")
    assert browser.find("#help").is_displayed()
    assert len(browser.texts("#help dt")) >= 8
    browser.press(Keys.ESCAPE)
    browser.press("/")
    assert browser.js("return document.activeElement.id") == "search"


def test_many_samples_are_drawn_as_a_density_until_zoomed_in(browser, pages):
    path, inputs = pages("many")
    browser.open(path)
    assert browser.text("#view-map .note").startswith("Too many to draw one by one")
    size = browser.find("#plot-map").size
    browser.js("document.getElementById('view-map').scrollIntoView()")
    browser.drag("#plot-map", (size["width"] * 0.4, 80), (size["width"] * 0.7, 260))
    chosen = selected(browser)
    assert 100 < len(chosen) < len(inputs.samples)
    assert chips(browser) == ["area in Map of representations"]
    inside = inputs.samples.iloc[chosen]
    others = inputs.samples.drop(index=chosen)
    in_box = [others[name].between(inside[name].min(), inside[name].max()) for name in ("pca_1", "pca_2")]
    assert not (in_box[0] & in_box[1]).any()
    for _ in range(4):
        browser.find("#view-map [aria-label='Zoom in']").click()
    assert browser.text("#view-map .note") == ""
    browser.find("#view-map [aria-label='Show all samples']").click()
    assert "Gray: all 6000 in view" in browser.text("#view-map .note")
