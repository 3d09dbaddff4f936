"""What a failure has in common with others like it, so that they can be counted and recognised."""

import re

LONGEST_TASK = 80
LONGEST_ERROR = 160

_ULID = "[0-7][0-9a-hjkmnp-tv-z]{25}"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_DAY, _TIME = r"\d{4}-\d\d-\d\d", r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?"
_UNITS = "%|ns|us|µs|ms|s|sec|secs|seconds?|min|mins|minutes?|h|hours?|d|days?|b|bytes?|[kmgt]i?b|tokens?|usd"

_VALUES = (
    ("<url>", r"\b[a-z][a-z0-9+.-]{0,30}://[^\s'\"`<>]+"),
    ("<path>", r"(?<![\w>/\\])(?:[a-z]:)?(?:~|\.{1,2})?[/\\][^\s'\"`<>:;,()]+"),  # /var/x, ./x, ~/x, c:\x
    ("<path>", r"(?<![\w.>-])[\w.-]+(?:[/\\][\w.-]+){2,}"),  # a/b/c; `read/write` are words
    ("<time>", rf"\b{_DAY}(?:[t ]{_TIME}(?: ?(?:z|utc|[+-]\d\d:?\d\d)\b)?)?|\b{_TIME}\b"),
    ("<id>", rf"\b(?:[a-z]+_)?{_ULID}\b"),
    ("<id>", rf"\b{_UUID}\b"),
    ("<id>", r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,}\b"),  # a hash
    ("<n>", r"\b0x[0-9a-f]+\b"),
    ("<n>", rf"(?:(?<![\w>)\]])[-+])?\d+(?:[.,:_]\d+)*(?:e[-+]?\d+)?(?: ?(?:{_UNITS})(?!\w))?"),
    ("<text>", r"(?<!\w)(['\"`])(?:(?!\1).)*<[a-z]+>(?:(?!\1).)*\1(?!\w)"),  # a quotation that holds a value is one
)
_PATTERNS = tuple((word, re.compile(pattern)) for word, pattern in _VALUES)


def signature(task: str, category: str, error: str) -> str:
    """`task · category · error`, without what differs from one time to the next: 300 characters at the most.

    task: what was tried. category: of the failure. error: what was said of it; blank, it is left out.
    """
    return " · ".join(
        part for part in (normalised(task, LONGEST_TASK), category, normalised(error, LONGEST_ERROR)) if part
    )


def normalised(text: str, longest: int = LONGEST_ERROR) -> str:
    """The text with a word in the place of each value: URLs, paths, times, ids, numbers with their units, quotations
    that hold one. Case and white space make no difference. Normalising once more changes nothing.
    """
    text = " ".join(text.casefold().split())
    while (again := _cut(_without_values(text), longest)) != text:  # what a value hid may be one as well
        text = again
    return text


def _without_values(text: str) -> str:
    for word, pattern in _PATTERNS:
        text = pattern.sub(word, text)
    return text


def _cut(text: str, longest: int) -> str:
    """As many whole words as fit."""
    if len(text) <= longest:
        return text
    return text[: longest + 1].rpartition(" ")[0] or text[:longest]
