"""Makes a stage run the `mlx` beside it, whose files DVC records, wherever another one is installed."""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]

# Before the first place with another mlx, and no further: a file of the user's in ROOT hides no module of Python.
others = (i for i, place in enumerate(sys.path) if PathFinder.find_spec("mlx", [place]))
sys.path.insert(next(others, len(sys.path)), str(ROOT))

import mlx  # noqa: E402  # the path had to be set first

beside, found = ROOT / "mlx" / "__init__.py", Path(mlx.__file__ or "a folder without __init__.py")
if not (beside.exists() and found.exists() and found.samefile(beside)):
    sys.exit(
        f"{beside}: expected this stage to import the mlx beside it, found {found}, so that DVC would record code that "
        "did not run; uninstall that mlx, or start Python without what imports it"
    )
