"""The store is a recorder of the eventsourcing library: it passes the library's own test cases."""

import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.tests import persistence as library

from goal_ledger.adapters.store.postgres import PostgresStore
from goal_ledger.adapters.store.sqlite import SqliteStore
from tests.places import ServerPlace
from tests.postgres import Server


class _InAFile:
    """Stores of text ids, in a path that a careless URI would cut off."""

    def setUp(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="a?b#c%20d ")
        self._stores: list[SqliteStore] = []

    def tearDown(self) -> None:
        for store in self._stores:
            store.close()
        self._folder.cleanup()

    def create_recorder(self) -> Any:
        return self.opened(Path(self._folder.name) / "ledger.db")

    def opened(self, path: Path | None, **options: Any) -> SqliteStore:
        self._stores.append(SqliteStore(path, **options))
        return self._stores[-1]

    def new_originator_id(self) -> Any:
        return f"stream-{uuid.uuid4().hex}"


class _InMemory(_InAFile):
    def create_recorder(self) -> Any:
        return self.opened(None)


class _OfUuids(_InAFile):
    def create_recorder(self) -> Any:
        return self.opened(Path(self._folder.name) / "ledger.db", originator_id_type="uuid")

    def new_originator_id(self) -> Any:
        return uuid.uuid4()


class _InPostgres:
    """Stores of text ids on a server, each in a schema of its own."""

    @pytest.fixture(autouse=True)
    def _of_server(self, postgres: Server) -> None:
        self._server = postgres

    def setUp(self) -> None:
        self._stores: list[PostgresStore] = []

    def tearDown(self) -> None:
        for store in self._stores:
            store.close()

    def create_recorder(self) -> Any:
        store = ServerPlace(self._server).store()
        assert isinstance(store, PostgresStore)
        self._stores.append(store)
        return store

    def new_originator_id(self) -> Any:
        return f"stream-{uuid.uuid4().hex}"


class TestRecorderInPostgres(_InPostgres, library.ApplicationRecorderTestCase[Any]):
    pass


class TestOrderInPostgres(_InPostgres, library.NonInterleavingNotificationIDsBaseCase):
    pass


class TestRecorderInAFile(_InAFile, library.ApplicationRecorderTestCase[Any]):
    pass


class TestRecorderInMemory(_InMemory, library.ApplicationRecorderTestCase[Any]):
    pass


class TestRecorderOfUuids(_OfUuids, library.ApplicationRecorderTestCase[Any]):
    pass


class TestOrderInAFile(_InAFile, library.NonInterleavingNotificationIDsBaseCase):
    pass


class TestOrderInMemory(_InMemory, library.NonInterleavingNotificationIDsBaseCase):
    pass


class TestOrderOfUuids(_OfUuids, library.NonInterleavingNotificationIDsBaseCase):
    pass
