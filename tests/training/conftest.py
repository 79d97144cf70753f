"""The end of a short training."""

import pytest
from short_training import End, train


@pytest.fixture(scope="module")
def end(tmp_path_factory: pytest.TempPathFactory) -> End:
    whole = train(tmp_path_factory.mktemp("whole"))[0]
    assert len(whole[1]) > 5
    assert whole[2] < len(whole[1])  # it stops early, and goes back
    return whole
