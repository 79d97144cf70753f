"""A training that is killed anywhere goes on to the same end; one that may not go on says why and starts anew."""

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from line import Line

from mlx.core.descriptions import ModelDescription
from mlx.core.errors import ArtifactError, SettingsError
from mlx.models import ModelSettings, TaskSpec
from mlx.models.npz import write_npz
from mlx.training import Augmentation, Checkpoints, Samples, TrainingSettings, fingerprint, fit_model, load_checkpoint
from mlx.training.fingerprint import difference, digest_of, file_digest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
DATA = Samples(X, X @ [1.0, -2.0] + RNG.normal(size=60))
VALIDATION = Samples(X[:20] + 1, X[:20] @ [1.0, -2.0])
DESCRIBED = ModelDescription(
    name="linear_regression", params={}, task="regression", class_names=[], sample_shape=[2], layers=[],
    penultimate="", parameters=2,
)  # fmt: skip
SETTINGS: dict[str, Any] = {
    "epochs": 12,
    "batch_size": 8,
    "learning_rate": 0.003,
    "early_stopping_patience": 4,
    "params": {
        "momentum": 0.9, "warmup_epochs": 1, "schedule": "plateau", "schedule_params": {"patience": 1},
        "augmentation": {"noise": 0.1},
    },
}  # fmt: skip
NOISE = Augmentation(noise=0.1)
End = tuple[list[float], list[dict[str, float]], int]


class Silent:
    def begin(self, history: Any) -> None: ...

    def batch(self) -> None: ...

    def epoch(self, number: int, metrics: Any) -> None: ...


class Killed(BaseException):
    """What stops a training in the midst of an epoch."""


class KilledAfter(Silent):
    def __init__(self, batches: int) -> None:
        self.left = batches

    def batch(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


def train(
    folder: Path,
    callback: Silent | None = None,
    *,
    frequency: int = 1,
    print_of: dict[str, Any] | None = None,
    **changed: Any,
) -> tuple[End, list[str], Checkpoints]:
    """Train to the end; return that, what was said, and the checkpoints, which are not finished."""
    said: list[str] = []
    settings = TrainingSettings.model_validate(SETTINGS | changed)
    checkpoints = Checkpoints(
        folder,
        fingerprint=print_of or {"training": settings.as_dict()},
        frequency=frequency,
        description=DESCRIBED,
        report=said.append,
    )
    model = Line()
    try:
        fitted = fit_model(
            model, DATA, VALIDATION, settings, callback or Silent(), checkpoints=checkpoints, augmentation=NOISE
        )
    except Killed:
        return ([], [], 0), said, checkpoints
    return (model.w.tolist(), list(fitted.history), fitted.best_epoch), said, checkpoints


@pytest.fixture(scope="module")
def end(tmp_path_factory: pytest.TempPathFactory) -> End:
    whole = train(tmp_path_factory.mktemp("whole"))[0]
    assert len(whole[1]) > 5
    assert whole[2] < len(whole[1])  # it stops early, and goes back
    return whole


@pytest.mark.parametrize("frequency", [1, 2, 5])
def test_an_epoch_that_was_cut_off_is_done_again_to_the_same_end(tmp_path: Path, end: End, frequency: int) -> None:
    for batches in (3, 8, 17, 30, 50, 30):
        train(tmp_path, KilledAfter(batches), frequency=frequency)
    found, said, _ = train(tmp_path, frequency=frequency)
    assert found == end
    assert said[-1].startswith("continues after epoch ")


# Every change of the disk goes through one of these: a process that dies at one leaves what was before it.
CHANGES = [(Path, "replace"), (Path, "mkdir"), (Path, "unlink"), (shutil, "rmtree"), (zipfile.ZipFile, "open")]


def dying_at(call: int, folder: Path, frequency: int) -> int:
    """Train in a process that ends without any clean-up at its `call`-th change of the disk; return its status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = [0]

    def dying(original: Callable[..., Any]) -> Callable[..., Any]:
        def change(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            if calls[0] == call:
                os._exit(9)
            return original(*args, **kwargs)

        return change

    for owner, name in CHANGES:
        setattr(owner, name, dying(getattr(owner, name)))
    try:
        train(folder, frequency=frequency)[2].finish()
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.slow
@pytest.mark.parametrize(("frequency", "stride"), [(1, 5), (3, 1)])
def test_a_process_that_dies_while_it_writes_leaves_a_checkpoint_that_is_continued(
    tmp_path: Path, end: End, frequency: int, stride: int
) -> None:
    call, tried, continued = 1, 0, 0
    while True:
        folder = tmp_path / str(call)
        status = dying_at(call, folder, frequency)
        if status == 0:
            break
        assert status == 9
        found, said, checkpoints = train(folder, frequency=frequency)
        assert found == end, call
        continued += any(line.startswith("continues") for line in said)
        assert not [line for line in said if "not used" in line], call
        checkpoints.finish()
        left = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        assert left == {"best", *(f"epoch_{n:04d}" for n in range(frequency, len(end[1]) + 1, frequency))}
        call, tried = call + stride, tried + 1
    assert tried > 40
    assert continued > 0.3 * tried


def test_after_the_results_are_written_the_next_start_begins_anew(tmp_path: Path, end: End) -> None:
    train(tmp_path)[2].finish()
    found, said, _ = train(tmp_path)
    assert found == end
    assert said == []


def test_until_the_results_are_written_it_has_nothing_left_to_train(tmp_path: Path, end: End) -> None:
    train(tmp_path)
    found, said, _ = train(tmp_path, KilledAfter(0))
    assert found == end
    assert said == [f"continues after epoch {len(end[1])}, from {tmp_path / 'last'}"]


def test_another_training_starts_anew_and_says_what_changed(tmp_path: Path) -> None:
    train(tmp_path, KilledAfter(30), print_of={"training.epochs": 9, "data.X_train": "a", "model.name": "line"})
    now = {"training.epochs": 10, "data.X_train": "b", "model.name": "line"}
    found, said, _ = train(tmp_path, print_of=now, epochs=10)
    assert said == [
        "starts anew, as the checkpoints are of another training: training.epochs was 9 and is 10, other data.X_train"
    ]
    assert found == train(tmp_path / "fresh", epochs=10)[0]


def test_the_best_and_every_asked_for_epoch_can_be_loaded(tmp_path: Path, end: End, monkeypatch: Any) -> None:
    monkeypatch.setattr("mlx.training.checkpoints.rebuild_model", lambda _: Line())
    train(tmp_path, frequency=2)
    best = load_checkpoint(tmp_path / "best")
    assert best.weights()[0].tolist() == end[0]
    for epoch in (2, 4):
        settings = {"epochs": epoch, "early_stopping_patience": None}
        expected = train(tmp_path / str(epoch), **settings)[0][0]
        assert load_checkpoint(tmp_path / f"epoch_{epoch:04d}").weights()[0].tolist() == expected


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def edit(path: Path) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"best": 1}))


def forge(path: Path, arrays: dict[str, Any]) -> None:
    """Change the arrays and every digest with them, as one who wants to harm would."""
    np.savez(path, **arrays)
    described = path.with_name("checkpoint.json")
    content = json.loads(described.read_text())
    content["files"][path.name] = file_digest(path)
    content["digest"] = digest_of({key: value for key, value in content.items() if key != "digest"})
    described.write_text(json.dumps(content))


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("exploded"),))


def pickled(path: Path) -> None:
    array = np.empty(2, object)
    array[:] = [Bomb(), 1]
    forge(path, {"w": array, "velocity": np.zeros(2)})


def bare_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb()))


def outside(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../exploded", b"x")


def huge(path: Path) -> None:
    forge(path, {"w": np.zeros(2), "velocity": np.zeros(2)})
    with zipfile.ZipFile(path, "w") as archive, archive.open("w.npy", "w") as entry:
        np.lib.format.write_array_header_1_0(entry, {"descr": "<f8", "fortran_order": False, "shape": (1 << 45,)})
    described = path.with_name("checkpoint.json")
    content = json.loads(described.read_text())
    content["files"][path.name] = file_digest(path)
    content["digest"] = digest_of({key: value for key, value in content.items() if key != "digest"})
    described.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("state.npz", cut), ("state.npz", flip), ("best.npz", cut), ("checkpoint.json", cut), ("checkpoint.json", edit),
        ("checkpoint.json", lambda path: path.write_text("[" * 100_000)), ("state.npz", Path.unlink),
        ("state.npz", pickled), ("state.npz", bare_pickle), ("state.npz", outside), ("state.npz", huge),
        ("state.npz", lambda path: forge(path, {"w": np.zeros(3), "velocity": np.zeros(3)})),
        ("best.npz", lambda path: forge(path, {"weight_0": np.zeros(3)})),
        ("best.npz", lambda path: forge(path, {"../weight_0": np.zeros(2)})),
    ],
)  # fmt: skip
def test_what_was_changed_is_refused_and_the_one_before_is_taken(
    tmp_path: Path, end: End, name: str, damage: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoints"
    train(folder, KilledAfter(30))
    damage(folder / "last" / name)
    found, said, _ = train(folder)
    assert found == end
    assert str(folder / "last") in said[0] or "checkpoint: " in said[0]
    assert said[0].endswith("this checkpoint is not used")
    assert said[1] == f"continues after epoch 2, from {folder / 'previous'}"
    assert not list(tmp_path.rglob("*exploded*"))

    train(folder / "both", KilledAfter(30))
    for slot in ("last", "previous"):
        damage(folder / "both" / slot / name)
    found, said, _ = train(folder / "both")
    assert found == end
    assert len(said) == 2


def test_weights_of_another_model_are_refused_with_both_shapes(tmp_path: Path, monkeypatch: Any) -> None:
    train(tmp_path)
    monkeypatch.setattr("mlx.training.checkpoints.rebuild_model", lambda _: Line(3))
    with pytest.raises(ArtifactError, match=r"expected the weights of the model, \(\(3,\), .*, found \(\(2,\), "):
        load_checkpoint(tmp_path / "best")
    write_npz(tmp_path / "best" / "weights.npz", {"weight_1": np.zeros(3)})
    with pytest.raises(ArtifactError, match="expected weights numbered from 0, found weight_1"):
        load_checkpoint(tmp_path / "best")


def test_a_training_that_diverged_keeps_its_last_good_state_and_says_so_when_it_is_tried_again(tmp_path: Path) -> None:
    wild: dict[str, Any] = {"learning_rate": 2.2, "epochs": 99, "early_stopping_patience": None, "params": {}}
    with pytest.raises(SettingsError, match=r"found \S+ in epoch \d+"):
        train(tmp_path, **wild)
    assert (tmp_path / "last" / "state.npz").exists()
    assert np.isfinite(np.load(tmp_path / "last" / "state.npz")["w"]).all()
    said: list[str] = []
    settings = TrainingSettings.model_validate(SETTINGS | wild)
    checkpoints = Checkpoints(
        tmp_path, fingerprint={"training": settings.as_dict()}, frequency=1, description=DESCRIBED, report=said.append
    )
    with pytest.raises(SettingsError, match=r"found \S+ in epoch \d+"):
        fit_model(Line(), DATA, VALIDATION, settings, Silent(), checkpoints=checkpoints, augmentation=NOISE)
    assert said[0].startswith("continues after epoch ")
    assert "diverged in epoch" in said[1]
    _, said, _ = train(tmp_path)
    assert said[0].startswith("starts anew")
    assert len(said) == 1


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    path = tmp_path / "X.npy"
    np.save(path, np.arange(6.0))
    return {"X_train": path}


def test_a_fingerprint_tells_of_everything_that_decides_a_number(files: dict[str, Path], tmp_path: Path) -> None:
    def made(epochs: int = 3, augmentation: Augmentation = Augmentation(), **params: Any) -> dict[str, Any]:  # noqa: B008
        model = ModelSettings(name="cnn", params=params)
        task_spec = TaskSpec("classification", (2,), 2)
        return fingerprint(model, TrainingSettings(epochs=epochs), augmentation, task_spec, files)

    first = made()
    assert json.loads(json.dumps(first)) == first == made()
    assert difference(first, made(epochs=4)) == "training.epochs was 3 and is 4"
    assert difference(first, made(dropout=0.5)) == "model.params.dropout was 0.25 and is 0.5"
    assert difference(first, made(augmentation=Augmentation(flip=True))) == "augmentation.flip was false and is true"
    np.save(files["X_train"], np.arange(6.0) + 1)
    assert difference(first, made()) == "other data.X_train"
    assert first["version.keras"]
    assert difference(first | {"version.keras": "1"}, made(epochs=5)).count(",") == 2
