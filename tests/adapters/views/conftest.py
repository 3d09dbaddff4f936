"""Homes of read models: once per place where they can be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.views.homes import HOMES, KEPT, Home
from tests.postgres import Server


def _home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    def server() -> Server:
        found: Server = request.getfixturevalue("postgres")
        return found

    home = HOMES[request.param](tmp_path, server)
    yield home
    home.log.close()


@pytest.fixture(params=HOMES)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """Wherever views can be."""
    yield from _home(request, tmp_path)


@pytest.fixture(params=KEPT)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """Wherever they outlive the process that folds them, and others see them."""
    yield from _home(request, tmp_path)
