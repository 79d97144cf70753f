"""Reports of every kind, for their pages."""

from dataclasses import replace

import numpy as np
from made_reports import with_residuals, with_samples

from mlx.plots.report.inputs import Provenance

BLUE, ORANGE = (0, 114, 178), (213, 94, 0)
HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\">",
    "</script><script>document.title='taken'</script>",
    "猫 & قطة",
    "--><svg onload=document.title='taken'>",
    "x" * 200,
)


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


def near(image, color, tolerance=70):
    """Where an image has a color, drawn over white with some transparency or without."""
    full, pale = np.array(color), 0.55 * np.array(color) + 0.45 * 255
    return (np.abs(image - full).sum(axis=2) < tolerance) | (np.abs(image - pale).sum(axis=2) < tolerance)


def selected(browser):
    """The numbers of the selected samples."""
    return browser.js("return document.getElementById('explore').selectedNumbers()")
