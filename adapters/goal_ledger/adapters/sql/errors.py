"""What both databases say in the same words, and whether a database can be used at all."""

import os

from goal_ledger.domain.errors import Conflict, Damaged, Unavailable


def require_usable(*, closed: bool, opened_by: int) -> None:
    """Refuse what was closed, or opened by another process. opened_by: its number. Unavailable: closed, forked."""
    if closed:
        raise Unavailable("closed", "the ledger is closed", hint="open it again")
    if opened_by != os.getpid():
        raise Unavailable("forked", "the ledger was opened before a fork", hint="open it in the child process")


def busy(name: str) -> Conflict:
    """Another writer held the lock for too long. name: of the ledger, for people, here and below."""
    return Conflict("busy", f"{name} stayed locked by another writer", hint="try again, or raise lock_wait_s")


def disk_full(name: str) -> Unavailable:
    """There is no space left."""
    return Unavailable("disk_full", f"no space left for {name}; nothing was written", hint="free space, try again")


def io_error(name: str, said: object) -> Unavailable:
    """The disk failed. said: in the driver's words, here and below."""
    return Unavailable("io_error", f"reading or writing {name} failed; nothing was written: {said}")


def corrupt(name: str, said: object) -> Damaged:
    """The files are damaged."""
    return Damaged("corrupt", f"{name} is corrupt: {said}", hint="restore a backup")


def store_error(name: str, said: object) -> Unavailable:
    """Whatever else the driver refused."""
    return Unavailable("store_error", f"{name}: {said}")
