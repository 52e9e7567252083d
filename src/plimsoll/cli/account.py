"""``account check`` and ``account setup``: is the account as the engine needs it, or make it so."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.cli import text
from plimsoll.cli.asking import ask, key_hint
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.wiring import loader, venue_settings
from plimsoll.config.project import Project, load_project
from plimsoll.config.translate import core_settings
from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit.api import BybitClient
from plimsoll.venues.bybit.api.homes import homes_of, other_homes
from plimsoll.venues.bybit.api.setup import (
    Made,
    Standing,
    Step,
    Wanted,
    pending,
    read_state,
    steps_of,
)
from plimsoll.venues.bybit.api.setup import apply as make_so
from plimsoll.venues.bybit.errors import CredentialsRefused

_PPM: Final = 1_000_000


def check(project: str, env: str, *, json: bool, probe: bool) -> Exit:
    """Print how key and account stand.

    Returns:
        DONE; UNHEALTHY where the engine would not start; FINDINGS where a setting differs.

    Raises:
        ConfigError: the project cannot be used.
        Failure: the venue does not answer, or does not know the key.
    """
    found = load_project(Path(project), env)
    wanted = wanted_of(found)

    async def work(client: BybitClient) -> list[Step]:
        return steps_of(await read_state(client, wanted), wanted)

    steps = ask(found, work)
    homes = _homes(found) if probe else {}
    if json:
        print_json(document(steps, [], homes))
    else:
        print(_page(steps, []))
        for name, reason in homes.items():
            print(f"{name}: {reason or 'knows this key'}")
        if _is_unknown(steps):
            print(f"hint: {key_hint(found)}")
    return _code(steps, [])


def setup(
    project: str, env: str, *, json: bool, plan: bool, apply: bool, confirm_live: str
) -> Exit:
    """Print what would change, or change it, read again and print both.

    Raises:
        ConfigError: the project cannot be used.
        Failure: the venue does not answer; real money was not confirmed; both or neither asked.
    """
    if plan == apply:
        message = "account setup takes either --plan or --apply"
        raise Failure(Exit.USAGE, "usage", message, "--plan changes nothing")
    found = load_project(Path(project), env)
    if apply:
        _confirm(found, confirm_live)
    wanted = wanted_of(found)

    async def work(client: BybitClient) -> tuple[list[Step], list[Made]]:
        steps = steps_of(await read_state(client, wanted), wanted)
        if not apply or any(step.standing is Standing.REFUSED for step in _of_key(steps)):
            return steps, []
        made = await make_so(client, steps)
        return steps_of(await read_state(client, wanted), wanted), made

    steps, made = ask(found, work)
    if json:
        print_json(document(steps, made, {}))
    else:
        print(_page(steps, made))
    return _code(steps, made)


def wanted_of(project: Project) -> Wanted:
    """Return the state that a project's configuration wants, for the instruments it names.

    Raises:
        ConfigError: a strategy cannot be used.
    """
    load, account = loader(project), project.settings.account
    names: dict[str, None] = {}
    for entry in core_settings(project).strategies:
        names |= dict.fromkeys(entry.instruments or load(entry).instruments)
    parts = [name.partition(":") for name in names]
    return Wanted(
        symbols=tuple(symbol for category, _, symbol in parts if category == "linear"),
        categories=tuple(dict.fromkeys(category for category, _, _ in parts)),
        margin_mode="" if account.margin_mode == "keep" else account.margin_mode,
        leverage=Decimal(account.leverage) / _PPM,
    )


def _confirm(project: Project, account: str) -> None:
    name = project.settings.account.name
    if project.settings.venue.environment == "mainnet" and account != name:
        message = f"this changes account {name} on mainnet: not confirmed"
        hint = f"if that is meant: plimsoll account setup --apply --confirm-live {name}"
        raise Failure(Exit.REFUSED, "live-not-confirmed", message, hint)


def _homes(project: Project) -> dict[str, str]:
    """Ask the other environments for the key.

    Raises:
        Failure: there is no key, or it cannot be used.
    """
    settings = venue_settings(project)
    try:
        addresses = other_homes(project.settings.venue.environment)
        return asyncio.run(homes_of(settings, EngineClock(), addresses))
    except CredentialsRefused as error:
        raise Failure(Exit.CREDENTIALS, "credentials", str(error)) from error


# ---- words -----------------------------------------------------------------------------------


def document(steps: list[Step], made: list[Made], homes: dict[str, str]) -> dict[str, Any]:
    """Return steps, results and where the key is known as JSON."""
    rows = [
        {"subject": one.subject, "have": one.have, "want": one.want}
        | {"standing": str(one.standing), "request": one.request}
        for one in steps
    ]
    found: dict[str, Any] = {"steps": rows, "made": msgspec.to_builtins(made)}
    return found | ({"homes": homes} if homes else {})


def _page(steps: list[Step], made: list[Made]) -> str:
    lines = []
    if made:
        done = [(one.subject, one.request, one.text) for one in made]
        lines += [text.table(("setting", "request", "result"), done), "", "read again:"]
    rows = [(str(one.standing), one.subject, one.have, one.want) for one in steps]
    lines.append(text.table(("", "setting", "have", "want"), rows))
    if pending(steps) and not made:
        lines += ["", "requests that would change it:"]
        lines += [f"  {one.request}" for one in pending(steps)]
    return "\n".join(lines)


def _code(steps: list[Step], made: list[Made]) -> Exit:
    if any(step.standing is Standing.REFUSED for step in steps):
        return Exit.CREDENTIALS if _is_unknown(steps) else Exit.UNHEALTHY
    set_blindly = {one.subject for one in made if one.is_done}
    left = [
        step
        for step in pending(steps)
        if step.standing is Standing.CHANGE or step.subject not in set_blindly
    ]
    return Exit.FINDINGS if left or not all(one.is_done for one in made) else Exit.DONE


def _of_key(steps: list[Step]) -> list[Step]:
    return [step for step in steps if step.subject in ("key", "account")]


def _is_unknown(steps: list[Step]) -> bool:
    return any("10003" in step.have for step in _of_key(steps))
