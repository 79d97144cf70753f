"""All designs, by name, and which null hypotheses hold in them."""

from simulation.drawn import DrawnDesign
from simulation.real import RealDesign
from simulation.regressions import RegressionDesign
from simulation.two_models import DrawnPair, RealPair

Design = DrawnDesign | RealDesign | DrawnPair | RealPair | RegressionDesign

FEW_OF_TEN = 0.1647
"""Error rate of the designs whose doubt is not scaled."""


def _few(errors: int, n: int, validated: float) -> DrawnDesign:
    rate = errors / n
    name = f"{errors} errors expected" + ("" if validated else ", no validation")
    return DrawnDesign(name, n, error_rate=rate, doubt_scale=rate / FEW_OF_TEN, validated=validated)


DESIGNS: tuple[Design, ...] = (
    *(DrawnDesign("spread", n) for n in (60, 100, 200, 400)),
    *(DrawnDesign("clusters", n, clusters=True) for n in (100, 200, 400)),
    *(DrawnDesign("confounded", n, confounded=True) for n in (100, 200, 400)),
    *(DrawnDesign("90/5/5", n, shares=(0.9, 0.05, 0.05)) for n in (200, 400)),
    DrawnDesign("30 classes", 300, shares=(1 / 30,) * 30),
    *(DrawnDesign("heavy tails", n, heavy=True) for n in (200, 400)),
    DrawnDesign("saturated", 200, saturated=0.6),
    *(DrawnDesign("unequal spread", n, unequal=True, error_rate=0.2) for n in (100, 200, 400)),
    DrawnDesign("copies, not declared", 210, copies=True),
    DrawnDesign("copies, declared", 210, copies=True, declared=True),
    DrawnDesign("60 groups of 5", 300, group_size=5, declared=True),
    *(_few(errors, 200, 0.5) for errors in (5, 12, 20)),
    _few(12, 200, 0.0),
    RealDesign("digits", 200, "digits"),
    RealDesign("digits", 400, "digits"),
    RealDesign("table", 200, "table"),
    *(DrawnPair("two models", n) for n in (60, 100, 200, 400)),
    DrawnPair("two models, few differences", 200, doubt_scale=0.1),
    DrawnPair("two models, 12 errors expected", 200, doubt_scale=0.37),
    DrawnPair("two models, much alike", 200, in_common=0.9),
    DrawnPair("two models, 90/5/5", 200, shares=(0.9, 0.05, 0.05)),
    DrawnPair("two models, 30 classes", 300, shares=(1 / 30,) * 30),
    DrawnPair("two models, heavy tails", 200, heavy=True),
    DrawnPair("two models, 60 groups of 5", 300, group_size=5),
    RealPair("two networks, digits", 200, "digits"),
    RealPair("two networks, table", 200, "table"),
    *(RegressionDesign("regression", n) for n in (60, 200)),
    *(RegressionDesign("regression, heavy tails", n, freedom=5) for n in (60, 200)),
    *(RegressionDesign("regression, very heavy tails", n, freedom=3) for n in (60, 200)),
)

CALIBRATION = {"ece_p", "spiegelhalter", "excess_surprise"}


ACROSS_CLASSES = (", pooled,", ", all pairs,", "given correctness")
"""Parts of the names of tests that ignore classes."""

DEPENDENT_SPREADS = ("over pairs", "similarity by kind", "error by kind", "weak slice")
"""Parts of the names of tests whose null is independence, or that differ in more than a spread."""


def why_not_null(design: Design, target: str) -> str:
    """Return why the null of a test does not hold in a design, or in its null draws; empty where it holds."""
    reason = ""
    if isinstance(design, RegressionDesign):
        reason = "noise is not normal" if design.heavy and target in {"normality", "breusch_pagan"} else ""
    elif isinstance(design, DrawnDesign | RealDesign):
        if target in CALIBRATION:
            reason = "" if design.calibrated else "not calibrated"
        elif design.confounded and any(part in target for part in ACROSS_CLASSES):
            reason = "classes differ"
        elif design.unequal and any(part in target for part in DEPENDENT_SPREADS):
            reason = "spreads differ"
    return reason and f"null not true here: {reason}"
