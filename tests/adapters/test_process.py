"""Processes by name: what sessions and builders wrote, read again."""

import os
import socket
import time
from subprocess import PIPE

import pytest

from goal_ledger.adapters.process import is_alive, named, runs, this_process
from goal_ledger.adapters.views.lease import is_held, new_builder
from tests.tools import python

HOST = socket.gethostname()


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that has ended."""
    child = python("pass")
    child.communicate()
    return child.pid


def test_a_process_is_known_by_more_than_its_number(gone: int):
    me = this_process()
    host, number, began = me.split("/")
    assert (host, int(number)) == (HOST, os.getpid())
    assert is_alive(me) is True
    assert is_alive(f"{host}/{number}/{began}1") is False  # another one that has its number now
    assert is_alive(f"{host}/{gone}/7") is False
    assert is_alive("elsewhere/1/2") is None


def test_a_process_of_somebody_else_is_alive(monkeypatch):
    def refuse(number: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert is_alive(this_process()) is True and runs(named("x")) is True


def test_where_asking_would_end_a_process_nobody_is_asked(monkeypatch):
    def end(number: int, signal: int) -> None:
        raise AssertionError("it is no more")

    me, builder = this_process(), new_builder()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "kill", end)
        elsewhere.setattr(os, "name", "nt")
        answers = [is_alive(me), runs(builder)]
    assert answers == [None, None]


def test_a_child_that_has_ended_is_dead_before_its_parent_takes_notice():
    tell = "from goal_ledger.adapters.process import this_process; print(this_process(), flush=True); input()"
    with python(tell, stdin=PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        name = child.stdout.readline().strip()
        assert is_alive(name) is runs(name) is True
        child.stdin.write("\n")
        child.stdin.flush()
        until = time.monotonic() + 30
        while is_alive(name) and time.monotonic() < until:
            time.sleep(0.01)
        assert is_alive(name) is False and runs(name) is True  # its number is not free yet
    assert is_alive(name) is runs(name) is False


@pytest.mark.parametrize("mark", ["0badcafe", "12345678", "4711"])
def test_a_builder_holds_its_table_whatever_its_mark(gone: int, mark: str):
    until = time.time() + 20
    assert is_held(named(mark), until) is True
    assert is_held(f"{HOST}/{gone}/{mark}", until) is False
    assert is_held(f"elsewhere/{gone}/{mark}", until) is True
    assert is_held(None, None) is False


def test_no_two_builders_of_a_process_have_one_name():
    names = {new_builder() for _ in range(100)}
    assert len(names) == 100
    assert {name.rpartition("/")[0] for name in names} == {f"{HOST}/{os.getpid()}"}
