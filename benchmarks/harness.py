"""What the `mlx` command costs over doing the same by hand.

Prints ratios of alternating runs: ``mlx --help`` against ``python -c pass``, and ``mlx run-experiment``
of an experiment in scikit-learn and of the default network against a plain script of the same study (below,
and `plain_keras.py`) and, for the first, against its steps called one after the other. Targets: 3 and 1.1.
The scripts draw fewer pictures and no page, and compute the two correlations only, of all the statistics.

Usage: python benchmarks/harness.py [--pairs 3] [--starts 15]
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from pipeline import copy_of_the_repository, timed

PLAIN_TABLE = """
import json, numpy as np
from matplotlib import use; use("agg")
from matplotlib import pyplot as plt
from scipy import stats
from sklearn import datasets, linear_model, metrics, model_selection, pipeline, preprocessing
X, y = datasets.load_digits(return_X_y=True)
X_rest, X_test, y_rest, y_test = model_selection.train_test_split(X / 16, y, test_size=0.2, stratify=y, random_state=42)
X_train, X_val, y_train, y_val = model_selection.train_test_split(
    X_rest, y_rest, test_size=0.125, stratify=y_rest, random_state=42)
scaler = preprocessing.StandardScaler()
model = pipeline.make_pipeline(scaler, linear_model.LogisticRegression(max_iter=1000)).fit(X_train, y_train)
p = model.predict_proba(X_test)
predicted = p.argmax(axis=1)
scores = metrics.classification_report(y_test, predicted, output_dict=True)
scores["log_loss"], scores["auc"] = metrics.log_loss(y_test, p), metrics.roc_auc_score(y_test, p, multi_class="ovr")
entropy = stats.entropy(p, axis=1)
Z = scaler.transform(X_test)
similarity = metrics.pairwise.cosine_similarity(Z)
def mean_similarity(rows):
    alike = (predicted[rows][:, None] == predicted[rows]) & (rows[:, None] != rows)
    return (similarity[np.ix_(rows, rows)] * alike).sum(axis=1) / np.maximum(alike.sum(axis=1), 1)
rng, rows = np.random.default_rng(42), np.arange(len(y_test))
a = mean_similarity(rows)
for statistic in (stats.pearsonr, stats.spearmanr):
    r = statistic(a, entropy)[0]
    draws = [statistic(a, rng.permutation(entropy))[0] for _ in range(999)]
    scores[f"{statistic.__name__}_p"] = (1 + np.sum(np.abs(draws) >= abs(r))) / 1000
    replicates = []
    for _ in range(1000):
        drawn = rng.choice(rows, len(rows))
        replicates.append(statistic(mean_similarity(drawn), entropy[drawn])[0])
    scores[f"{statistic.__name__}_interval"] = np.quantile(replicates, [0.025, 0.975]).tolist()
metrics.ConfusionMatrixDisplay.from_predictions(y_test, predicted)
plt.savefig("confusion.png", dpi=150)
plt.figure()
for label in range(10):
    plt.plot(*metrics.roc_curve(y_test == label, p[:, label])[:2])
plt.savefig("roc.png", dpi=150)
plt.figure()
for label in range(10):
    plt.plot(*metrics.precision_recall_curve(y_test == label, p[:, label])[:2])
plt.savefig("precision_recall.png", dpi=150)
figure, axes = plt.subplots(2, 5, figsize=(12, 6))
for label, ax in enumerate(axes.flat):
    rows = predicted == label
    ax.scatter(a[rows], entropy[rows], c=y_test[rows] != predicted[rows])
    ax.plot(a[rows], np.polyval(np.polyfit(a[rows], entropy[rows], 1), a[rows]))
plt.savefig("by_class.png", dpi=150)
for name, values in (("similarity", a), ("confidence", p.max(axis=1))):
    plt.figure()
    plt.scatter(values, entropy, c=y_test != predicted)
    plt.savefig(f"{name}.png", dpi=150)
plt.figure()
plt.hist([entropy[y_test == predicted], entropy[y_test != predicted]])
plt.savefig("entropy.png", dpi=150)
for picture, rows in (("samples", np.argsort(y_test)[:80]), ("uncertain", np.argsort(-entropy)[:16])):
    figure, axes = plt.subplots(-(-len(rows) // 8), 8)
    for ax, row in zip(axes.flat, rows, strict=False):
        ax.imshow(X_test[row].reshape(8, 8), cmap="gray")
        ax.axis("off")
    plt.savefig(f"{picture}.png", dpi=150)
open("scores.json", "w").write(json.dumps(scores, default=float))
"""
STEPS = """
from pathlib import Path
from mlx.config import read_config
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.pipeline.steps import STEPS
config = read_config(Path("table.json"))
for step in STEPS:
    step(Workspace(Path("by-hand")), **{name: getattr(config, name) for name in sections_of(step)})
"""
TABLE = {
    "name": "table",
    "dataset": {"name": "digits"},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
}
MLX = [sys.executable, "-m", "mlx"]
RUN = [*MLX, "run-experiment", "--config"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--starts", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = copy_of_the_repository(Path(folder) / "repo")
        (root / "table.json").write_text(json.dumps(TABLE))
        print(f"mlx --help against python -c pass: {start_ratio(root, chosen.starts):.2f}", flush=True)
        for name, script in (("the steps called by hand", STEPS), ("a plain script", PLAIN_TABLE)):
            ratios = [ratio(root, "table.json", [sys.executable, "-c", script]) for _ in range(chosen.pairs)]
            report(f"digits by logistic regression against {name}", ratios)
        report(
            "the default network against a plain script",
            [network_ratio(root, f"plain{i}") for i in range(chosen.pairs)],
        )


def start_ratio(root: Path, starts: int) -> float:
    """Least time of each over alternating starts: what is above it is the other load of the machine."""
    pairs = [(timed([*MLX, "--help"], root)[0], timed([sys.executable, "-c", "pass"], root)[0]) for _ in range(starts)]
    ours, bare = map(min, zip(*pairs, strict=True))
    return ours / bare


def ratio(root: Path, config: str, plain: list[str]) -> float:
    return timed([*RUN, config], root)[0] / timed(plain, root)[0]


def network_ratio(root: Path, out: str) -> float:
    """Let the script train as many epochs as the run did: early stopping may end elsewhere by chance."""
    ours, lines = timed([*RUN, "params.yaml"], root)
    history = root / lines[-1][1] / "metrics/history.csv"
    epochs = len(history.read_text().splitlines()) - 1
    return ours / timed([sys.executable, "benchmarks/plain_keras.py", out, str(epochs)], root)[0]


def report(name: str, ratios: list[float]) -> None:
    middle = statistics.median(ratios)
    print(f"{name}: median {middle:.2f}, from {min(ratios):.2f} to {max(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
