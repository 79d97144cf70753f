"""The location of each artifact: the layout that a run directory and the DVC workspace share."""

import os
import re
from dataclasses import dataclass
from pathlib import Path


def repository_root() -> Path:
    """Return the nearest repository of git or DVC, from the current folder upward; otherwise the current folder."""
    here = Path.cwd().resolve()
    return next((folder for folder in (here, *here.parents) if any((folder / name).exists() for name in MARKERS)), here)


MARKERS = (".git", ".dvc")


def foreign_path(path: str) -> str | None:
    """Return why `path` is not read as another system or a shell would read it; None if it is.

    A leading ``~`` is expanded.
    """
    if re.match(r"[A-Za-z]:|\\", path):
        return "that is a path of Windows, and this system has none"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        return "that is an address, and only folders and files are read and written"
    if re.search(r"\$[A-Za-z_{(]|%[A-Za-z_][A-Za-z_0-9()]*%", path):
        return "variables are not replaced in a configuration"
    return "a path here is written with /" if "\\" in path else None


def expanded(path: str | Path) -> Path:
    """Return `path` with a leading ``~`` or ``~user`` replaced by the home directory."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # unknown user: a path that can't exist, rather than a folder "~name" below this one
        return Path("/") / path


def from_root(path: str | Path) -> Path:
    """Return a path in a configuration, which is relative to the root of the repository, and may begin with ``~``.

    A relative path remains relative if the current folder is the root.
    """
    given, root = expanded(path), repository_root()
    return given if given.is_absolute() or root == Path.cwd().resolve() else root / given


def what_is(path: Path) -> str:
    """Return what is at `path`, with an article, for messages."""
    if path.is_symlink() and not path.exists():
        return "a link that leads nowhere"
    kinds = {
        "a folder": path.is_dir(),
        "a file": path.is_file(),
        "a pipe": path.is_fifo(),
        "a socket": path.is_socket(),
        "a device": path.is_char_device() or path.is_block_device(),
    }
    return next((name for name, holds in kinds.items() if holds), _nothing_at(path))


def _nothing_at(path: Path) -> str:
    """Return that nothing is there, with the reason and a remedy if they are known."""
    root = repository_root()
    given = os.path.relpath(path, root)
    if (reason := foreign_path(given)) is not None:
        return f"nothing there; {reason}"
    if given.startswith(".."):
        return "nothing there"
    if "/.dvc/tmp/exps/" in root.as_posix():
        if (root / f"{given}.dvc").is_file():
            return (
                "nothing there; DVC tracks it, and brings it into the temporary copy that this experiment runs in if "
                "'dvc exp run' names no stage, or if 'mlx watch' made it a dependency"
            )
        track = f"'git add {given}'" if path.suffix == ".py" else f"'dvc add {given}' and 'git add {given}.dvc'"
        return (
            "nothing there; this is the temporary copy of the repository that an experiment of DVC runs in, and only "
            f"tracked files come along: track it ({track}), have it copied ('dvc exp run --temp --copy-paths {given}', "
            "or with --queue), or set an absolute path"
        )
    if (root / ".git").is_file() and "/worktrees/" in (root / ".git").read_text(encoding="utf-8", errors="replace"):
        return (
            "nothing there; this is a git worktree, and only tracked files come along: copy it here, or set an "
            "absolute path; 'dvc checkout' brings what DVC tracks"
        )
    return "nothing there"


CROSS_FIT = "cross_fit"
"""The folder, in ``data/model/`` and ``data/representations/``, of outputs of models not trained on the sample."""

NUMBERS = "numbers.npy"
"""In ``data/raw/``, where only some samples are there: their numbers, in the order of ``X.npy``."""

TEXTS = "texts.parquet"
"""In ``data/raw/``: the texts of samples that are texts, by their number (``index``)."""


@dataclass(frozen=True)
class Workspace:
    """The folder that holds a study's ``data/`` and ``metrics/``."""

    root: Path

    @property
    def lock(self) -> Path:
        """The lock file, empty, in ``data/`` as git ignores that folder."""
        return self.root / "data" / ".lock"

    def lock_of(self, step: str) -> Path:
        """The lock file of a stage; DVC may run independent stages at the same time."""
        return self.root / "data" / f".{step}.lock"

    @property
    def raw(self) -> Path:
        """Output of ``generate-data``: X, y, ``dataset.json`` and, if known, the factors."""
        return self.root / "data" / "raw"

    @property
    def splits(self) -> Path:
        """Output of ``preprocess-split``: the three parts, scaled, with each row's index in raw."""
        return self.root / "data" / "splits"

    @property
    def model(self) -> Path:
        """Output of ``train``: the weights and ``model.json``."""
        return self.root / "data" / "model"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints from which a training continues; no DVC output, so that DVC never deletes them."""
        return self.root / "checkpoints"

    @property
    def live(self) -> Path:
        """Live metrics of a training; no DVC output either, as they exist before its end."""
        return self.root / "dvclive"

    @property
    def representations(self) -> Path:
        """Output of ``extract-representations``: layers, logits and predictions, a folder for each part of the data."""
        return self.root / "data" / "representations"

    @property
    def residuals(self) -> Path:
        """Output of ``residuals-analysis``: tables of samples, classes, tests and so on."""
        return self.root / "data" / "residuals"

    @property
    def report(self) -> Path:
        """Output of ``report``: ``plots/*.png`` and ``report.html``."""
        return self.root / "data" / "report"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The output folders of the steps in ``data/``, in order."""
        return self.raw, self.splits, self.model, self.representations, self.residuals, self.report

    @property
    def metrics(self) -> Path:
        """Small JSON and CSV files that are kept in git."""
        return self.root / "metrics"
