"""The ledger's server: how it is named, who is let in, what is refused, and that no password is told."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from goal_ledger.adapters.backends.backend import Backend
from goal_ledger.adapters.backends.postgres import at
from goal_ledger.adapters.store.postgres import FORMAT
from goal_ledger.ledger import Invalid, Ledger, LedgerError, NotFound, Unavailable
from goal_ledger.ledger.engine.location import locate
from tests.places import ServerPlace
from tests.postgres import Server
from tests.tools import recorded


@pytest.fixture
def place(postgres: Server) -> ServerPlace:
    return ServerPlace(postgres)


@pytest.fixture
def made(place: ServerPlace) -> ServerPlace:
    with Ledger.open(place.url, actor="test:server") as ledger:
        ledger.goals.create("A")
    return place


def refusal(url: str | Backend, **options: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        Ledger.open(url, actor="test:server", **options).close()
    return refused.value


# --- How it is named


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://ana@db/goals", "postgresql://ana@db/goals?schema=goal_ledger"),
        ("postgres://ana@db/goals?schema=team_a", "postgresql://ana@db/goals?schema=team_a"),
        ("postgresql://ana:secret@db:5433/goals?sslmode=require", "postgresql://ana@db:5433/goals?schema=goal_ledger"),
        ("postgresql://ana:s%40cret@a:1,b:2/goals", "postgresql://ana@a:1,b:2/goals?schema=goal_ledger"),
        ("postgresql:///goals?host=/run/pg&user=ana&password=secret&sslpassword=secret",
         "postgresql:///goals?host=/run/pg&user=ana&schema=goal_ledger"),
    ],
)  # fmt: skip
def test_a_url_is_told_without_what_may_be_secret(url: str, name: str):
    backend = at(url)
    assert (backend, backend.name) == (locate(url), name)
    assert "cret" not in f"{backend!r} {backend}"
    assert "schema" not in backend.url


@pytest.mark.parametrize("schema", ["A", "1a", "", "a-b", 'a"b', "a" * 42, "a&schema=b", "a;drop", "%00"])
def test_a_schema_is_a_plain_name(schema: str):
    error = refusal(f"postgresql://ana@nowhere.invalid/goals?schema={schema}")
    assert (type(error), error.code) == (Invalid, "bad_url")


@pytest.mark.parametrize("tail", ["sec%zzret@db/goals", "secret@db/goals?colour=secret"])
def test_a_url_that_cannot_be_understood_is_refused_without_quoting_it(tail: str):
    error = refusal(f"postgresql://ana:{tail}")
    assert (type(error), error.code) == (Invalid, "bad_url")
    assert "sec" not in f"{error} {error.hint} {error.__cause__}"


def test_a_ledger_says_where_it_is(made: ServerPlace):
    with Ledger.open(made.url) as ledger:
        stats = ledger.log.stats()
        assert (ledger.path, stats.path, stats.events) == (None, locate(made.url).name, 2)


# --- Who is let in


def test_a_server_that_is_not_there_cannot_be_opened():
    for url in ("postgresql://ana:secret@127.0.0.1:1/goals", "postgresql:///goals?host=/nowhere&password=secret"):
        error = refusal(url)
        assert (type(error), error.code, error.exit_code) == (Unavailable, "cannot_open", 1)
        assert "secret" not in f"{error} {error.hint} {error.__cause__!r} {error.__context__!r}"


def test_an_unknown_database_or_user_cannot_be_opened(place: ServerPlace):
    assert refusal(place.url.replace("/postgres?", "/nothing?")).code == "cannot_open"
    assert "nobody_here" in refusal(place.url.replace("tester@", "nobody_here@")).message


def test_a_wrong_password_cannot_be_opened_and_the_right_one_can(made: ServerPlace):
    server = made.server
    if not server.is_ours:
        pytest.skip("needs a server whose users we may choose")
    server.ask("DROP ROLE IF EXISTS locked")
    server.ask("CREATE ROLE locked SUPERUSER LOGIN PASSWORD 'right'")
    wrong, right = (made.url.replace("tester@", f"locked:{password}@") for password in ("wr0ng", "right"))
    error = refusal(wrong)
    assert (type(error), error.code) == (Unavailable, "cannot_open")
    assert "password" in error.message and "wr0ng" not in f"{error} {error.__cause__!r}"
    with Ledger.open(right) as ledger:
        assert "right" not in ledger.log.stats().path
        assert ledger.log.verify() == 2


@pytest.fixture
def role(made: ServerPlace) -> Iterator[str]:
    """A role of no rights."""
    name = f"{made.schema}_app"
    made.server.ask(f"CREATE ROLE {name} LOGIN")
    yield name
    made.server.ask(f"DROP OWNED BY {name}")
    made.server.ask(f"DROP ROLE {name}")


def test_an_application_needs_few_rights_and_cannot_change_an_event(made: ServerPlace, role: str):
    if not made.server.is_ours:
        pytest.skip("needs a server whose users we may choose")
    schema = made.schema
    for grant in (
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"GRANT INSERT ON {schema}.stored_events, {schema}.commands TO {role}",
        f"GRANT UPDATE ON {schema}.ledger_head TO {role}",
    ):
        made.server.ask(grant)
    url = made.url.replace("tester@", f"{role}@")
    with Ledger.open(url, actor="test:app") as ledger:
        assert ledger.using(command_id="c").goals.create("B").position == 3
        assert ledger.log.verify() == 3
        for statement in ("UPDATE stored_events SET topic = 'x'", "DELETE FROM stored_events", "TRUNCATE commands",
                          "UPDATE commands SET digest = 'x'", "DROP TRIGGER events_are_never_changed ON stored_events",
                          "ALTER TABLE stored_events DISABLE TRIGGER ALL"):  # fmt: skip
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                made.server.ask(f"SET ROLE {role}; {statement}", url=made.url)
        assert ledger.log.verify() == 3


def test_without_rights_it_is_said_who_can_help(made: ServerPlace, role: str):
    if not made.server.is_ours:
        pytest.skip("needs a server whose users we may choose")
    url = made.url.replace("tester@", f"{role}@")
    error = refusal(url)
    assert (type(error), error.code) == (Unavailable, "not_writable")
    assert "permission denied" in error.message and error.hint == "ask its owner for the missing rights"
    error = refusal(url.replace(f"schema={made.schema}", f"schema={made.schema}x"))  # nor may it make one
    assert (type(error), error.code) == (Unavailable, "not_writable")
    made.server.ask(f"GRANT USAGE ON SCHEMA {made.schema} TO {role}")
    made.server.ask(f"GRANT SELECT ON ALL TABLES IN SCHEMA {made.schema} TO {role}")
    with Ledger.open(url, read_only=True) as ledger:
        assert (len(recorded(ledger)), ledger.log.verify()) == (2, 2)
    with Ledger.open(url) as ledger:
        with pytest.raises(Unavailable) as refused:
            ledger.goals.create("B")
        assert refused.value.code == "not_writable"


def test_a_server_that_can_only_be_read_is_read(made: ServerPlace, role: str):
    made.server.ask(f"ALTER ROLE {role} SUPERUSER")
    made.server.ask(f"ALTER ROLE {role} SET default_transaction_read_only = on")
    url = made.url.replace("tester@", f"{role}@")
    if url == made.url:
        pytest.skip("needs a server whose users we may choose")
    error = refusal(url)
    assert (type(error), error.code) == (Unavailable, "not_writable")
    with Ledger.open(url, read_only=True) as ledger:
        assert len(ledger.goals.list().rows) == 1
        assert ledger.log.verify() == 2


# --- What is refused


@pytest.mark.parametrize("options", [{"read_only": True}, {"create": False}], ids=str)
def test_what_is_not_there_is_not_found_and_not_made(place: ServerPlace, options: Any):
    error = refusal(place.url, **options)
    assert (type(error), error.code, error.exit_code) == (NotFound, "no_ledger", 5)
    assert place.server.ask("SELECT 1 FROM pg_namespace WHERE nspname = %s", (place.schema,)) == []


def test_a_newer_format_is_refused(made: ServerPlace):
    made.run(f"UPDATE ledger_format SET version = {FORMAT + 1}")
    error = refusal(made.url)
    assert (type(error), error.code, error.hint) == (Unavailable, "newer_format", "upgrade")


def test_tables_of_somebody_else_are_refused_and_left_as_they_were(place: ServerPlace):
    place.server.ask(f"CREATE SCHEMA {place.schema}")
    place.run("CREATE TABLE stored_events (theirs TEXT)")
    error = refusal(place.url)
    assert (type(error), error.code) == (Unavailable, "not_a_ledger")
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
    assert place.server.ask(tables, (place.schema,)) == [("stored_events",)]


def test_other_tables_may_stand_beside_a_ledgers(place: ServerPlace):
    place.server.ask(f"CREATE SCHEMA {place.schema}")
    place.run("CREATE TABLE customers (name TEXT)")
    with Ledger.open(place.url, actor="test:server") as ledger:
        assert ledger.log.verify() == 1


@pytest.mark.parametrize(
    "meddle",
    ["DROP TRIGGER events_are_never_changed ON stored_events", "ALTER TABLE stored_events DISABLE TRIGGER ALL",
     "ALTER TABLE stored_events ENABLE TRIGGER events_are_never_changed"],
)  # fmt: skip
def test_a_trigger_that_does_not_always_guard_the_log_is_found(made: ServerPlace, meddle: str):
    made.run(meddle)
    with Ledger.open(made.url) as ledger, pytest.raises(LedgerError) as refused:
        ledger.log.verify()
    assert refused.value.message == "the triggers that keep the log append-only are gone"


def test_the_log_cannot_be_emptied_nor_changed_by_a_replica(made: ServerPlace):
    with pytest.raises(made.refused, match="append-only"):
        made.run("TRUNCATE stored_events")
    with pytest.raises(made.refused, match="append-only"):
        made.run("SET session_replication_role = replica; DELETE FROM stored_events")


def test_without_the_driver_it_is_said_what_to_install():
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from goal_ledger.ledger import Ledger, Unavailable\n"
        "try: Ledger.open('postgresql://ana:secret@db/goals')\n"
        "except Unavailable as error: print(error.code, error.hint)\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "missing_extra pip install 'goal-ledger[postgres]'\n"


# --- A dump, and a standby


def test_a_dump_restores_the_ledger_with_its_guards(made: ServerPlace):
    server = made.server
    if not server.is_ours:
        pytest.skip("needs the programs that dump and restore")
    dump = server.program("pg_dump", "--schema", made.schema, "postgres")
    server.program("createdb", made.schema)
    server.program("psql", "--quiet", "--set=ON_ERROR_STOP=1", made.schema, told=dump)
    restored = made.url.replace("/postgres?", f"/{made.schema}?")
    with Ledger.open(made.url) as ledger, Ledger.open(restored, actor="test:server", create=False) as again:
        assert (again.log.verify(), recorded(again)) == (2, recorded(ledger))
        again.goals.create("Life goes on")
        assert again.log.verify() == 3
        with pytest.raises(made.refused, match="append-only"), psycopg.connect(drivers_url(restored)) as connection:
            connection.execute(f"DELETE FROM {made.schema}.stored_events".encode())


def drivers_url(url: str) -> str:
    """The url without its schema, as the driver takes it."""
    return at(url).url


def test_a_standby_is_read_and_followed_and_takes_no_writes(made: ServerPlace):
    if not made.server.is_ours:
        pytest.skip("needs a server of which a standby can be made")
    with made.server.standby() as url:
        there = made.url.replace(made.server.url, url)
        error = refusal(there)
        assert (type(error), error.code) == (Unavailable, "not_writable")
        heard: list[int] = []
        stop = threading.Event()

        def hear(position: int) -> None:
            heard.append(position)
            if position == 3:
                stop.set()

        with Ledger.open(there, read_only=True) as standby, Ledger.open(made.url, actor="test:server") as ledger:
            assert (standby.log.verify(), len(standby.goals.list().rows)) == (2, 1)
            ledger.goals.create("B")
            standby.follow(lambda event: hear(event.position), stop=stop)
        assert heard == [1, 2, 3]
