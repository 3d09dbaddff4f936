"""Files of records, plain or gzip."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

from goal_ledger.domain.errors import Invalid, NotFound, Unavailable

LONGEST_LINE = 1_000_000


class BadLine(NamedTuple):
    """A line that was not taken, and why. line: from 1."""

    line: int
    reason: str


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked when it starts like gzip.

    NotFound: no_file. Unavailable: cannot_read. Invalid: bad_gzip.
    """
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    yield cast(IO[bytes], unpacked)
            else:
                yield file
    except FileNotFoundError:
        raise NotFound("no_file", f"there is no file {path}") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise Invalid("bad_gzip", f"{path} is not a whole gzip file: {error}") from None
    except OSError as error:
        raise Unavailable("cannot_read", f"{path} cannot be read: {error.strerror or error}") from None


def read_lines(path: Path) -> Iterator[tuple[int, bytes] | BadLine]:
    """The lines of a file with their numbers, blank ones left out. Errors: those of `reading`."""
    with reading(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                while line and not line.endswith(b"\n"):
                    line = file.readline(LONGEST_LINE)
                yield BadLine(number, f"the line is longer than {LONGEST_LINE:,} bytes")
            elif line := line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").strip():
                yield number, line
