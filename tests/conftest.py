"""What every test has: hypothesis without a clock, failing examples printed with their seed, places for ledgers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.places import PLACES, Place
from tests.postgres import Server, running
from tests.signals import pass_on_none_ignored

settings.register_profile(
    "house", deadline=None, print_blob=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
pass_on_none_ignored()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    with running() as server:
        yield server


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a ledger can be: once per store."""
    return PLACES[request.param](tmp_path, lambda: request.getfixturevalue("postgres"))
