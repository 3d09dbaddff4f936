"""goal-ledger <noun> <verb>: the root command, and what errors become."""

import gc
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any

import click

from goal_ledger.cli.frame.app import COMPLETION, PROGRAM, App, at_most
from goal_ledger.cli.frame.command import Noun, show_words
from goal_ledger.cli.frame.finding import SECTIONS, Commands
from goal_ledger.cli.frame.hints import line
from goal_ledger.cli.frame.text import visible
from goal_ledger.domain.errors import Damaged, Invalid, LedgerError, Rejected

INTERRUPTED = 130  # 128 + SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE

NOUNS = Commands("goal_ledger.cli.nouns")


class Root(Noun):
    """The nouns, each imported when it is used, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [each.name for each in NOUNS.listed()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return NOUNS.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        listed = NOUNS.listed()
        for section, title in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(each.name, each.help) for each in listed if each.section == section])


def _show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        number = version(PROGRAM)
        app = ctx.ensure_object(App)
        if app.wants_json:
            show_words(ctx, "version", number)
        else:
            click.echo(f"{PROGRAM} {number}")
        ctx.exit()


@click.command(
    PROGRAM,
    cls=Root,
    examples=(
        'goal-ledger goal create "Cut checkout errors" --metric "error rate < 1%"',
        "goal-ledger goal list",
        "goal-ledger goal --help",
    ),
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def root() -> None:
    """The memory of an organisation of agents: goals, runs, and the reasons.

    Global options may stand anywhere. Times are UTC, ISO 8601.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. Nothing escapes: what goes wrong becomes one line or one document."""
    given = list(sys.argv[1:] if args is None else args)
    options = given[: given.index("--")] if "--" in given else given
    app = App(json_expected="--json" in options)
    if sys.stdout is None:  # closed by the caller
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 — until we end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a character shows its number
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(given, app)
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:  # what could not be written now cannot be written at exit either
            _write_nowhere()
            code = code or _refuse(app, 1, "io_error", error.strerror or str(error))
    except BrokenPipeError:
        return reader_gone()
    finally:
        if args is None:  # the process ends: looking for garbage once more would take a third of its time
            gc.freeze()
    return code


def reader_gone() -> int:
    """Write nowhere from now on; the exit code."""
    _write_nowhere()
    return BROKEN_PIPE


def _write_nowhere() -> None:
    """So that the interpreter's own flush at exit is quiet too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(args: list[str], app: App) -> int:
    try:
        if os.environ.get(COMPLETION):
            from goal_ledger.cli.frame.completion import answer

            return answer(root, app)
        with root.make_context(PROGRAM, args, obj=app) as context:
            root.invoke(context)
        return 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        message = error.format_message()
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            if not app.wants_json:
                click.echo(message, err=True)
                return error.exit_code
            message = "Missing command"
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else PROGRAM
        return _refuse(app, error.exit_code, "usage", message.rstrip("."), hint=f"see {command} --help")
    except (click.Abort, KeyboardInterrupt):
        return _refuse(app, INTERRUPTED, "interrupted", "interrupted")
    except LedgerError as error:
        problems = {"problems": error.problems} if isinstance(error, Damaged) else {}
        hint = error.hint or (f"see {app.command} --help" if isinstance(error, Invalid | Rejected) else None)
        return _refuse(app, error.exit_code, error.code, error.message, hint=hint, **problems)
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _refuse(app, 1, "io_error", f"{where}{error.strerror or error}")
    except Exception as error:  # the last resort: a mistake of ours, in one line
        if os.environ.get("GOAL_LEDGER_DEBUG"):
            import traceback

            traceback.print_exc()
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        return _refuse(
            app, 1, "unexpected", what, hint="set GOAL_LEDGER_DEBUG=1 to see where; this is a mistake of goal-ledger"
        )


def _refuse(app: App, code: int, name: str, message: str, *, hint: str | None = None, **more: Any) -> int:
    """Say what went wrong, in one document or one line; the exit code."""
    hint = None if hint is None else line(hint)
    words = " ".join(each.strip("\t") for each in message.split("\n"))  # click lists choices below each other
    if app.wants_json and not app.answered:
        error = {"code": name, "message": _characters(words), "hint": _characters(hint), **more}
        app.document({"version": 1, "status": "error", "error": error})
    else:
        click.echo(visible(f"error: {words}" + (f" — {hint}" if hint else "")), err=True)
        for problem in at_most(more.get("problems", ())[1:], "problems"):
            click.echo(visible(f"       {problem}"), err=True)
    return code


def _characters(text: str | None) -> str | None:
    """The text without lone surrogates, which a command line in another encoding may hold and JSON may not."""
    return None if text is None else text.encode(errors="backslashreplace").decode()


if __name__ == "__main__":
    sys.exit(main())
