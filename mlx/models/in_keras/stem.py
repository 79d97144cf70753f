"""Adapts networks designed for images of 224x224 to small images.

Such a network halves an image five times. An image of 28x28 would end as one pixel, and most layers would
convolve padding. So one or two of the first halvings are skipped if the last feature map would otherwise be
less than 4 wide (it is 7 at 224x224): both up to 48x48, one up to 96x96. For CIFAR's 32x32 this is the
well-known stem of one 3x3 convolution without pooling. Skipping more does not pay, as each quadruples the
cost. The shapes of the weights do not change.
"""

from mlx.models.task_spec import TaskSpec

HALVINGS = 5
MOST_SKIPPED = 2
WIDTH = 4


def skipped_halvings(task_spec: TaskSpec, *, width: int = WIDTH) -> int:
    """Return how many of the first halvings to skip so that the last map is at least `width` wide, if possible."""
    side = min(task_spec.sample_shape[:2])
    return next((n for n in range(MOST_SKIPPED) if -(-side // 2 ** (HALVINGS - n)) >= width), MOST_SKIPPED)
