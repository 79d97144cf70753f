"""A real Chromium that opens report pages, and writes down what it complains about and asks for."""

import base64
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
MISSING = (
    "the tests of the report page need Chromium and its driver on the PATH, found no {what}; "
    "on Debian and Ubuntu: apt-get install chromium chromium-driver"
)


def program(what: str, names: tuple[str, ...]) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(MISSING.format(what=what), pytrace=False)
    return found


class Browser:
    """One window; `open` starts a page of its own, `complaints` says what went wrong since."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.path = Path()

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        self.path = path
        media = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in media.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get("about:blank")
        self.complaints()  # those of the page before are nobody's any more
        self.driver.get(path.as_uri())
        ready = "return document.documentElement.dataset.ready === 'true'"
        WebDriverWait(self.driver, 60, poll_frequency=0.02).until(
            lambda d: d.execute_script(ready) or self.complaints_so_far()
        )

    def complaints_so_far(self) -> list[str]:
        self._errors = getattr(self, "_errors", [])
        self._errors += [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]
        return self._errors

    def complaints(self) -> list[str]:
        """Errors and warnings in the console, and requests for anything but the page itself."""
        errors, self._errors = self.complaints_so_far(), []
        asked = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"].split("#")[0])
        own = ("data:", "blob:", "about:", self.path.as_uri() if self.path != Path() else "about:")
        return errors + [f"asked for {url}" for url in asked if not url.startswith(own)]

    def js(self, code: str, *arguments: object) -> object:
        return self.driver.execute_script(code, *arguments)

    def find(self, selector: str):
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list:
        return self.driver.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def texts(self, selector: str) -> list[str]:
        return [
            str(text)
            for text in self.js("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)
        ]

    def pixels(self, selector: str) -> np.ndarray:
        """What an element looks like, (height, width, 3)."""
        self.js("arguments[0].scrollIntoView({block: 'center'})", self.find(selector))
        png = base64.b64decode(self.find(selector).screenshot_as_base64)
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)

    def pointer(self, selector: str, x: float, y: float) -> None:
        """Move to a point that counts from the upper left corner of an element."""
        element = self.find(selector)
        size = element.size
        ActionChains(self.driver, duration=30).move_to_element_with_offset(
            element, round(x - size["width"] / 2), round(y - size["height"] / 2)
        ).perform()

    def drag(self, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        element, size = self.find(selector), self.find(selector).size
        move = ActionChains(self.driver, duration=60)
        move.move_to_element_with_offset(
            element, round(start[0] - size["width"] / 2), round(start[1] - size["height"] / 2)
        )
        move.click_and_hold()
        for _ in range(2):
            move.move_by_offset(round((end[0] - start[0]) * 0.5), round((end[1] - start[1]) * 0.5))
        move.release().perform()

    def csv(self) -> pd.DataFrame:
        """The file that the button of the explorer hands to the browser."""
        self.js("""
            window.made = []; const create = URL.createObjectURL;
            URL.createObjectURL = (blob) => { window.made.push(blob); return create(blob); };
            HTMLAnchorElement.prototype.click = () => {};
            document.getElementById("csv").click(); URL.createObjectURL = create;""")
        text = "window.made[0].text().then(arguments[arguments.length - 1])"
        return pd.read_csv(io.StringIO(self.driver.execute_async_script(text)))

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for the page to catch up."""
        WebDriverWait(self.driver, 60, poll_frequency=0.05).until(lambda _: holds(), what)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()


@contextmanager
def started() -> Iterator[Browser]:
    chromium = program("Chromium", ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    service = webdriver.ChromeService(program("chromedriver", ("chromedriver", "chromium.chromedriver")))
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=service)
        driver.set_script_timeout(120)  # axe takes long on a page of a hundred classes where others want the processor
        try:
            yield Browser(driver)
        finally:
            driver.quit()
