"""A table of factors of every kind, with the errors and entropies of its samples."""

import numpy as np
import pandas as pd


def table(n=400, seed=0):
    generator = np.random.default_rng(seed)
    columns = pd.DataFrame(
        {
            "noise": generator.random(n),
            "size": generator.integers(1, 20, n),
            "occluded": generator.random(n) < 0.3,
            "color": generator.choice(["red", "green", "blue"], n),
        }
    )
    weak = (columns["noise"] > 0.7) & columns["occluded"]
    error = generator.random(n) < np.where(weak, 0.8, 0.1)
    entropy = columns["noise"].to_numpy() + generator.gamma(1, size=n) + 0.5 * (columns["color"] == "red")
    return columns, error, entropy
