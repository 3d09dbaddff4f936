"""Settings from the ledger's TOML file, the environment, and arguments; the last one wins."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from goal_ledger.domain.base import invalid
from goal_ledger.domain.errors import Hint, Invalid, LedgerError, Unavailable
from goal_ledger.domain.settings import Settings

PREFIX = "GOAL_LEDGER_"


class Configuration(NamedTuple):
    """The settings, and where each value comes from: `default`, a file, an environment variable, or `argument`."""

    settings: Settings
    origins: dict[str, str]


def configure(
    file: Path | None, *, environment: Mapping[str, str] | None = None, arguments: Mapping[str, Any] | None = None
) -> Configuration:
    """The settings that hold, with their origins. file: read when it exists.

    Invalid: bad_settings, unknown_setting, invalid_value. Unavailable: cannot_read.
    """
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, found in (
        (str(file), {} if file is None else _from_file(file)),
        (None, _from_environment(os.environ if environment is None else environment)),
        ("argument", dict(arguments or {})),
    ):
        values |= found
        origins |= {name: origin or f"{PREFIX}{name.upper()}" for name in found}
    try:
        return Configuration(Settings.model_validate(values), origins)
    except ValidationError as error:
        raise _about(error, origins) from None


def adjusted(settings: Settings, changes: Mapping[str, str]) -> Settings:
    """These settings with some changed. changes: by name, that of a part behind a dot, with values as TOML has them.

    Invalid: unknown_setting, invalid_value.
    """
    values = settings.model_dump()
    for name, text in changes.items():
        *above, last = name.split(".")
        inner: Any = values
        is_known = above[:1] == ["detectors"]  # they have settings of their own
        for part in above:
            inner = inner.setdefault(part, {}) if is_known else inner.get(part)
            if not isinstance(inner, dict):
                raise _unknown(name)
        if not is_known and last not in inner:
            raise _unknown(name)
        inner[last] = _value(text)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from None


def _unknown(name: str) -> Invalid:
    return Invalid("unknown_setting", f"there is no setting {name!r}", hint=Hint("settings", "show"))


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable("cannot_read", f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Invalid("bad_settings", f"{file} is not TOML: {error}") from None
    import tomllib  # few ledgers have settings of their own, and starting a command should be quick

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("bad_settings", f"{file} is not TOML: {error}") from None
    if unknown := [name for name in values if name not in Settings.model_fields]:
        known = ", ".join(Settings.model_fields)
        raise Invalid("unknown_setting", f"{file}: there is no setting {unknown[0]!r}; there are {known}")
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Values as TOML writes them; other variables with our prefix mean something else and are left alone."""
    found = {}
    for name in Settings.model_fields:
        if (text := environment.get(f"{PREFIX}{name.upper()}")) is not None:
            found[name] = _value(text)
    return found


def _value(text: str) -> Any:
    """A value as TOML writes it; other text stands for itself."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _about(error: ValidationError, origins: Mapping[str, str]) -> LedgerError:
    names = [str(found["loc"][0]) for found in error.errors() if found["loc"]]
    problem = invalid(error)
    if names and names[0] in origins:
        return Invalid(problem.code, f"{problem.message} (from {origins[names[0]]})")
    return problem
