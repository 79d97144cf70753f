"""The frame of the report page, and its own style and scripts."""

from importlib.resources import files
from string import Template

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src $allowed">
<title>$name: report</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>
<h1>$name</h1>
$introduction
</header>
<main>
$key_results
<nav aria-label="Sections"><ul>
$links
</ul></nav>
$sections
</main>
<footer>Intervals in brackets are $level intervals. Entropy is in nats (natural
logarithm).$compressed</footer>
$scripts
</body>
</html>
""")

EXPLORER = (
    "elements", "unpacking", "samples", "conditions", "selection", "coloring", "axes", "painting", "plot", "gestures",
    "tooltip", "matrix", "pages", "sample_table", "gallery", "viewer", "filters", "export", "help", "explorer",
)  # fmt: skip
"""Files of the script behind the linked views, each after those that it needs when it is run."""


STYLES = ("base", "first_view", "tables", "explorer", "print")
"""Files of the style, each after those that it changes."""


def style_sheet() -> str:
    """Return the style of the page."""
    return "".join(_read(f"styles/{name}.css") for name in STYLES)


def explorer_script() -> str:
    """Return the script of the linked views: its files in one block, so that no name leaves it."""
    return '"use strict";\n{\n' + "\n".join(_read(f"scripts/{name}.js") for name in EXPLORER) + "}\n"


def sorting_script() -> str:
    """Return the script that makes tables sortable."""
    return _read("scripts/sortable_tables.js")


def run_script() -> str:
    """Return the script that names the run by its folder."""
    return _read("scripts/run_name.js")


def _read(path: str) -> str:
    return (files("mlx.plots.page") / path).read_text(encoding="utf-8")
