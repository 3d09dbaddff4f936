"""How our commands differ from click's: global options anywhere, examples, and help in sections."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger

    Candidates = Callable[[Ledger, str], Iterable[tuple[str, str]]]
    """The ids that begin with a text, or more, each with what it is about."""

MOST_IDS = 50  # that the shell offers at once
LAST_ID = "~"  # sorts behind everything an id can hold


class Section(click.Option):
    """An option that stands under a heading of its own in the help."""

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Verb(click.Command):
    """A command that takes the global options too. examples: whole command lines, at least one."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params += _global_options()

    def invoke(self, ctx: click.Context) -> Any:
        """Run it: from here on the command line is understood."""
        app = ctx.ensure_object(App)
        app.understood, app.command = not isinstance(self, click.Group), ctx.command_path
        return super().invoke(ctx)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """click's, but it answers in JSON when asked to."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options by section, then the commands of a group."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if record is not None:
                sections.setdefault(getattr(param, "section", "Options"), []).append(record)
        for title, records in sorted(sections.items(), key=lambda section: section[0] == _GLOBAL):
            with formatter.section(title):
                formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, as they are typed."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class Noun(Verb, click.Group):
    """A group of verbs. candidates: what the shell offers where an id of this noun is wanted."""

    command_class = Verb
    candidates: "Candidates | None" = None

    def offers(self, candidates: "Candidates") -> "Candidates":
        """Let the shell offer these ids."""
        self.candidates = candidates
        return candidates


_GLOBAL = "Global options"


def _global_options() -> list[click.Parameter]:
    return [
        Section(
            ["--db"],
            type=click.Path(),
            metavar="URL",
            help="The ledger: a path or sqlite:///path.  "
            "[env: GOAL_LEDGER_DB; default: goal-ledger.db here or in a folder above]",
            section=_GLOBAL,
            expose_value=False,
            callback=_keep,
        ),
        Section(
            ["--as", "actor"],
            metavar="ACTOR",
            help="Who acts, e.g. agent:planner.  [env: GOAL_LEDGER_ACTOR; default: cli:<login>]",
            section=_GLOBAL,
            expose_value=False,
            callback=_keep,
        ),
        Section(
            ["--json"],
            is_flag=True,
            default=None,
            help="Print exactly one JSON document.",
            section=_GLOBAL,
            expose_value=False,
            callback=_keep,
        ),
    ]


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    app = ctx.find_object(App)
    if value is not None and app is not None:
        setattr(app, param.name or "", value)


def _show_help(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        show_words(ctx, "help", ctx.get_help())
        ctx.exit()


def show_words(ctx: click.Context, name: str, words: str) -> None:
    """Answer an option like `--help` with words, or with a document that holds them."""
    app = ctx.find_object(App)
    if app is None:
        click.echo(words)
    else:
        app.show({name: words}, lambda _: click.echo(words))
