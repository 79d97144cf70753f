"""What a user would write instead of the pipeline: the same study in one plain script.

The same data, split, network, training, metrics, residual statistics and pictures as ``params.yaml``
describes, in the form that a notebook would have: scikit-learn, SciPy and pyplot where they offer it.
Only the images come from this project, as no library draws them. Nothing is cached or reproducible.

Usage: python benchmarks/plain_keras.py OUTPUT_FOLDER EPOCHS [--no-residuals]
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib
import numpy as np
import pandas as pd
import yaml
from scipy import stats
from sklearn import metrics
from sklearn.model_selection import train_test_split

from mlx.datasets import DatasetSettings, open_dataset

matplotlib.use("agg")
from matplotlib import pyplot as plt

out = Path(sys.argv[1])
out.mkdir(parents=True)
epochs = int(sys.argv[2])
params = yaml.safe_load(Path("params.yaml").read_text())
training, model_params = params["training"], params["model"]["params"]

# Data
dataset = open_dataset(DatasetSettings.model_validate(params["dataset"]))
blocks = list(dataset.blocks(4096))
X, y = np.concatenate([b.X for b in blocks]), np.concatenate([b.y for b in blocks])
np.save(out / "X.npy", X)
np.save(out / "y.npy", y)
X = X.astype("float32") / 255
X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=42)
X_train, X_val, y_train, y_val = train_test_split(X_rest, y_rest, test_size=0.125, stratify=y_rest, random_state=42)

# Model
keras.utils.set_random_seed(training["seed"])
tensor = image = keras.Input(X.shape[1:])
for width in model_params["filters"]:
    tensor = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(tensor)
    tensor = keras.layers.MaxPooling2D()(tensor)
tensor = keras.layers.Flatten()(tensor)
for width in model_params["hidden_layers"]:
    hidden = keras.layers.Dense(width, activation="relu")(tensor)
    tensor = keras.layers.Dropout(model_params["dropout"])(hidden)
model = keras.Model(image, keras.layers.Dense(len(dataset.class_names), activation="softmax")(tensor))
optimizer = keras.optimizers.Adam(training["learning_rate"])
model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
stopping = keras.callbacks.EarlyStopping(patience=epochs, restore_best_weights=True)
history = model.fit(
    X_train, y_train, batch_size=training["batch_size"], epochs=epochs,
    validation_data=(X_val, y_val), callbacks=[stopping], verbose=0,
)  # fmt: skip
model.save(out / "model.keras")
pd.DataFrame(history.history).to_csv(out / "history.csv")

# Evaluation
probabilities = model.predict(X_test, verbose=0)
representations = keras.Model(image, hidden).predict(X_test, verbose=0)
predicted = probabilities.argmax(axis=1)
scores = {
    "accuracy": metrics.accuracy_score(y_test, predicted),
    "balanced_accuracy": metrics.balanced_accuracy_score(y_test, predicted),
    "macro_f1": metrics.f1_score(y_test, predicted, average="macro"),
    "log_loss": metrics.log_loss(y_test, probabilities),
    "roc_auc": metrics.roc_auc_score(y_test, probabilities, multi_class="ovr"),
}
pd.DataFrame(metrics.classification_report(y_test, predicted, output_dict=True)).to_csv(out / "classes.csv")

# Residuals: mean similarity to the samples predicted alike against entropy, resampled as METHODS asks
entropy = stats.entropy(probabilities, axis=1)
units = representations / np.linalg.norm(representations, axis=1, keepdims=True)
similarity = metrics.pairwise.cosine_similarity(units)


def mean_similarity(rows: np.ndarray) -> np.ndarray:
    alike = (predicted[rows][:, None] == predicted[rows]) & (rows[:, None] != rows)
    return (similarity[np.ix_(rows, rows)] * alike).sum(axis=1) / np.maximum(alike.sum(axis=1), 1)


rng = np.random.default_rng(42)
everything = np.arange(len(y_test))
a = mean_similarity(everything)
for statistic in () if "--no-residuals" in sys.argv else (stats.pearsonr, stats.spearmanr):
    name = statistic.__name__
    scores[name] = float(statistic(a, entropy)[0])
    draws = [statistic(a, rng.permutation(entropy))[0] for _ in range(params["residuals"]["n_permutations"])]
    scores[f"{name}_p"] = (1 + np.sum(np.abs(draws) >= abs(scores[name]))) / (len(draws) + 1)
    replicates = []
    for _ in range(params["residuals"]["n_bootstrap"]):
        rows = rng.choice(everything, len(everything))
        replicates.append(statistic(mean_similarity(rows), entropy[rows])[0])
    scores[f"{name}_interval"] = np.quantile(replicates, [0.025, 0.975]).tolist()
samples = {"y_true": y_test, "y_pred": predicted, "similarity": a, "entropy": entropy}
pd.DataFrame(samples).to_parquet(out / "samples.parquet")
(out / "metrics.json").write_text(json.dumps(scores, default=float))

# Pictures
names = list(dataset.class_names)
metrics.ConfusionMatrixDisplay.from_predictions(y_test, predicted, display_labels=names)
plt.savefig(out / "confusion.png", dpi=150)
figure, axes = plt.subplots(1, 2)
for ax, quantity in zip(axes, ("loss", "accuracy"), strict=True):
    ax.plot(history.history[quantity])
    ax.plot(history.history[f"val_{quantity}"])
plt.savefig(out / "learning_curves.png", dpi=150)
plt.figure()
for label in range(len(names)):
    plt.plot(*metrics.roc_curve(y_test == label, probabilities[:, label])[:2])
plt.savefig(out / "roc.png", dpi=150)
figure, axes = plt.subplots(1, len(names), figsize=(12, 3))
for label, ax in enumerate(axes):
    rows = predicted == label
    ax.scatter(a[rows], entropy[rows], c=y_test[rows] != predicted[rows])
    if rows.sum() > 2:
        ax.plot(a[rows], np.polyval(np.polyfit(a[rows], entropy[rows], 1), a[rows]))
plt.savefig(out / "similarity_entropy_by_class.png", dpi=150)
plt.figure()
plt.scatter(a, entropy, c=y_test != predicted)
plt.savefig(out / "similarity_entropy.png", dpi=150)
plt.figure()
plt.hist([entropy[y_test == predicted], entropy[y_test != predicted]])
plt.savefig(out / "entropy.png", dpi=150)
plt.figure()
plt.plot(*[np.sort(v) for v in (probabilities.max(axis=1), (y_test == predicted).astype(float))])
plt.savefig(out / "reliability.png", dpi=150)
for picture, rows in (("samples", np.argsort(y_test)[:40]), ("uncertain", np.argsort(-entropy)[:16])):
    figure, axes = plt.subplots(-(-len(rows) // 8), 8)
    for ax, row in zip(axes.flat, rows, strict=False):
        ax.imshow(X_test[row, ..., 0], cmap="gray")
        ax.axis("off")
    plt.savefig(out / f"{picture}.png", dpi=150)
print(json.dumps(scores, default=float))
