"""How a network that was drawn for images of 224x224 takes small ones.

Such a network halves an image five times. Of 28x28, nothing but one pixel would be left, and most of its
layers would convolve padding. So one or two of the first halvings are left out where the last feature map
would otherwise be less than 4 wide (it is 7 at 224x224): both up to 48x48, one up to 96x96. For CIFAR's
32x32 this is the well-known stem of one 3x3 convolution without pooling. More would not pay: the cost
grows fourfold with each. No weight changes its shape by it.
"""

from mlx.models.contract import TaskSpec

HALVINGS = 5
MOST_DROPPED = 2
WIDTH = 4


def dropped_halvings(task_spec: TaskSpec, *, width: int = WIDTH) -> int:
    """Return how many of the first halvings are left out so that the last map is `width` wide, if it can be."""
    side = min(task_spec.sample_shape[:2])
    return next((n for n in range(MOST_DROPPED) if -(-side // 2 ** (HALVINGS - n)) >= width), MOST_DROPPED)
