"""`mlx.analyze`: ten lines give the tables, figures and page that the command gives."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

import mlx
from mlx.cli import main
from mlx.core.errors import DataError, MlxError, SettingsError
from mlx.plots.report.figures import FIGURES

pytestmark = pytest.mark.usefixtures("undrawn", "few_figures")

N, K = 160, 3
GENERATOR = np.random.default_rng(0)
Y = GENERATOR.integers(K, size=N)
H = (2 * np.eye(K, 8)[Y] + 0.9 * GENERATOR.normal(size=(N, 8))).astype(np.float32)
Z = 2 * H[:, :K]
IMAGES = GENERATOR.integers(0, 256, size=(N, 8, 6, 3)).astype(np.uint8)
SIZE = np.arange(N) % 7
QUICK = {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]}
GIVEN = {"logits": Z, "labels": Y, "representations": {"pen": H}, "metadata": {"size": SIZE}, "images": IMAGES}
VAL = {"logits": Z[:60], "labels": Y[:60], "representations": {"pen": H[:60]}}
TRAIN = {"logits": Z[60:], "labels": Y[60:], "representations": {"pen": H[60:]}}


SHOWN = {
    "classification": ("samples", "confusion", "recalibration", "prediction_sets"),
    "regression": ("residual_histogram", "prediction_sets"),
}


@pytest.fixture(scope="module")
def few_figures() -> Iterator[None]:
    """Draw the figures that are asked about: all of them take most of the time of an analysis."""
    with pytest.MonkeyPatch.context() as patch:
        for task, names in SHOWN.items():
            patch.setitem(FIGURES, task, {name: FIGURES[task][name] for name in names})
        yield


@pytest.fixture(scope="module")
def found(undrawn: None, few_figures: None) -> mlx.Analysis:
    return mlx.analyze(**GIVEN, val=VAL, train=TRAIN, residuals=QUICK, name="mine")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def piped(residuals: dict[str, object], **config: object) -> dict[str, bytes]:
    """Run the pipeline on the folder ``recorded`` here, by the command; return all that the analysis wrote."""
    Path("params.json").write_text(
        json.dumps(
            {"name": "piped", "dataset": {"name": "recorded", "path": "recorded"}, "model": {"name": "recorded"}}
            | {"residuals": residuals, **config}
        )
    )
    main(["run-experiment", "--config", "params.json", "--strict"])
    (run,) = Path("outputs/piped").iterdir()
    return analyzed(run)


def analyzed(folder: Path) -> dict[str, bytes]:
    own = ("data/representations", "data/residuals", "metrics")
    return {
        name: content
        for name, content in contents(folder).items()
        if name.startswith(own) and Path(name).name not in {"history.csv", "training.json", "representations.json"}
    }


@pytest.mark.slow
def test_every_entrance_gives_the_same_bytes(found, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for split, part in (("test", GIVEN), ("val", VAL), ("train", TRAIN)):
        (tmp_path / "recorded" / split).mkdir(parents=True)
        arrays = {"logits": part["logits"], "y_true": part["labels"], **part["representations"]}
        arrays |= {"images": part["images"]} if "images" in part else {}
        for name, array in arrays.items():
            np.save(tmp_path / "recorded" / split / f"{name}.npy", array)
    Path("recorded/test/metadata.jsonl").write_text("".join(f'{{"size": {size}}}\n' for size in SIZE))
    assert piped(QUICK) == analyzed(found.folder)
    pd.DataFrame({"size": SIZE}).to_parquet("m.parquet")
    common = ["--metadata", "m.parquet", "--name", "mine", "--permutations", "19"]
    common += ["--set", "residuals.n_bootstrap=100", "--set", "residuals.projections=[pca]"]
    main(["analyze", "recorded", "--output", "folder", *common])
    test = Path("recorded/test")
    files = ["--representations", f"pen={test}/pen.npy", "--logits", f"{test}/logits.npy"]
    files += ["--labels", f"{test}/y_true.npy", "--images", f"{test}/images.npy", "--val", "recorded/val"]
    files += ["--train", "recorded/train"]
    main(["analyze", *files, "--output", "files", *common])
    expected = contents(found.folder)
    assert contents(Path("folder")) == expected
    assert contents(Path("files")) == expected
    saved = found.save(tmp_path / "saved")
    assert saved.is_file()
    assert contents(tmp_path / "saved") == expected
    assert repr(mlx.Analysis(tmp_path / "saved")) == repr(found)
    with pytest.raises(SettingsError, match="expected a new folder"):
        found.save(tmp_path / "saved")


@pytest.mark.slow
def test_tables_figures_and_page_are_at_hand(found) -> None:
    assert {"samples", "classes", "tests", "confusion", "reliability"} <= set(found.tables)
    assert found.tables["samples"]["factor.size"].tolist() == SIZE.tolist()
    assert found.headline["accuracy"] == found.evaluation["accuracy"] == (Z.argmax(axis=1) == Y).mean()
    assert found.residuals["n"] == N
    assert "samples" in found.figures  # which shows the images
    assert {"recalibration", "prediction_sets"} <= {*found.figures}  # which need validation samples
    assert found.evaluation["temperature"] > 0
    assert set(found.tables["recalibration"]["n_validation"]) == {30}
    whole = found.tables["prediction_sets"].iloc[0]
    assert (whole["kind"], whole["n"], whole["n_calibration"]) == ("all", N, 30)
    assert found.tables["samples"]["set_size"].mean() == pytest.approx(whole["size_mean"])
    assert found.figure(found.figures[0])._repr_png_().startswith(b"\x89PNG")
    html = found._repr_html_()
    assert "<iframe srcdoc=" in html
    assert "accuracy" in html
    assert "<h1>mine</h1>" in str(found.page())
    assert "accuracy" in repr(found)
    assert "tests" in repr(found.tables)
    assert "<details>" in found.tables._repr_html_()
    with pytest.raises(SettingsError, match="did you mean 'confusion'"):
        found.figure("confusoin")
    with pytest.raises(KeyError, match="found 'test'; did you mean 'tests'"):
        found.tables["test"]
    with pytest.raises(SettingsError, match="found 'accurracy'; did you mean 'accuracy'"):
        found.headline["accurracy"]
    assert "accuracy" in found.headline._repr_html_()


@pytest.mark.slow
def test_a_temporary_folder_goes_with_the_result() -> None:
    found = mlx.analyze(**{**GIVEN, "images": None}, residuals=QUICK)
    folder = found.folder
    assert folder.exists()
    del found
    assert not folder.exists()


@pytest.mark.slow
def test_a_regression(tmp_path: Path, monkeypatch) -> None:
    true, pred = H[:, 0].astype(float), H[:, 0] + 0.1 * H[:, 1]
    arguments = {"labels": true, "predictions": pred, "representations": H}
    found = mlx.analyze(**arguments, task="regression", metadata={"size": SIZE}, output=tmp_path / "api")
    assert found.evaluation["rmse"] == pytest.approx(np.sqrt(np.mean((true - pred) ** 2)), rel=1e-12)
    assert "residual_histogram" in found.figures
    assert found.tables["prediction_sets"].empty
    assert found.tables["recalibration"].empty
    monkeypatch.chdir(tmp_path)
    for name, array in {"y": true, "p": pred, "representations": H}.items():
        np.save(f"{name}.npy", array)
    (tmp_path / "recorded/test").mkdir(parents=True)
    for name, array in {"y_true": true, "y_pred": pred, "representation": H}.items():
        np.save(tmp_path / "recorded/test" / f"{name}.npy", array)
    Path("recorded/test/metadata.jsonl").write_text("".join(f'{{"size": {size}}}\n' for size in SIZE))
    assert piped({}) == analyzed(tmp_path / "api")
    pd.DataFrame({"size": SIZE}).to_parquet("m.parquet")
    line = ["analyze", "--task", "regression", "--labels", "y.npy", "--predictions", "p.npy", "--name"]
    line += ["recorded outputs", "--representations", "representations.npy", "--metadata", "m.parquet"]
    main([*line, "--output", "command"])
    assert contents(tmp_path / "command") == contents(tmp_path / "api")


BAD = {
    "an unknown argument": ({"probabilites": Z}, "did you mean 'probabilities'"),
    "an unknown task": ({"task": "regresion"}, "did you mean 'regression'"),
    "no labels": ({"labels": None}, "labels: expected an array, found none"),
    "no layer": ({"representations": None}, "representations: expected an array, found none"),
    "no outputs": ({"logits": None}, "probabilities or logits"),
    "other rows": ({"probabilities": softmax(Z, axis=1)[:5]}, "of shape (5,"),
    "an unknown part": ({"val": {"labls": Y}}, "did you mean 'labels'"),
    "no part": ({"val": 3}, "val: expected arrays by name"),
    "another layer in val": ({"val": {**VAL, "representations": {"deep": H[:60]}}}, "expected the layers of the test"),
    "another width in val": ({"val": {**VAL, "representations": {"pen": H[:60, :3]}}}, "val: pen: expected 8 columns"),
    "an unknown key": ({"evaluation": {"n_bin": 3}}, "did you mean 'n_bins'"),
    "a bad value": ({"seed": -1}, "seed: evaluation.seed: expected an integer"),
    "few images": ({"images": IMAGES[:3]}, "expected images of shape"),
    "few texts": ({"texts": ["a"]}, "texts: expected 160 texts"),
    "no texts": ({"texts": [3] * N}, "texts: row 0: expected a text, found int"),
    "no images": ({"images": H}, "expected images of shape"),
    "five channels": ({"images": np.zeros((N, 5, 5, 5))}, "1, 3 or 4 channels"),
    "metadata of no form": ({"metadata": [1]}, "metadata: expected a data frame"),
    "unknown groups": ({"groups": "patient"}, "groups: expected"),
    "a name that is no file's": (
        {"representations": {"编码器": H}},
        "expected a name that begins with a letter from A to Z",
    ),
    "a reserved name": ({"representations": {"logits": H}}, "expected a name other than"),
    "probabilities of a regression": ({"task": "regression", "predictions": Y}, "logits: expected none"),
    "a setting of a section": ({"bins": 3}, "found an unknown one; give evaluation={'n_bins': …}"),
    "no section": ({"evaluation": 3}, "evaluation: expected a section of keys, found 3"),
    "a name that is no text": ({"name": 3}, "name: expected text, found 3"),
    "no file": ({"images": "none.npy"}, "none.npy: expected images in a file, found nothing"),
    "a folder and arrays": ({"folder": "."}, "found both"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_argument_is_named_in_one_line(name: str) -> None:
    change, message = BAD[name]
    with pytest.raises(MlxError) as error:
        mlx.analyze(**{**GIVEN, "images": None, **change})
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value._render_traceback_() == [f"{type(error.value).__name__}: {error.value}"]


def test_arrays_of_other_frameworks_are_taken_for_numpys() -> None:
    class Tensor:
        """As one of PyTorch: with a gradient, on a device, in 16 bits that NumPy lacks."""

        dtype = "torch.bfloat16"

        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def detach(self) -> "Tensor":
            return self

        def cpu(self) -> "Tensor":
            return self

        def float(self) -> np.ndarray:
            return self.values.astype(np.float32)

    class Exchanged:
        """An array that is only exchanged by DLPack."""

        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def __dlpack__(self, **options: object) -> object:
            return self.values.__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.values.__dlpack_device__()

    from mlx.received.rows import array_of

    np.testing.assert_array_equal(array_of(Tensor(Z), "z"), Z)
    np.testing.assert_array_equal(array_of(Exchanged(Z), "z"), Z)
    with pytest.raises(DataError, match="z: row 0: expected a number"):
        array_of(object(), "z")


def test_images_in_files_and_with_the_channels_first(tmp_path: Path) -> None:
    from PIL import Image

    from mlx.received.images import read_images

    first = read_images(np.moveaxis(IMAGES, -1, 1), N, "images")
    np.testing.assert_array_equal(first.whole(), IMAGES)
    assert read_images(IMAGES[..., 0], N, "images").shape == (N, 8, 6, 1)
    for i in range(3):
        Image.fromarray(IMAGES[i]).save(tmp_path / f"{i}.png")
    np.testing.assert_array_equal(read_images(tmp_path, 3, "images").whole(), IMAGES[:3])
    listed = [tmp_path / "1.png", str(tmp_path / "0.png")]
    np.testing.assert_array_equal(read_images(listed, 2, "images").whole(), IMAGES[[1, 0]])
    with pytest.raises(DataError, match="expected 4 images"):
        read_images(tmp_path, 4, "images")
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="1.png: expected an image"):
        read_images(tmp_path, 3, "images").whole()


def test_the_objects_of_a_notebook_say_what_they_are() -> None:
    assert dir(mlx) == sorted(mlx.__all__)
    for made in (mlx.DataGenerator(3), mlx.ModelSelector(), mlx.ResidualsAnalyzer(seed=1), mlx.VisualizationAnalyzer()):
        name = type(made).__name__
        assert repr(made).startswith(f"{name}(")
        assert name in made._repr_html_()
    with pytest.raises(AttributeError, match="did you mean 'analyze'"):
        mlx.analyse  # noqa: B018  # looked up
    with pytest.raises(SettingsError, match="nowhere: expected the folder of an analysis or of a run, found nothing"):
        mlx.Analysis("nowhere")
    with pytest.raises(DataError, match="nowhere: expected a folder of recorded arrays, found nothing"):
        mlx.analyze("nowhere")
    with pytest.raises(ValueError, match="did you mean 'n_permutations'") as error:
        mlx.ResidualsAnalyzer(n_permutation=3)
    assert len(error.value._render_traceback_()) == 1
