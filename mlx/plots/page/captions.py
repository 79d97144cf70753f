"""What stands over each picture of the report page, and in which section the picture is."""

CAPTIONS = {
    "samples": ("Samples", "What the data look like, by class or by target value."),
    "learning_curves": (
        "Learning curves",
        "Training against validation; where there are epochs, the dotted line is at the lowest validation loss.",
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
        "Under each: actual → predicted class and entropy; mistakes in orange. The least typical are those least "
        "similar to the samples predicted alike.",
    ),
    "class_counts": ("Samples of each class", "How many of all samples belong to each class."),
    "precision_recall": (
        "Precision and recall",
        "What share of those called a class belongs to it, over the share of the class that is found.",
    ),
    "risk_coverage": (
        "Risk and coverage",
        "How many are wrong among those kept when the most suspicious are left out; the band is of the first curve.",
    ),
    "temperature": (
        "Entropy under a temperature",
        "What dividing the logits would do: right of 1 predictions soften; lowest log loss there means overconfidence.",
    ),
    "layers": (
        "Similarity against entropy in each layer",
        "Pearson's r with its interval; further from zero, the layer tells more of the uncertainty.",
    ),
    "similarity_matrix": (
        "Similarity between samples",
        "Rows and columns are samples, sorted by predicted class and rising entropy; a pale block stays together.",
    ),
    "map_pca": (
        "Map of representations, principal components",
        "The same samples three times: by actual class, by correctness, by entropy. Distances are true as far as two "
        "directions show them.",
    ),
    "map_tsne": (
        "Map of representations, t-SNE",
        "The same samples three times; neighbours are kept, distances and sizes of clusters mean nothing.",
    ),
    "map_umap": (
        "Map of representations, UMAP",
        "The same samples three times; neighbours are kept, distances and sizes of clusters mean little.",
    ),
    "factor_effects": (
        "Factors and errors",
        "How well each factor alone ranks wrong above correct predictions; left of the dotted line, small values fail.",
    ),
    "factor_effects_entropy": (
        "Factors and entropy",
        "Rank correlation of each factor with entropy; right of the dotted line, large values make the model unsure.",
    ),
    "weak_slices": (
        "Weakest slices",
        "Found on one half of the samples; shown is the error rate on the other half, with its interval. The stroke is "
        "the error rate of all samples outside the slice.",
    ),
    "residual_images": (
        "What is left of mistaken images",
        "Confidently wrong samples, the mean image of the class that they were taken for, and their difference.",
    ),
    "leverage": (
        "Leverage",
        "How unlike the training samples a test sample is: far right, the line is extended, and its prediction is less "
        "certain.",
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
        ("confusion", "roc", "precision_recall", "residuals_fitted", "residual_qq", "residual_histogram", "leverage"),
    ),
    (
        "unsure",
        "Where it is unsure",
        ("entropy_histogram", "risk_coverage", "reliability", "temperature", "uncertain_samples"),
    ),
    (
        "geometry",
        "Does the geometry of representations tell?",
        (
            "similarity_entropy",
            "similarity_entropy_by_class",
            "layers",
            "similarity_matrix",
            "map_pca",
            "map_tsne",
            "map_umap",
        ),
    ),
    ("why", "Why it fails", ("factor_effects", "factor_effects_entropy", "weak_slices", "residual_images")),
    ("training", "Training and data", ("learning_curves", "samples", "class_counts")),
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
