"""What stands over each picture of the report page, and in which section the picture is."""

CAPTIONS = {
    "samples": ("Samples", "What the data look like, by class or by target value."),
    "learning_curves": (
        "Learning curves",
        "Training against validation; the dotted line is the epoch with the lowest validation loss.",
    ),
    "confusion": (
        "Confusion matrix",
        "Rows are actual, columns predicted classes; everything off the diagonal is a mistake.",
    ),
    "roc": ("ROC curves", "Each class against all others; the nearer to the upper left corner, the better."),
    "reliability": (
        "Reliability",
        "How often predictions of a given confidence are right; below the dotted line it is overconfident.",
    ),
    "entropy_histogram": (
        "Entropy of correct and wrong predictions",
        "The further apart the two, the better entropy tells mistakes; dashed lines are medians.",
    ),
    "similarity_entropy": (
        "Similarity against entropy",
        "Each point is a test sample; the band of the least-squares line describes, and tests nothing.",
    ),
    "similarity_entropy_by_class": (
        "The same for each predicted class",
        "A relation over all samples may come from differences between classes; here it is within each.",
    ),
    "uncertain_samples": (
        "Samples to look at",
        "Under each: actual → predicted class and entropy; mistakes in orange.",
    ),
    "residuals_fitted": (
        "Residuals against predictions",
        "A median that leaves zero shows a relation the model misses; a widening cloud, errors that grow.",
    ),
    "residual_qq": (
        "Normal quantiles",
        "Points outside the band are larger or smaller than normal errors would be.",
    ),
    "residual_histogram": (
        "Residuals",
        "How large the errors are, with the normal curve of the same spread.",
    ),
}
"""By the name of a picture: heading, and how to read it (also its text alternative)."""

SECTIONS = (
    (
        "wrong",
        "What it gets wrong",
        ("confusion", "roc", "residuals_fitted", "residual_qq", "residual_histogram"),
    ),
    ("unsure", "Where it is unsure", ("entropy_histogram", "reliability", "uncertain_samples")),
    (
        "geometry",
        "Does the geometry of representations tell?",
        ("similarity_entropy", "similarity_entropy_by_class"),
    ),
    ("why", "Why it fails", ()),
    ("training", "Training and data", ("learning_curves", "samples")),
    ("more", "More pictures", ()),
    ("setup", "Configuration and environment", ()),
)
"""Id, heading and pictures, in reading order; pictures that no section names stand in ``more``."""


def caption(name: str) -> tuple[str, str]:
    """Return heading and explanation of a picture; one without a caption is called by its name."""
    return CAPTIONS.get(name, (name.replace("_", " ").capitalize(), ""))


def placed(names: list[str]) -> dict[str, list[str]]:
    """Return which of the pictures stand in each section, by its id."""
    known = {name for _, _, pictures in SECTIONS for name in pictures}
    found = {key: [name for name in pictures if name in names] for key, _, pictures in SECTIONS}
    found["more"] = [name for name in names if name not in known]
    return found
