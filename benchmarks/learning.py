"""Whether every model learns an easy problem, whatever the seed and the processor: the worst of several seeds.

150 images of 8x8 pixels with a bright stripe at a height that tells one of three classes, 6 epochs in batches of 16
at a learning rate of 0.01, of deep networks 0.003; 60 other images are predicted. Steps are few and large on purpose: a
model that trains only by the luck of the last digits fails for some seed. Each row is repeated with libraries that are
set to use the instructions of another processor, and initial weights can be changed by a relative noise as large as
rounding makes.

Usage: python benchmarks/learning.py [--models vgg11 resnet18 …] [--seeds 10] [--noise 1e-6] [--settings 0 1 …]
"""

import argparse
import os
import subprocess
import sys

import numpy as np

from mlx.models import IterativeModel, ModelSettings, TaskSpec, build_model
from mlx.models.catalogue import FAMILIES
from mlx.training import Samples, TrainingSettings, fit_model
from mlx.training.fit import Callbacks

TASK_SPEC = TaskSpec("classification", (8, 8, 1), 3)
MODELS = (
    "mlp", "keras_mlp", "cnn", "rnn", "vgg11", "resnet18", "resnet50", "mobilenet", "mobilenet_v2",
    "mobilenet_v3_small", "efficientnet_b0",
)  # fmt: skip
DEEP = {name for variants in FAMILIES.values() for name in variants}
SETTINGS = ("", "ONEDNN_MAX_CPU_ISA=AVX2", "TF_ENABLE_ONEDNN_OPTS=0", "OPENBLAS_CORETYPE=Haswell")
"""What the libraries read before they start; the first is this processor as it is."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--settings", nargs="+", type=int, choices=range(len(SETTINGS)), default=range(len(SETTINGS)))
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(min(reached(asked.models[0], seed, asked.noise) for seed in range(asked.seeds)))
        return
    print(f"| model | {' | '.join(SETTINGS[i] or 'as it is' for i in asked.settings)} |")
    print("|---|" + "---|" * len(asked.settings))
    for name in asked.models:
        worst = [elsewhere(name, asked.seeds, asked.noise, SETTINGS[i]) for i in asked.settings]
        print(f"| `{name}` | {' | '.join(f'{value:.3f}' for value in worst)} |", flush=True)


def elsewhere(name: str, seeds: int, noise: float, setting: str) -> float:
    """Return the worst accuracy in a process of its own, as libraries read a setting once."""
    command = (sys.executable, __file__, "--here", "--models", name, "--seeds", str(seeds), "--noise", str(noise))
    environment = os.environ | ({setting.split("=")[0]: setting.split("=")[1]} if setting else {})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def reached(name: str, seed: int, noise: float) -> float:
    """Return the accuracy on unseen images after a training from `seed`."""
    model = build_model(ModelSettings(name=name), TASK_SPEC, seed=seed)
    assert isinstance(model, IterativeModel)
    rng = np.random.default_rng(seed)
    model.set_weights([(w * (1 + noise * rng.standard_normal(w.shape))).astype(w.dtype) for w in model.weights()])
    rate = 0.003 if name in DEEP else 0.01  # at 0.01 Adam overshoots once the loss of a deep network is near 0
    training = TrainingSettings(epochs=6, batch_size=16, learning_rate=rate, seed=seed)
    fit_model(model, stripes(150, 0), stripes(40, 1), training, Callbacks(()))
    unseen = stripes(60, 2)
    return float((model.outputs(unseen.X).predictions == unseen.y).mean())


def stripes(n: int, seed: int) -> Samples:
    """Draw images whose bright stripe tells the class by its height."""
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 0.1, size=(n, *TASK_SPEC.sample_shape)).astype(np.float32)
    y = rng.integers(0, 3, n)
    X[np.arange(n), 2 * y + 1] += 1
    return Samples(X, y)


if __name__ == "__main__":
    main()
