"""``run``: the engine of a project, in the foreground."""

import os
import sys
from pathlib import Path

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.strategy.check import warnings as strategy_warnings
from plimsoll.cli.warming import document, with_stored
from plimsoll.cli.wiring import engine_settings
from plimsoll.config.project import Project, load_project
from plimsoll.core.model import Mode
from plimsoll.engine.process import serve
from plimsoll.engine.refusing import Refused
from plimsoll.lease import read_epoch


def run(project: str, env: str, *, json: bool, confirm_live: str) -> Exit:
    """Run until a signal; return the code the engine ends with.

    Raises:
        ConfigError: the project cannot be used.
        Failure: real money was not confirmed, or something stands against a start.
    """
    found = load_project(Path(project), env)
    confirm(found, confirm_live)
    settings, warm_ups = with_stored(found, engine_settings(found))
    for warning in (*found.warnings(), *strategy_warnings(found)):
        print(f"warning: {warning}", file=sys.stderr)
    _announce(found, as_json=json)
    for one in warm_ups:
        if json:
            print_json(document(one))
        elif one.words:
            print(one.words, file=sys.stderr)
    try:
        return Exit(serve(settings))
    except Refused as refusal:
        raise Failure(Exit(refusal.code), "not-started", str(refusal)) from refusal


def confirm(project: Project, account: str) -> None:
    """Refuse real money that was not confirmed by the account's name.

    Raises:
        Failure: live instances on mainnet, and another name or none was given.
    """
    live = [entry.name for entry in project.settings.strategy if entry.mode is not Mode.PAPER]
    name = project.settings.account.name
    if project.settings.venue.environment != "mainnet" or not live or account == name:
        return
    found = f"--confirm-live {account} names another account" if account else "not confirmed"
    raise Failure(
        Exit.REFUSED,
        "live-not-confirmed",
        f"{', '.join(live)} would trade real money on account {name}: {found}",
        f"if that is meant: plimsoll run --confirm-live {name}",
    )


def _announce(project: Project, *, as_json: bool) -> None:
    account = project.settings.account.name
    epoch = read_epoch(project.lease_dir / f"{account}.epoch") + 1
    if as_json:
        fields = {"epoch": epoch, "pid": os.getpid(), "project": str(project.root)}
        print_json({"event": "starting", "account": account, **fields})
        return
    print(
        f"engine of account {account}: epoch {epoch}, process {os.getpid()}, "
        f"project {project.root}; Ctrl-C stops it gracefully",
        file=sys.stderr,
    )
