"""Reports for the tests of figures and page."""

import pytest
from made_reports import make_classification, make_regression


@pytest.fixture(scope="session")
def classification():
    """Build the report of a classification with any names, sizes and quirks."""
    return make_classification


@pytest.fixture(scope="session")
def regression():
    return make_regression
