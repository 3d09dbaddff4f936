"""Signatures: the same failure has the same one, whatever differs from one time to the next."""

import string
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.ids import new_id
from goal_ledger.domain.learning.signature import LONGEST_ERROR, LONGEST_TASK, normalised, signature

NOW = datetime(2026, 2, 24, tzinfo=UTC)

names = st.text(string.ascii_letters + string.digits + "-_.", min_size=1, max_size=12).map(lambda name: f"x{name}x")
values = st.fixed_dictionaries(
    {
        "n": st.integers(0, 10**12).map(str) | st.decimals(0, 10**6, places=3).map(str),
        "size": st.builds("{} {}".format, st.integers(0, 10**6), st.sampled_from(["KB", "MB", "gb", "ms", "s", "%"])),
        "path": st.lists(names, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)),
        "url": st.builds("https://{}.example/{}?page={}".format, names, names, st.integers(0, 99)),
        "time": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat().replace("+00:00", "Z")),
        "uuid": st.uuids().map(str),
        "id": st.binary(min_size=10, max_size=10).map(
            lambda drawn: new_id("grun_", datetime(2026, 2, 24, tzinfo=UTC), drawn)
        ),
        "user": st.integers(0, 999).map(lambda number: f"'user {number}'"),
    }
)

TEMPLATE = (
    "Copying {path} to {url} failed after {n} tries at {time}: {size} of {n} left for {user} ({uuid}, run {id}), retry"
)


@given(values, values)
def test_numbers_paths_urls_times_and_ids_make_no_difference(one, other):
    assert normalised(TEMPLATE.format(**one), 1000) == normalised(TEMPLATE.format(**other), 1000)


@given(st.text(max_size=400) | st.text("ab/\\.:'\"`<>0fx -_\n", max_size=80), st.integers(5, 200))
def test_normalising_once_more_changes_nothing(text, longest):
    once = normalised(text, longest)
    assert normalised(once, longest) == once
    assert len(once) <= longest


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_a_signature_is_short(task, error):
    made = signature(task, "tool_error", error)
    assert len(made) <= LONGEST_TASK + LONGEST_ERROR + len(" · tool_error · ")
    assert made == " ".join(made.split())


@pytest.mark.parametrize(
    ("text", "common"),
    [
        ("Disk full on /var/lib/dump-17.sql (12.5 GB left)", "disk full on <path> (<n> left)"),
        ("cannot open C:\\temp\\a.txt", "cannot open <path>"),
        ("no file ./a.txt or ~/b or src/app/main.py:12", "no file <path> or <path> or <path>:<n>"),
        ("GET https://x.example/v1?id=7: 503", "get <url> <n>"),
        ("at 2026-02-24T09:00:00.5Z, 2026-02-24 and 09:30", "at <time>, <time> and <time>"),
        (f"run {new_id('grun_', datetime(2026, 1, 1, tzinfo=UTC), b'0123456789')} is gone", "run <id> is gone"),
        (f"{UUID(int=7)} at 9f86d081884c7d65, 0x1F", "<id> at <id>, <n>"),
        ("took -3.5e7 ms, 1,234 tokens, 5%", "took <n>, <n>, <n>"),
        ("user 'ana 17' has no \"quota\"", 'user <text> has no "quota"'),
        ("KeyError: 'name'", "keyerror: 'name'"),
        ("  I/O   ERROR,\n read/write ", "i/o error, read/write"),
        ("can't read 5 from 'x'", "can't read <n> from 'x'"),
    ],
)
def test_words_stay_and_values_go(text, common):
    assert normalised(text) == common


def test_failures_that_differ_in_words_differ():
    assert signature("restore", "tool_error", "disk full") != signature("restore", "tool_error", "disk gone")
    assert signature("restore", "tool_error", "disk full") != signature("restore", "resource_limit", "disk full")
    assert signature("restore", "tool_error", "disk full") != signature("copy", "tool_error", "disk full")


def test_a_signature_names_task_category_and_error():
    assert signature("Restore dump 17", "tool_error", "Disk full on /a/b") == (
        "restore dump <n> · tool_error · disk full on <path>"
    )
    assert signature("Restore", "tool_error", " ") == "restore · tool_error"


def test_long_text_is_cut_between_words():
    assert normalised("word " * 100, 12) == "word word"
    assert normalised("w" * 100, 12) == "w" * 12


@pytest.mark.parametrize("piece", ["a.", "a-", "1.", "a/", "'1 ", "://", "ab12", "<n>'", "\\a"])
def test_long_text_without_words_ends_soon(piece):
    assert len(normalised(piece * 50_000)) <= LONGEST_ERROR  # squared, it would take minutes
