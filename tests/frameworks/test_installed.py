"""Names the tests of other frameworks that are skipped, and why."""

import pytest
from frameworks import NEEDS, absent


@pytest.mark.parametrize("name", NEEDS)
def test_the_frameworks_of_these_tests_are_installed(name: str) -> None:
    if lacking := absent(name):
        pytest.skip(f"{name} needs {', '.join(lacking)}; .ci/run tests it in an environment of its own")
