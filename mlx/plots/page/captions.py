"""Heading and explanation of each figure of the report page, and the sections that the figures are in."""

CAPTIONS = {
    "samples": ("Samples", "Samples of the data, by class or by target value."),
    "learning_curves": (
        "Learning curves",
        "Training and validation values; with epochs, the dotted line marks the lowest validation loss.",
    ),
    "data_map": (
        "Data map",
        "Each point is a training sample: mean and spread over the epochs of the probability of its class. Easy "
        "samples are at the upper left, ambiguous ones at the right, hard or wrongly labeled ones at the lower left.",
    ),
    "confusion": (
        "Confusion matrix",
        "Rows are true classes, columns predicted classes; every count off the diagonal is a mistake.",
    ),
    "confused_pairs": (
        "Most frequent confusions",
        "True → predicted class, and how often; the share is that of the samples of the true class.",
    ),
    "roc": ("ROC curves", "Each class against all others; the closer to the upper left corner, the better."),
    "reliability": (
        "Reliability",
        "Accuracy of the predictions at each confidence; below the dotted line the model is overconfident. The area "
        "of a dot is the number of its samples; intervals of few are pale.",
    ),
    "recalibration": (
        "Reliability before and after recalibration",
        "Accuracy at each confidence of the predictions as they are, and after each calibrator, which is fitted to "
        "one half of the validation samples. The chosen one has the lowest cross-validated Brier score there.",
    ),
    "prediction_sets": (
        "Coverage of prediction sets",
        "How often a set, or a prediction interval, holds the truth; in parentheses, the number of samples. Gray bars "
        "are the range in which 95 % of test sets would lie if a group was covered as all samples are.",
    ),
    "entropy_histogram": (
        "Entropy of correct and wrong predictions",
        "The further apart the two distributions, the better entropy separates mistakes; dashed lines are medians.",
    ),
    "similarity_entropy": (
        "Similarity against entropy",
        "Each point is a test sample; the band around the least-squares line is descriptive and not a test. The null "
        "hypothesis of p is no linear correlation over all samples.",
    ),
    "similarity_entropy_by_class": (
        "Similarity against entropy in each predicted class",
        "A relation over all samples may come from differences between classes; each panel shows it within one class.",
    ),
    "uncertain_samples": (
        "Uncertain, mistaken and untypical samples",
        "Under each image: true → predicted class and entropy; mistakes in orange. The least typical samples are "
        "those least similar to the others of their predicted class.",
    ),
    "class_counts": ("Samples of each class", "Number of samples of each class in the whole dataset."),
    "precision_recall": (
        "Precision and recall",
        "Share of the predictions of a class that are right, over the share of the class that is found.",
    ),
    "risk_coverage": (
        "Risk and coverage",
        "Error rate of the samples kept when the most suspicious are left out; the band is that of the first curve.",
    ),
    "temperature": (
        "Entropy at different temperatures",
        "What dividing the logits by a temperature does to the test samples: right of 1, predictions soften; a lowest "
        "log loss there shows overconfidence. The temperature to use is that of the recalibration.",
    ),
    "layers": (
        "Similarity against entropy in each layer",
        "Pearson's r with its interval; the further from zero, the more the layer says about the uncertainty.",
    ),
    "failure_scores": (
        "Scores of failure",
        "How well each score ranks wrong above correct predictions; the dotted line is the maximum probability. Scores "
        "of geometry are fitted on training samples, the combination is weighted on validation samples.",
    ),
    "probes": (
        "Linear probes",
        "Accuracy of a logistic regression on each layer, fitted on training samples; the dotted line is the model. A "
        "layer left of it has not yet separated the classes linearly.",
    ),
    "similarity_matrix": (
        "Similarity between samples",
        "Rows and columns are samples, sorted by predicted class and rising entropy; a block of high similarity is a "
        "compact class.",
    ),
    "map_pca": (
        "Map of representations, principal components",
        "The same samples three times: by true class, by correctness, by entropy. Distances are those in the two "
        "directions of largest variance.",
    ),
    "map_tsne": (
        "Map of representations, t-SNE",
        "The same samples three times; neighborhoods are preserved, distances and sizes of clusters have no meaning.",
    ),
    "map_umap": (
        "Map of representations, UMAP",
        "The same samples three times; neighborhoods are preserved, distances and sizes of clusters mean little.",
    ),
    "factor_effects": (
        "Factors and errors",
        "How well each factor alone ranks wrong above correct predictions; left of the dotted line, small values go "
        "with errors. The table below has categories, too.",
    ),
    "factor_effects_entropy": (
        "Factors and entropy",
        "Rank correlation of each factor with entropy: right of the dotted line, large values go with uncertainty; of "
        "categories, the share of variance that they explain. The table below has both.",
    ),
    "factor_effects_abs_residual": (
        "Factors and the size of errors",
        "Rank correlation of each factor with the absolute residual: right of the dotted line, errors grow with it; of "
        "categories, the share of variance that they explain. The table below has both.",
    ),
    "factor_effects_residual": (
        "Factors and residuals",
        "Rank correlation of each factor with the residual, true less predicted, or of categories the share of "
        "variance that they explain: a relation that the model misses.",
    ),
    "large_residual_slices": (
        "Slices with the largest errors",
        "Chosen on one half of the samples; means and intervals are those of the other half. The stroke is the mean "
        "of all samples outside the slice.",
    ),
    "weak_slices": (
        "Weakest slices",
        "Chosen on one half of the samples; error rates and intervals are those of the other half. The stroke is the "
        "error rate of all samples outside the slice.",
    ),
    "residual_images": (
        "Residuals of mistaken images",
        "Confidently wrong samples, the mean image of their predicted class, and the difference of both.",
    ),
    "issue_counts": (
        "How many samples to look at",
        "Samples of each kind and part of the data; the stroke is the mean number that data without a fault has. What "
        "is found beyond it points to faults; wrong labels in validation raise the number for labels, too.",
    ),
    "issue_images": (
        "The clearest of each kind",
        "Under each image: its label, the label that the prediction is confident of or the sample that it repeats, and "
        "its part of the data with its row in the raw data.",
    ),
    "leverage": (
        "Leverage",
        "How far a test sample is from the training samples: at the far right the model extrapolates, and its "
        "prediction is less certain.",
    ),
    "residuals_fitted": (
        "Residuals against predictions",
        "A median away from zero shows a relation that the model misses; a widening cloud, errors that grow.",
    ),
    "residual_qq": (
        "Normal quantiles",
        "Points outside the band are larger or smaller than normal errors would be.",
    ),
    "residual_histogram": (
        "Residuals",
        "Distribution of the errors, with the normal curve of the same standard deviation.",
    ),
}
"""By the name of a figure: heading, and how to read it (also its text alternative)."""

SECTIONS = (
    (
        "wrong",
        "What it gets wrong",
        (
            "confusion",
            "confused_pairs",
            "roc",
            "precision_recall",
            "residuals_fitted",
            "residual_qq",
            "residual_histogram",
            "leverage",
        ),
    ),
    (
        "unsure",
        "Where it is unsure",
        (
            "entropy_histogram",
            "risk_coverage",
            "reliability",
            "recalibration",
            "temperature",
            "prediction_sets",
            "uncertain_samples",
        ),
    ),
    (
        "geometry",
        "Does the geometry of representations show it?",
        (
            "similarity_entropy",
            "similarity_entropy_by_class",
            "layers",
            "failure_scores",
            "probes",
            "similarity_matrix",
            "map_pca",
            "map_tsne",
            "map_umap",
        ),
    ),
    (
        "why",
        "Why it fails",
        (
            "factor_effects",
            "factor_effects_entropy",
            "factor_effects_abs_residual",
            "factor_effects_residual",
            "weak_slices",
            "large_residual_slices",
            "residual_images",
        ),
    ),
    ("act", "Samples to look at", ("issue_counts", "issue_images")),
    ("training", "Training and data", ("learning_curves", "data_map", "samples", "class_counts")),
    ("more", "More figures", ()),
    ("setup", "Configuration and environment", ()),
)
"""Id, heading and figures, in reading order; figures that no section names are in ``more``."""


def caption(name: str) -> tuple[str, str]:
    """Return heading and explanation of a figure; the name is the heading of one without a caption."""
    return CAPTIONS.get(name, (name.replace("_", " ").capitalize(), ""))


def figures_by_section(names: list[str]) -> dict[str, list[str]]:
    """Return which of the figures `names` are in each section, by its id."""
    known = {name for _, _, figures in SECTIONS for name in figures}
    sections = {key: [name for name in figures if name in names] for key, _, figures in SECTIONS}
    return sections | {"more": [name for name in names if name not in known]}
