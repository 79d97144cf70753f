"""The command lines and notebook code that users were promised, word for word but for the name of the package."""

import shlex
import shutil
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from mlx.cli import main

ROOT = Path(__file__).parents[1]
HARNESS = """
mlx --help
mlx --version
mlx run-experiment --dry-run --config examples/mnist_config.json
mlx run-experiment my_experiment
mlx run-experiment experiment_123
mlx eval experiment_123
mlx eval experiment_123 --metrics accuracy f1_score
mlx eval --dry-run
"""
FLAGS = (
    "--data_method shapes --n_samples 1000 --n_classes 5 --image_size 32 --model_type cnn --hidden_layers 128,64 "
    "--batch_size 32 --epochs 30 --learning_rate 0.001 --output_dir ./results --random_seed 42"
)
SMALLER = (
    "model.name=mlp", "dataset.params.n_samples=300", "training.epochs=5", "residuals.projections=[pca]",
    "residuals.n_bootstrap=100", "residuals.n_permutations=19",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("few_figures")
def test_every_command_line_of_the_harness_works(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in HARNESS.strip().splitlines():
        _, *arguments = shlex.split(line)
        # The built-in default trains a network for minutes; another model on fewer samples takes seconds.
        is_default = arguments[0] == "run-experiment" and "--config" not in arguments
        extra = [part for setting in SMALLER for part in ("--set", setting)] if is_default else []
        if arguments[0].startswith("--"):
            with pytest.raises(SystemExit, match="0"):
                main(arguments)
        else:
            main([*arguments, *extra])
        out = capsys.readouterr().out
        assert out, line
        assert ("would be downloaded: " in out) == ("mnist" in line), line


@pytest.mark.parametrize("hyphens", [False, True])
def test_the_demo_takes_every_flag_at_its_default(hyphens: bool) -> None:
    from mlx.cli import build_parser
    from mlx.commands.demo import configured

    words = FLAGS.split()
    if hyphens:
        words = [word.replace("_", "-") if word.startswith("--") else word for word in words]
    given = configured(build_parser().parse_args(["demo", *words]))
    assert given.config == configured(build_parser().parse_args(["demo"])).config
    config = given.config
    assert (config.dataset.name, config.dataset.params["image_size"], config.dataset.params["n_classes"]) == (
        "shapes",
        32,
        5,
    )
    assert (config.model.name, config.model.params["hidden_layers"]) == ("cnn", [128, 64])
    assert (config.training.epochs, config.training.seed, config.output.directory) == (30, 42, "./results")


@pytest.mark.slow
def test_the_notebook_code_runs_from_data_to_pictures(folder: Path) -> None:
    import tensorflow as tf

    from mlx import (
        ImageDataGenerator,
        ModelSelector,
        ResidualsAnalyzer,
        TrainingPipeline,
        VisualizationAnalyzer,
    )

    mpl.use("agg")
    generator = ImageDataGenerator(random_state=42)
    X, y = generator.generate_image_data(method="shapes", n_samples=200, n_classes=5, image_size=(32, 32))
    X_processed = generator.preprocess_images(X)
    data_splits = generator.split_data(X_processed, y)
    generator.visualize_images(X, y, n_images_per_class=5)

    selector = ModelSelector(random_state=42)
    model = selector.get_model(model_type="cnn", n_classes=5, n_features=32 * 32, hidden_layers=[128, 64])
    pipeline = TrainingPipeline(model=model, model_type="keras")
    pipeline.train(
        X_train=data_splits["X_train"],
        y_train=data_splits["y_train"],
        X_val=data_splits["X_val"],
        y_val=data_splits["y_val"],
        batch_size=32,
        epochs=2,
        callbacks=[
            tf.keras.callbacks.EarlyStopping(patience=10),
            tf.keras.callbacks.ModelCheckpoint("best_model.h5"),
        ],
    )
    assert pipeline.evaluate(X_test=data_splits["X_test"], y_test=data_splits["y_test"])
    assert Path("best_model.h5").is_file()

    y_pred = pipeline.predict(data_splits["X_test"])
    intermediate_reps = pipeline.extract_intermediate_representations(
        data_splits["X_test"], intermediate_model=selector.intermediate_representations["model"]
    )
    softmax_outputs = pipeline.extract_softmax_outputs(
        data_splits["X_test"], softmax_model=selector.softmax_outputs["model"]
    )
    np.testing.assert_allclose(softmax_outputs.sum(axis=1), 1, atol=1e-5)
    results = ResidualsAnalyzer(save_dir="./results").run_full_analysis(
        representations=intermediate_reps,
        softmax_outputs=softmax_outputs,
        y_true=data_splits["y_test"],
        y_pred=y_pred,
    )
    assert results
    drawn = VisualizationAnalyzer(save_dir="./visualization").run_full_visualization(
        representations=intermediate_reps,
        softmax_outputs=softmax_outputs,
        y_true=data_splits["y_test"],
        y_pred=y_pred,
    )
    assert drawn
    assert list(Path("visualization").rglob("*.png"))
