"""What the caller of the tests ignores makes no difference to them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.signals import ASKED_TO_STOP, defaults, pass_on_none_ignored
from tests.tools import finished, python

DISPOSITIONS = f"""
import signal
print(*(signal.getsignal(number) == signal.SIG_IGN for number in {[int(number) for number in ASKED_TO_STOP]}))
"""
NONE = " ".join(["False"] * len(ASKED_TO_STOP))


@pytest.fixture
def ignoring() -> Iterator[None]:
    """Under `nohup`, or in the background of a shell."""
    before = [signal.signal(number, signal.SIG_IGN) for number in ASKED_TO_STOP]
    yield
    for number, handler in zip(ASKED_TO_STOP, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("ignoring")
def test_a_new_process_ignores_what_this_one_ignores():
    assert "True" in finished(python(DISPOSITIONS))  # or the next test could not fail


@pytest.mark.usefixtures("ignoring")
def test_a_new_process_heeds_what_the_caller_ignored_and_this_one_still_ignores_it():
    pass_on_none_ignored()
    assert finished(python(DISPOSITIONS)).strip() == NONE
    for number in ASKED_TO_STOP:
        signal.raise_signal(number)


def test_every_test_starts_processes_that_heed_signals():
    assert finished(python(DISPOSITIONS)).strip() == NONE


def test_a_signal_that_the_caller_blocked_comes_through():
    if not hasattr(signal, "pthread_sigmask"):
        pytest.skip("no such thing here")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        pass_on_none_ignored()
        sleeping = python("import sys, time\nprint('up', flush=True)\ntime.sleep(600)")
        assert sleeping.stdout is not None and sleeping.stdout.readline() == "up\n"
        sleeping.terminate()
        sleeping.communicate()
        assert sleeping.returncode == -signal.SIGTERM
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.mark.usefixtures("ignoring")
def test_in_this_process_the_defaults_hold_for_a_block():
    with defaults():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_suite_whose_caller_ignores_everything_heeds_it_in_its_processes():
    words = (
        f"trap '' INT TERM HUP PIPE QUIT; exec {sys.executable} -m pytest -q -n 0 -p no:cacheprovider -k heed_signals"
    )
    ran = subprocess.run(["/bin/sh", "-c", f"{words} {__file__}"], capture_output=True, text=True)
    assert (ran.returncode, "1 passed" in ran.stdout) == (0, True), ran.stdout
