"""Reports of every kind, for their pages."""

from dataclasses import replace

import numpy as np
import pandas as pd
from made_reports import with_residuals, with_samples

from mlx.plots.report.inputs import Provenance
from mlx.plots.report.recorded_samples import OtherPart, OtherSamples, RecordedOutputs
from mlx.results.classification_residuals import FactorEffect, Slice
from mlx.results.issues import Issue, IssueCount, IssueKind, IssueMethod
from mlx.results.questions import Statistic

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


def explored(report):
    """Add factors, slices, parts, issues and recorded outputs, with values missing."""
    rng, n = np.random.default_rng(1), len(report.samples)
    contrast = np.where(rng.random(n) < 0.1, np.nan, rng.random(n))
    color = rng.choice(np.array(["red", "dark red", "missing"], object), n)
    of_error = {"kind": "numeric", "target": "error", "statistic": Statistic.ERROR_RATE, "estimate": 0.2, "n": 9}
    test = {"split": "test", "score": 0.1, "method": IssueMethod.CONFIDENT_LEARNING, "why": "x"}
    slices = [Slice(description=text, n=9, n_errors=3, error_rate_found=0.3) for text in SLICES]
    report = with_residuals(
        report,
        sample_factors={"contrast": contrast, "color": color, "occluded": rng.random(n) < 0.3},
        factors=(FactorEffect(factor="contrast", bin="low", lower=0.1, upper=0.3, **of_error),),
        slices=tuple(slices),
        issues=tuple(Issue(kind=IssueKind.LABEL, index=k, **test) for k in (3, 7, 11)),
    )
    return replace(report, outputs=recorded_of(report))


def recorded_of(report):
    """Recorded outputs of noise, in reverse order."""
    rng, n = np.random.default_rng(5), len(report.samples)
    probabilities = rng.dirichlet(np.ones(len(report.class_names)), n)
    return RecordedOutputs(np.arange(n)[::-1].copy(), probabilities[::-1], rng.normal(size=(n, 4))[::-1])


OTHERS = {"val": 30, "train": 50}


def with_others(report, sizes=OTHERS):
    """Add samples of the other parts, numbered after the test samples, of which some repeat each other."""
    rng, n, k = np.random.default_rng(4), len(report.samples), len(report.class_names)
    ends = n + np.cumsum([0, *sizes.values()])
    parts = []
    for split, start, end in zip(sizes, ends, ends[1:], strict=False):
        p, y = rng.dirichlet(np.ones(k), end - start), rng.integers(0, k, end - start)
        parts.append(OtherPart(split, np.arange(start, end)[::-1], y, p.argmax(axis=1), p))
    leak = {"kind": IssueKind.LEAK, "score": 0.0, "method": IssueMethod.EQUAL_INPUTS, "why": "equal"}
    label = {"kind": IssueKind.LABEL, "score": 0.1, "method": IssueMethod.CONFIDENT_LEARNING, "why": "x"}
    issues = [Issue(split="test", index=row, related_index=int(ends[1]) + row, **leak) for row in (4, 5)]
    issues += [Issue(split="val", index=n + row, **label) for row in (1, 2, 3)]
    counts = [(IssueKind.LEAK, "test", IssueMethod.EQUAL_INPUTS, 2), (IssueKind.LABEL, "val", label["method"], 3)]
    counts = [IssueCount(kind=a, split=b, method=c, n=30, n_issues=d, expected=0.1) for a, b, c, d in counts]
    size = np.arange(ends[-1]) % 7.0
    report = with_residuals(report, sample_factors={"size": size[:n]}, issues=tuple(issues), issue_counts=tuple(counts))
    others = OtherSamples(tuple(parts), lambda names, rows: pd.DataFrame(dict.fromkeys(names, size[rows])))
    inputs = np.resize(report.raw.inputs, (ends[-1], *report.raw.inputs.shape[1:]))
    return replace(report, others=others, raw=replace(report.raw, inputs=inputs), outputs=recorded_of(report))


def with_odd_factors(report):
    """Add factors of any size, and names that mean something to an address, a file or a spreadsheet."""
    rng, n = np.random.default_rng(2), len(report.samples)
    numbers = {
        "a.b&c=d~e?": rng.normal(size=n), "huge": rng.random(n) * 1e300, "tiny": rng.random(n) * 1e-300,
        "skewed": np.where(rng.random(n) < 0.1, np.inf, rng.lognormal(0, 9, n)), "count": rng.integers(0, 2**40, n),
        "level": 1e6 + rng.random(n), "constant": np.full(n, 0.1),
        "negative": np.where(rng.random(n) < 0.1, -np.inf, -1),
    }  # fmt: skip
    words = rng.choice(np.array(["=SUM(1)", 'x;,"y"', "<b>", "-1", ""], object), n)
    days = np.datetime64("1960-02-29") + rng.integers(0, 40_000, n).astype("timedelta64[D]")
    return with_residuals(report, sample_factors=numbers | {"words": words, "day": days})


SLICES = ("contrast > 0.6 and color is not red", "(contrast ≤ 0.4 or missing)", "not occluded and color is missing")


def with_leverage(report):
    first, second = np.random.default_rng(0).normal(size=(2, len(report.samples)))
    return with_residuals(report, samples=replace(report.residuals.samples, leverage=first**2, standardised=second))


HOSTILE_PROVENANCE = Provenance(name=HOSTILE[0], description=HOSTILE[1])
PAGES = {
    "shapes": lambda make: explored(with_views(make())),
    "table": lambda make: with_odd_factors(with_views(make(120, images=False), images=False)),
    "regression": lambda make: with_leverage(make()),
    "splits": lambda make: with_others(with_views(make(60, ("no", "yes")))),
    "hundred": lambda make: with_views(make(2000, [f"class {k}" for k in range(100)])),
    "perfect": lambda make: with_views(make(perfect=True)),
    "never predicted": lambda make: with_views(make(unpredicted=1)),
    "many": lambda make: with_views(make(6000), images=False),
    "hostile": lambda make: replace(with_views(make(names=HOSTILE)), provenance=HOSTILE_PROVENANCE),
    "without views": lambda make: make(40),
}


WITHOUT_FIGURES = {"table", "splits", "perfect", "never predicted", "many", "without views"}
"""Pages that are about the samples alone."""

LOOKED_AT = {"shapes"}
"""Pages of whose figures a test looks at more than whether they are there; those of others are blank."""


def near(image, color, tolerance=70):
    """Where an image has a color, drawn over white with some transparency or without."""
    full, pale = np.array(color), 0.55 * np.array(color) + 0.45 * 255
    return (np.abs(image - full).sum(axis=2) < tolerance) | (np.abs(image - pale).sum(axis=2) < tolerance)


def selected(browser):
    """The numbers of the selected samples."""
    return browser.js("return document.getElementById('explore')?.selectedNumbers?.()")
