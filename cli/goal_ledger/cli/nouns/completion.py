"""Print the script that lets SHELL complete commands.

Listed: verb 110
"""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from goal_ledger.cli.frame.app import COMPLETION, PROGRAM, App
from goal_ledger.cli.frame.command import Verb

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(
    "completion",
    cls=Verb,
    examples=("goal-ledger completion bash", "goal-ledger completion zsh", "goal-ledger completion fish"),
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete commands, options, statuses and ids.

    \b
    bash: add to ~/.bashrc                     eval "$(goal-ledger completion bash)"
    zsh:  add to ~/.zshrc                      eval "$(goal-ledger completion zsh)"
    fish: save as ~/.config/fish/completions/goal-ledger.fish
    """
    asked = SHELLS[shell](ctx.find_root().command, {}, PROGRAM, COMPLETION)
    script = (asked.source_template % asked.source_vars()).strip()
    ctx.ensure_object(App).show({"shell": shell, "script": script}, lambda data: click.echo(data["script"]))
