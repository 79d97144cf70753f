"""Writes docs/page.png, the picture of the page that the README opens with, from the recorded default run.

    python docs/picture.py

It needs the workspace after `dvc repro`, and Chromium on the PATH. The picture has the hash of
metrics/headline.json, by which a test says when it is older than the numbers.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, PngImagePlugin

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/page.png"
PAGE = ROOT / "data/report/report.html"
NUMBERS = ROOT / "metrics/headline.json"
KEY = "numbers"
WIDTH, HEIGHT, COLORS = 1200, 800, 200
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def digest() -> str:
    """Return the hash of the numbers that a picture made now would show."""
    return hashlib.sha256(NUMBERS.read_bytes()).hexdigest()


def shown() -> str:
    """Return the hash of the numbers that the picture shows; empty where it names none."""
    with Image.open(PICTURE) as picture:
        return str(picture.info.get(KEY, ""))


def take(browser: str, path: Path) -> None:
    """Write a picture of the top of the page."""
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000"]
        flags += [f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={path}"]
        subprocess.run([browser, *flags, PAGE.as_uri()], check=True, capture_output=True, timeout=120)  # noqa: S603


def main() -> None:
    """Write the picture in few colors, with the hash of its numbers."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"expected Chromium on the PATH, found none of {', '.join(BROWSERS)}")
    if not PAGE.is_file():
        sys.exit(f"{PAGE.relative_to(ROOT)}: expected the page of the default run, found none; run `dvc repro` first")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        take(browser, path)
        picture = Image.open(path).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    about = PngImagePlugin.PngInfo()
    about.add_text(KEY, digest())
    picture.save(PICTURE, optimize=True, pnginfo=about)


if __name__ == "__main__":
    main()
