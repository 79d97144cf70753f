"""The checks of axe-core, which find what keeps people with other senses and devices from reading a page."""

import hashlib
import subprocess
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path

import pytest

AXE = "axe-core@4.14.1"
AXE_INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="


def axe_of(config: pytest.Config) -> str:
    """The script, from npm once, then from pytest's cache."""
    kept = Path(config.cache.mkdir("axe-core")) / f"{AXE}.js"
    if not kept.exists():
        with tempfile.TemporaryDirectory() as folder:
            kept.write_bytes(fetched(Path(folder)))
    return kept.read_text(encoding="utf-8")


def fetched(folder: Path) -> bytes:
    try:
        subprocess.run(["npm", "pack", AXE, "--silent"], cwd=folder, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.fail(f"the accessibility tests need npm and, the first time, a network to fetch {AXE}: {error}", False)
    archive = next(folder.glob("*.tgz"))
    digest = b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == AXE_INTEGRITY, "another file than the one that these tests were written with"
    with tarfile.open(archive) as content:
        return content.extractfile("package/axe.min.js").read()


def faults(driver, axe: str) -> list[tuple[str, str, str]]:
    """What is wrong with the page that is open: rule, element, and what to do."""
    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    assert len(found["passes"]) > 15
    return [(rule["id"], node["html"][:120], node["failureSummary"][:300]) for rule in found["violations"]
            for node in rule["nodes"]]  # fmt: skip
