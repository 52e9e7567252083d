"""``watchdog``: the guard of a project's engine, in the foreground."""

import os
import sys
from pathlib import Path

import msgspec

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import new_command, write_request
from plimsoll.cli.output import print_json
from plimsoll.cli.wiring import venue_settings
from plimsoll.config.project import Project, load_project
from plimsoll.config.secret import read_key
from plimsoll.control import ControlError
from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit.errors import CredentialsRefused
from plimsoll.venues.bybit.settings import BybitSettings, Secret
from plimsoll.watchdog import Reach, WatchdogSettings
from plimsoll.watchdog.process import serve


def watchdog(project: str, env: str, *, json: bool) -> Exit:
    """Watch until a signal.

    Raises:
        ConfigError: the project cannot be used.
        Failure: no key, no key of its own on mainnet, or another watchdog runs.
    """
    found = load_project(Path(project), env)
    for warning in warnings_of(found):
        print(f"warning: {warning}", file=sys.stderr)
    settings = watchdog_settings(found)
    _announce(found, settings, as_json=json)
    try:
        return Exit(serve(settings, EngineClock()))
    except CredentialsRefused as error:
        raise Failure(Exit.CREDENTIALS, "credentials", str(error)) from error
    except ControlError as error:
        raise Failure(Exit.REFUSED, "not-started", str(error)) from error


def watchdog_settings(project: Project) -> WatchdogSettings:
    """Return everything the watchdog is started with.

    Raises:
        ConfigError: a credential cannot be used.
        Failure: there is no key, or on mainnet none of its own.
    """
    own, account = project.settings.watchdog, project.settings.account

    def leave_halt(reason: str) -> None:
        command = new_command("halt", reason)
        write_request(project.run_dir, msgspec.structs.replace(command, actor="watchdog"))

    return WatchdogSettings(
        account=account.name,
        tag=account.tag,
        reach=reach_of(project),
        journal_dir=project.journal_dir,
        run_dir=project.run_dir,
        venue=guard_venue(project),
        leave_halt=leave_halt,
        patience_ns=own.patience,
        restart_ns=own.restart,
        flatten=own.flatten,
    )


def guard_venue(project: Project, *, must_be_own: bool = True) -> BybitSettings:
    """Return the venue with the watchdog's key, or the account's where it has none.

    Raises:
        ConfigError: a credential cannot be used.
        Failure: there is no key; or none of its own on mainnet, where ``must_be_own``.
    """
    venue = venue_settings(project)
    if project.settings.watchdog.key:
        key, secret = read_key(project, section="watchdog")
        return msgspec.structs.replace(venue, key=key, secret=Secret(secret.get_secret_value()))
    if must_be_own and project.settings.venue.environment == "mainnet":
        raise Failure(
            Exit.CREDENTIALS,
            "no-own-key",
            "on mainnet the watchdog needs a key of its own: the account's may be what failed",
            '[watchdog] key = "file:secrets/watchdog-key" and secret = "file:..."',
        )
    if not venue.has_key:
        raise Failure(
            Exit.CREDENTIALS,
            "no-key",
            "neither [watchdog] nor [account] has a key: nothing could be cancelled",
            'key = "file:secrets/key" and secret = "file:secrets/secret"',
        )
    return venue


def reach_of(project: Project) -> Reach:
    """Return whose orders may be cancelled."""
    return Reach.ACCOUNT if project.settings.account.dedicated else Reach.OWN


def warnings_of(project: Project) -> list[str]:
    """Return what is allowed and weakens the guard."""
    found = []
    if not project.settings.watchdog.key:
        found.append("watchdog.key is not set: the account's key is used, which may be what failed")
    if not project.settings.account.dedicated:
        found.append(
            "account.dedicated is false: only orders of our tag are cancelled, by id, and orders "
            "placed by hand stay"
        )
    return found


def _announce(project: Project, settings: WatchdogSettings, *, as_json: bool) -> None:
    fields = {"account": settings.account, "pid": os.getpid(), "reach": str(settings.reach)}
    if as_json:
        print_json({"event": "watching", "project": str(project.root)} | fields)
        return
    print(
        f"watchdog of account {settings.account}: process {os.getpid()}, reach {settings.reach}, "
        f"project {project.root}; Ctrl-C stops it",
        file=sys.stderr,
    )
