"""Where each artifact lives: the one shape that a run directory and the DVC workspace share."""

import os
import re
from dataclasses import dataclass
from pathlib import Path


def repository_root() -> Path:
    """Return the nearest folder, from the current one upward, that git or DVC keeps; else the current one."""
    here = Path.cwd().resolve()
    return next((folder for folder in (here, *here.parents) if any((folder / name).exists() for name in KEPT)), here)


KEPT = (".git", ".dvc")


def foreign_path(path: str) -> str | None:
    """Return why `path` is not taken as it was meant on another system or by a shell; None where it is plain.

    A leading ``~`` is plain: it is expanded.
    """
    if re.match(r"[A-Za-z]:|\\", path):
        return "that is a path of Windows, and this system has none"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        return "that is an address, and only folders and files are read and written"
    if re.search(r"\$[A-Za-z_{(]|%[A-Za-z_][A-Za-z_0-9()]*%", path):
        return "variables are not replaced in a configuration"
    return "a path here is written with /" if "\\" in path else None


def expanded(path: str | Path) -> Path:
    """Return `path` with a leading ``~`` replaced by the home of the user, or of the one that it names."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # nobody of that name: a path that can't be there, and no folder called "~name" below this one
        return Path("/") / path


def from_root(path: str | Path) -> Path:
    """Return where a path in a configuration leads: from the root of the repository, wherever the work is done.

    ``~`` is the home of the user. A relative path stays one where the current folder is the root.
    """
    given, root = expanded(path), repository_root()
    return given if given.is_absolute() or root == Path.cwd().resolve() else root / given


def what_is(path: Path) -> str:
    """Return what is at `path`, with an article: nothing else than a file can be read from its start to its end."""
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
    """Say that nothing is there; and why, and what to do about it, where that is known."""
    root = repository_root()
    given = os.path.relpath(path, root)
    if (reason := foreign_path(given)) is not None:
        return f"nothing there; {reason}"
    if given.startswith(".."):
        return "nothing there"
    if "/.dvc/tmp/exps/" in root.as_posix():
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


@dataclass(frozen=True)
class Workspace:
    """The folder that holds a study's ``data/`` and ``metrics/``."""

    root: Path

    @property
    def lock(self) -> Path:
        """Locked by the process that works here; an empty file, beside the artifacts as git ignores that folder."""
        return self.root / "data" / ".lock"

    def lock_of(self, step: str) -> Path:
        """Locked by a stage of the pipeline; DVC may run stages that don't depend on each other at once."""
        return self.root / "data" / f".{step}.lock"

    @property
    def raw(self) -> Path:
        """What ``generate-data`` writes: X, y, ``dataset.json`` and, where known, the factors."""
        return self.root / "data" / "raw"

    @property
    def splits(self) -> Path:
        """What ``preprocess-split`` writes: the three parts, scaled, with each row's index in raw."""
        return self.root / "data" / "splits"

    @property
    def model(self) -> Path:
        """What ``train`` writes: the checkpoint and ``model.json``."""
        return self.root / "data" / "model"

    @property
    def checkpoints(self) -> Path:
        """What a training that goes on leaves for one that continues it; no DVC output, so DVC never deletes it."""
        return self.root / "checkpoints"

    @property
    def live(self) -> Path:
        """What a training shows of itself while it goes on; no DVC output either, as it is there before its end."""
        return self.root / "dvclive"

    @property
    def representations(self) -> Path:
        """What ``extract-representations`` writes: layers, logits and predictions of the test split."""
        return self.root / "data" / "representations"

    @property
    def residuals(self) -> Path:
        """What ``residuals-analysis`` writes: tables a row a sample, a class, a test."""
        return self.root / "data" / "residuals"

    @property
    def report(self) -> Path:
        """What ``report`` writes: ``plots/*.png`` and ``report.html``."""
        return self.root / "data" / "report"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in ``data/`` that the steps write, in their order."""
        return self.raw, self.splits, self.model, self.representations, self.residuals, self.report

    @property
    def metrics(self) -> Path:
        """Small JSON and CSV files that are kept in git."""
        return self.root / "metrics"
