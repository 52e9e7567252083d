"""From a project to the settings of the engine process: addresses, keys, strategy loader."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.cli import strategies
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.config.code import CodeStore
from plimsoll.config.errors import ConfigError
from plimsoll.config.project import Project
from plimsoll.config.secret import read_key, read_passphrase
from plimsoll.config.sources import digest_of, is_file, locate
from plimsoll.config.translate import core_settings
from plimsoll.core.model import Mode, strategy_of
from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.engine.authority import check_kept
from plimsoll.engine.settings import EngineSettings
from plimsoll.venues.bybit.errors import VenueError
from plimsoll.venues.bybit.settings import BybitSettings, Secret, environment

SIM_FILE = "var/sim/sim.json"
"""Where `plimsoll sim` says where it listens, unless told otherwise."""


def engine_settings(project: Project) -> EngineSettings:
    """Return everything the engine process is started with; strategies are loaded once to check.

    Raises:
        ConfigError: the configuration, a strategy or a credential cannot be used.
        Failure: the simulator is not there.
    """
    core, load = loaded_settings(project), loader(project)
    journal = project.settings.journal
    return EngineSettings(
        core=core,
        journal_dir=project.journal_dir,
        lease_dir=project.lease_dir,
        run_dir=project.run_dir,
        venue=venue_settings(project),
        load=load,
        keep_code=keeper(project),
        renew=renewer(project),
        sync=journal.sync,
        market_keep_bytes=journal.market_keep,
        market_keep_s=journal.market_keep_time / 1e9,
        practice_ns=project.settings.execution.practice,
        callback_limit_ns=project.settings.execution.callback_limit,
        passphrase_hash=passphrase_hash(project),
    )


def loaded_settings(project: Project) -> CoreSettings:
    """Return what the core is given, every strategy loaded once: what it trades is known then.

    Raises:
        ConfigError: a strategy cannot be used, trades nothing, or what another live one trades.
    """
    core, load = core_settings(project), loader(project)
    owners: dict[str, str] = {}
    entries = []
    for entry in core.strategies:
        strategy = load(entry)
        names = entry.instruments or tuple(strategy.instruments)
        key = f"strategy.{entry.name}.instruments"
        if not names:
            hint = 'such as instruments = ["linear:BTCUSDT"]'
            raise project.error(key, "neither it nor the class names an instrument", hint=hint)
        for name in names if entry.mode is not Mode.PAPER else ():
            other = owners.setdefault(name, entry.name)
            if other != entry.name:
                expected = "a live instrument belongs to one strategy instance"
                found = f'{name}, which "{other}" trades as well'
                raise project.error(key, expected, found=found, hint=_SHARED)
        entries.append(msgspec.structs.replace(entry, instruments=names))
    return msgspec.structs.replace(core, strategies=tuple(entries))


_SHARED: Final = "give one of them a sub-account, or run it on paper"


def passphrase_hash(project: Project) -> str:
    """Return the hash of the operator's passphrase, empty where none is configured.

    Raises:
        ConfigError: it cannot be read, or was not made by ``plimsoll operator passphrase``.
    """
    kept = read_passphrase(project).get_secret_value()
    try:
        if kept:
            check_kept(kept)
    except ValueError as error:
        raise project.error("operator.passphrase", str(error)) from error
    return kept


def loader(project: Project) -> Callable[[StrategySettings], Strategy]:
    """Return what makes strategy objects from the files of one project."""

    def origin(instance: str, name: str) -> object:
        for place, entry in enumerate(project.settings.strategy):
            if entry.name == strategy_of(instance):
                found = project.origin("strategy", place, "params", name)
                return project.layout.main_file if found == "default" else found
        return project.layout.main_file

    kept = CodeStore(project.journal_dir)
    return partial(strategies.load, root=project.root, origin=origin, kept=kept)


def keeper(project: Project) -> Callable[[StrategySettings], None]:
    """Return what keeps a copy of an instance's code: a replay of its session needs it."""
    kept = CodeStore(project.journal_dir)

    def keep(settings: StrategySettings) -> None:
        text = _code_of(project, settings).read_bytes()
        if hashlib.sha256(text).hexdigest() == settings.source_hash:
            kept.keep(text)

    return keep


def renewer(project: Project) -> Callable[[StrategySettings], None]:
    """Return what loads new code of an instance and keeps a copy; it takes time."""
    load, keep = loader(project), keeper(project)

    def renew(settings: StrategySettings) -> None:
        path = _code_of(project, settings)
        if not is_file(settings.source):
            what = "an installed module is loaded once"
            hint = "restart for it, or name a file of the project: strategies/FILE.py:Class"
        elif digest_of(path) != settings.source_hash:
            what, hint = "it was changed since it was looked at", "once more, then"
        else:
            load(settings)
            keep(settings)
            return
        key = f"strategy.{settings.name}.class"
        raise ConfigError(file=path, key=key, expected=what, hint=hint)

    return renew


def _code_of(project: Project, settings: StrategySettings) -> Path:
    return locate(settings.source, project.root, key=f"strategy.{settings.name}.class")


def venue_settings(project: Project) -> BybitSettings:
    """Return addresses and keys of the project's venue.

    Raises:
        ConfigError: region or credentials cannot be used.
        Failure: the simulator is not there.
    """
    venue = project.settings.venue
    port = simulator_port(project) if venue.environment == "simulator" else 0
    key, secret = read_key(project)
    try:
        hosts = environment(venue.environment, venue.region, port)
    except VenueError as error:
        raise project.error("venue.region", str(error)) from error
    return BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        key=key,
        secret=Secret(secret.get_secret_value()),
        proxy=venue.proxy,
        redundant=venue.redundant,
        dcp_s=project.settings.account.dcp // 10**9,
    )


def simulator_file(project: Project) -> Path | None:
    """Return the ``sim.json`` that venue.url names, None where it is an address."""
    url = project.settings.venue.url or SIM_FILE
    return project.root / Path(url).expanduser() if url.endswith(".json") else None


def simulator_port(project: Project) -> int:
    """Return the port of the simulator on this machine.

    Raises:
        ConfigError: venue.url is neither an address on this machine nor a file.
        Failure: no simulator has written that file.
    """
    file = simulator_file(project)
    if file is None:
        return _port_of(project)
    try:
        found = json.loads(file.read_text())
        return int(found["port"])
    except FileNotFoundError:
        raise Failure(
            Exit.UNREACHABLE,
            "no-simulator",
            f"no simulator runs for this project: {file} does not exist",
            f"start one in another terminal: plimsoll sim --dir {file.parent}",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise project.error(
            "venue.url", f"{file} was not written by `plimsoll sim`: {error}"
        ) from (error)


def _port_of(project: Project) -> int:
    url = project.settings.venue.url
    host, _, port = url.rpartition(":")
    if host not in ("127.0.0.1", "localhost") or not port.isdecimal():
        raise project.error(
            "venue.url",
            'expected "127.0.0.1:PORT" or the path of a sim.json',
            found=f'"{url}"',
            hint="the simulator listens on this machine only",
        )
    return int(port)
