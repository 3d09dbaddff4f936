"""What the ledger says on its way to a terminal or into a document."""

import unicodedata
from decimal import Decimal
from typing import Any

_KEPT = "\u200c\u200d"  # joiners: emoji and several scripts need them
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text on one line, with what could move the cursor, change colours or turn the direction written out."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character in _KEPT or unicodedata.category(character) == "Zs":
        return character
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def moment(stored: str | None) -> str:
    """A stored instant without its fraction of a second."""
    return "unknown" if stored is None else stored[:19] + "Z"


def as_json(value: Any) -> Any:
    """What orjson cannot write by itself: decimals as text, models as objects."""
    if isinstance(value, Decimal):
        return str(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is not JSON")
