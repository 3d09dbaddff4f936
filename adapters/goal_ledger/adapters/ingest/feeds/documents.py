"""What a source holds: one JSON document, JSON lines or CSV, plain or gzip."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from goal_ledger.adapters.ingest.lines import LONGEST_LINE, BadLine, by_column, csv_rows, reading
from goal_ledger.domain.errors import Invalid

LARGEST = 256 * 1024 * 1024
"""Bytes that are read of one source, unpacked."""


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked. Invalid: too_large, and the errors of `reading`."""
    try:
        with reading(path) as file:
            return _within(file.read(LARGEST + 1), str(path))
    except zlib.error as error:
        raise Invalid("bad_gzip", f"{path} is not a whole gzip file: {error}") from None


def unpacked(found: bytes, where: str) -> bytes:
    """The bytes that came from somewhere, unpacked when they start like gzip. Invalid: bad_gzip, too_large."""
    if found[:2] != b"\x1f\x8b":
        return found
    try:
        with gzip.open(io.BytesIO(found)) as file:
            return _within(file.read(LARGEST + 1), where)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Invalid("bad_gzip", f"{where} is not a whole gzip file: {error}") from None


def documents(found: bytes) -> Iterator[tuple[int, Any] | BadLine]:
    """The JSON values with their lines: a whole document, the lines of JSON lines, or the rows of CSV as objects.

    Cells of CSV are text, blank ones left out.
    """
    text = found.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return
    if text[:1] not in b"{[":
        yield from _rows(found)
        return
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        lines = [(number, line.strip()) for number, line in enumerate(found.split(b"\n"), start=1)]
        lines = [(number, line.removeprefix(b"\xef\xbb\xbf")) for number, line in lines if line]
        if len(lines) == 1 or not any(line[:1] in b"{[" and _is_json(line) for _, line in lines):
            yield BadLine(lines[0][0], f"not JSON: {error}")
            return
        yield from _lines(lines)
    else:
        yield 1, whole


def flat(found: bytes) -> Iterator[tuple[int, Any] | BadLine]:
    """The records of a source: what `documents` yields, lists of records taken apart and counted from 1.

    A list may stand alone, or in an object under `results` or `records`.
    """
    for item in documents(found):
        if isinstance(item, BadLine):
            yield item
            continue
        line, value = item
        if isinstance(value, dict):
            value = value.get("results", value.get("records", value))
        if isinstance(value, list):
            yield from enumerate(value, start=1)
        else:
            yield line, value


def _within(found: bytes, where: str) -> bytes:
    if len(found) > LARGEST:
        raise Invalid("too_large", f"{where} holds more than {LARGEST:,} bytes", hint="split it, or ask for less")
    return found


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _lines(lines: list[tuple[int, bytes]]) -> Iterator[tuple[int, Any] | BadLine]:
    for number, line in lines:
        if len(line) > LONGEST_LINE:
            yield BadLine(number, f"the line is longer than {LONGEST_LINE:,} bytes")
            continue
        try:
            yield number, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield BadLine(number, f"not JSON: {error}")


def _rows(found: bytes) -> Iterator[tuple[int, Any] | BadLine]:
    try:
        text = found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield BadLine(1, f"neither JSON nor CSV in UTF-8: {error.reason}")
        return
    header: list[str] | None = None
    for item in csv_rows(io.StringIO(text, newline="")):
        if isinstance(item, BadLine):
            yield item
        elif header is None:
            line, names = item
            header = [name.strip() for name in names]
            if len(header) == 1:
                yield BadLine(line, "neither JSON nor CSV with a header")
                return
        elif isinstance(record := by_column(*item, header), BadLine):
            yield record
        else:
            line, cells = record
            yield line, {name: cell for name, cell in cells.items() if cell.strip()}
