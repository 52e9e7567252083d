"""Settings and fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

# Timing belongs to benchmarks: a busy machine must not fail a property. CI repeats the same
# examples each time, so that a red run means the change and not the draw.
settings.register_profile("explore", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "explore")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the directory of recorded venue data, or skip the test where there is none.

    The recordings are not part of the repository: $PLIMSOLL_DATA names them, or they lie in
    `shared/data` beside the checkout.
    """
    named = os.environ.get("PLIMSOLL_DATA")
    directory = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not directory.is_dir():
        pytest.skip(f"no recordings in {directory}; set PLIMSOLL_DATA to their directory")
    return directory
