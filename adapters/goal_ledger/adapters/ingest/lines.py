"""Files of records, plain or gzip."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
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


def read_table(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]] | BadLine]:
    """The rows of a CSV file with a header, as cells by column, with their line numbers; empty ones left out.

    needed: columns that it must have. Bytes that are no UTF-8 become lone surrogates, which the ledger refuses.

    Invalid: no_header, unknown_column, and the errors of `reading`.
    """
    with reading(path) as file:
        # Held by a name: when it goes, the file is closed.
        text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
        rows = csv_rows(text)
        header = _header(path, next(rows, None), needed)
        for item in rows:
            yield item if isinstance(item, BadLine) else by_column(*item, header)


def csv_rows(text: Iterable[str]) -> Iterator[tuple[int, list[str]] | BadLine]:
    """The rows of CSV with their line numbers, the header among them; empty ones left out."""
    rows = csv.reader(text, strict=True)
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadLine(line, f"not CSV: {error}")
        else:
            if row:
                yield line, row


def by_column(line: int, row: list[str], header: Sequence[str]) -> tuple[int, dict[str, str]] | BadLine:
    """A row of CSV as cells by column, when it has as many as the header."""
    if len(row) != len(header):
        return BadLine(line, f"{len(row)} cells, the header has {len(header)}")
    return line, dict(zip(header, row, strict=True))


def _header(path: Path, first: tuple[int, list[str]] | BadLine | None, needed: Sequence[str]) -> list[str]:
    if first is None or isinstance(first, BadLine):
        raise Invalid("no_header", f"{path} has no header line")
    header = [name.strip() for name in first[1]]
    if len(set(header)) < len(header):
        raise Invalid("no_header", f"{path}: the header names a column twice")
    for column in needed:
        if column not in header:
            raise Invalid("unknown_column", f"{path} has no column {column!r}; it has {', '.join(header)}")
    return header
