"""Where paths of one's own data lead: from the root of the repository, and to files alone."""

import os
from pathlib import Path

import numpy as np
import pytest
from own_data import X, Y, everything, opened, refused

from mlx.cli import main
from mlx.core.paths import from_root, what_is
from mlx.plots.report.shared import draw_samples

MAKE = """
import numpy as np
def make(k=3):
    return np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % k
"""
STUDY = """
name: mine
dataset: {name: custom, path: data/t.csv, params: {target: y}}
model: {name: random_forest}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub" / "data").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    for folder, k in (("data", 3), ("sub/data", 2)):
        np.savez(tmp_path / folder / "a.npz", X=X, y=np.arange(30) % k)
        np.save(tmp_path / folder / "X.npy", X)
        np.save(tmp_path / folder / "y.npy", np.arange(30) % k)
        np.save(tmp_path / folder / "z.npy", np.arange(30) % k)
        rows = "".join(f"{x},c{i % k}\n" for i, x in enumerate(X[:, 0]))
        (tmp_path / folder / "t.csv").write_text(f"x,y\n{rows}")
        (tmp_path / folder / "m.csv").write_text("n\n" + f"{k}\n" * 30)
        code = tmp_path / folder.replace("data", "code")
        code.mkdir()
        (code / "own.py").write_text(MAKE.replace("k=3", f"k={k}"))
        for name in "abc"[:k]:
            (tmp_path / folder / "images" / name).mkdir(parents=True)
            write_image(tmp_path / folder / "images" / name / "0.png")
    monkeypatch.chdir(tmp_path / "sub")
    return tmp_path


def write_image(path):
    from PIL import Image

    Image.new("RGB", (8, 8)).save(path)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("data/a.npz", {}),
        ("data", {}),
        ("data/X.npy", {"target": "y.npy"}),
        ("data/X.npy", {"target": "data/z.npy"}),
        ("data/t.csv", {"target": "y"}),
        ("data/images", {}),
        ("code/own.py:make", {}),
        ("data/a.npz", {"metadata": "data/m.csv"}),
    ],
)
def test_every_source_is_read_from_the_root_of_the_repository(repository, path, params):
    dataset = opened(path, **params)
    everything(dataset)
    assert len(dataset.class_names) == 3
    if "metadata" in params:
        assert next(dataset.blocks(30)).factors["n"].tolist() == [3] * 30


def test_outside_of_a_repository_and_at_home_paths_lead_where_one_expects(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert from_root("a/b") == Path("a/b")
    assert from_root("~/b") == tmp_path / "home" / "b"
    assert from_root(tmp_path / "c") == tmp_path / "c"
    assert from_root("~nobody-of-this-name/b") == Path("/~nobody-of-this-name/b")


def test_show_data_draws_what_a_run_would_use(repository, capsys, monkeypatch):
    drawn = []

    def keep(X, y, class_names, *rest):
        drawn.append(class_names)
        return draw_samples(X, y, class_names, *rest)

    monkeypatch.setattr("mlx.runs.preview.draw_samples", keep)
    monkeypatch.setattr("mlx.runs.preview.render_png", lambda *_: b"png")
    (repository / "study.yaml").write_text(STUDY)
    main(["show-data", "--config", "../study.yaml"])
    assert drawn == [("c0", "c1", "c2")]
    assert capsys.readouterr().out.splitlines()[-1] == "samples.png"
    assert (repository / "sub" / "samples.png").read_bytes() == b"png"
    (repository / "study.yaml").write_text(STUDY.replace("target: y", "target: y, class_names: [a, b]"))
    with pytest.raises(SystemExit, match=r"^\.\./study\.yaml:3: dataset\.params\.class_names: expected"):
        main(["show-data", "--config", "../study.yaml"])
    (repository / "study.yaml").write_text(STUDY)
    (repository / "data" / "t.csv").unlink()
    for command in (["show-data"], ["run-experiment", "--dry-run"]):
        with pytest.raises(SystemExit) as caught:
            main([*command, "--config", "../study.yaml"])
        assert f"{repository.resolve() / 'data' / 't.csv'}: expected an .npz, " in str(caught.value)
        assert "found nothing there" in str(caught.value)


def test_the_whole_path_is_named_where_nothing_is(repository):
    root = repository.resolve()
    refused("no.csv", f"dataset.path: {root}/no.csv: expected an .npz.*, found nothing there")
    refused("data/X.npy", f"{root}/no.npy: expected an .npy file with the targets, found nothing", target="no.npy")
    refused("data/a.npz", f"{root}/no.csv: expected a table, found nothing there", metadata="no.csv")
    refused("no.py:make", f"dataset.path: {root}/no.py: expected a Python file, found nothing there")
    for path in ("$HOME/a.npz", "C:\\data\\a.npz", "s3://data/a.npz"):
        refused(path, "found nothing there; (variables are not|that is a path of Windows|that is an address)")


@pytest.mark.parametrize("name", ["p.csv", "p.npz", "p.npy", "p.parquet", "p"])
def test_a_pipe_is_named_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    refused(tmp_path / name, "expected an .npz, .*, found a pipe", target="y")
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    os.mkfifo(tmp_path / "m.csv")
    refused(tmp_path / "a.npz", "m.csv: expected a table, found a pipe", metadata=str(tmp_path / "m.csv"))
    np.save(tmp_path / "X.npy", X)
    os.mkfifo(tmp_path / "y.npy")
    refused(tmp_path / "X.npy", "y.npy: expected an .npy file with the targets, found a pipe", target="y.npy")
    refused(tmp_path, "y.npy: expected an .npy file with the targets, found a pipe")


def test_what_is_at_a_path_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    found = {name: what_is(tmp_path / name) for name in ("", "file", "loop", "pipe", "no")}
    assert list(found.values()) == ["a folder", "a file", "a link that leads nowhere", "a pipe", "nothing there"]
    assert what_is(Path("/dev/null")) == "a device"
