"""The similarity that most tests need."""

from mlx.residuals.similarity.class_similarity import BLOCK_BYTES, similarity_family
from mlx.residuals.similarity.lift import lift


def group_similarity(units, labels, *, groups=None, block_bytes=BLOCK_BYTES):
    """Return the mean cosine similarity of every sample to all others of its class; labels are integers from 0."""
    lifted = lift(units, block_bytes=block_bytes)
    n_classes = int(labels.max()) + 1
    return similarity_family(lifted, labels, labels, n_classes, groups=groups, block_bytes=block_bytes).predicted
