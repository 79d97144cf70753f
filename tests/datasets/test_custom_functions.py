"""One's own functions that make samples, and what is wrong with them."""

import pytest
from own_data import factors_of, opened, refused

from mlx.datasets import DatasetSettings

FUNCTION = """
import numpy as np
from dataclasses import dataclass

@dataclass
class Point:
    x: float

def make(n=30, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return rng.normal(size=(n, 2)) + y[:, None], y

def full(n=30):
    X, y = make(n)
    return {"X": X, "y": [str(k) for k in y], "class_names": ["2", "1", "0"], "factors": {"row": range(n)}}

def broken():
    return 1 / 0

def wrong():
    return [1, 2, 3]

def leave():
    raise SystemExit(3)

open("loaded", "w").close()

def halves():
    X, y = make()
    return {"X": X, "y": y % 2, "class_names": ["whole", chr(0xD800)]}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "own.py").write_text(FUNCTION)
    return folder


def test_a_function_makes_the_samples(repository):
    dataset = opened("own.py:make", arguments={"n": 60, "seed": 5})
    assert (dataset.n_samples, dataset.class_names) == (60, ("0", "1", "2"))
    dataset = opened("./own.py:full")
    assert dataset.class_names == ("2", "1", "0")
    assert factors_of(dataset)["row"].tolist() == list(range(30))
    assert not list(repository.glob("__pycache__"))


def test_a_function_changed_within_the_second_is_the_new_one(repository):
    assert opened("own.py:make").n_samples == 30
    (repository / "own.py").write_text(FUNCTION.replace("n=30", "n=40"))
    assert opened("own.py:make").n_samples == 40


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("own.py:mak", "expected a function mak in own.py, found none; did you mean 'make'"),
        ("own.py:np", "expected a function np in own.py, found none"),
        ("own.py:broken", "own.py:broken: failed in line 19: ZeroDivisionError"),
        ("own.py:leave", "own.py:leave: expected samples, found that it ended the program in line 25: SystemExit.3"),
        ("leaving.py:make", "leaving.py:make: .*found that it ended the program in line 1: SystemExit"),
        ("own.py:halves", r"own.py:halves: class_names: expected text, found U\+D800, no character, in row 1"),
        ("own.py:wrong", r"expected \(X, y\), or a dict of X, y .*; found a list"),
        ("no.py:make", "no.py: expected a Python file, found nothing there"),
        ("../outside.py:make", "expected a file in the repository, .*, found one outside of it"),
        ("link.py:make", "expected a file in the repository, .*, found one outside of it"),
        ("folder/outside.py:make", "expected a file in the repository, .*, found one outside of it"),
        ("bad.py:make", "bad.py:make: failed.*: SyntaxError"),
        ("lines.py:make", "lines.py:make: failed in line 1: ValueError: of two lines$"),
    ],
)
def test_a_function_that_can_not_be_used_says_why(repository, path, message):
    outside = repository.parent / "outside.py"
    outside.write_text("open('escaped', 'w')\n" + FUNCTION)
    (repository / "link.py").symlink_to(outside)
    (repository / "folder").symlink_to(repository.parent)
    (repository / "bad.py").write_text("def make(:")
    (repository / "leaving.py").write_text("raise SystemExit")
    (repository / "lines.py").write_text("raise ValueError('of\\ntwo lines')")
    refused(path, message)
    refused(f"{repository.parent}/outside.py:make", "found one outside of it")
    refused(f"{repository}/own.py:make", "expected a file in the repository")
    assert not (repository / "escaped").exists()


def test_unfit_arguments_are_the_function_s_error(repository):
    refused("own.py:make", "failed: TypeError: .*unexpected keyword argument 'm'", arguments={"m": 1})


@pytest.mark.parametrize("path", ["own.py", "own.py:", "own.pyc:make", "own:make", "own.py:make()", "own.py:a.b"])
def test_no_other_form_of_path_runs_anything(repository, path):
    refused(path, "expected an .npz")
    assert not (repository / "loaded").exists()
    DatasetSettings(name="custom", path="own.py:make")
    assert not (repository / "loaded").exists()
