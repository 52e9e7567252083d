"""From merged values to typed settings, or to errors that name file, key and remedy."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from plimsoll.config.errors import ConfigError
from plimsoll.config.layers import Layer, merge, origin
from plimsoll.config.schema import LATER, Settings, StrategyEntry
from plimsoll.core.model import Mode, cash_text
from plimsoll.core.settings import NO_LIMIT

_EXPECTED: Final = {
    "string_type": "expected text in quotes",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
}
_LIST_OF_TABLES: Final = "expected a list of tables: write [[strategy]] with two brackets"


def checked(layers: Sequence[Layer]) -> Settings:
    """Return the settings the layers describe.

    Raises:
        ConfigError: for the first thing wrong; its ``others`` hold the rest.
    """
    values = merge(layers)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        errors = [_error(detail, values, layers) for detail in error.errors(include_url=False)]
    else:
        errors = list(_contradictions(settings, layers))
        if not errors:
            return settings
    first, *others = errors
    first.others = tuple(others)
    raise first


def _error(detail: ErrorDetails, values: dict[str, Any], layers: Sequence[Layer]) -> ConfigError:
    path = detail["loc"]
    key, kind = _dotted(path, values), detail["type"]
    file = origin(layers, path)
    if kind == "extra_forbidden":
        return _unknown(path, key, file)
    if kind == "missing":
        return ConfigError(
            file=file,
            key=key,
            expected="this key is required",
            hint=_MISSING.get(key.rpartition(".")[2], ""),
        )
    return ConfigError(
        file=file,
        key=key,
        expected=_expected(detail, path),
        found=_shown(detail["input"]),
    )


_MISSING: Final = {
    "account": '[account] needs at least: tag = "abc"',
    "tag": 'such as tag = "abc": it begins every order id, so choose one per account',
}


def _expected(detail: ErrorDetails, path: tuple[str | int, ...]) -> str:
    kind = detail["type"]
    if kind == "value_error":
        return f"expected {detail['ctx']['error']}"
    if kind in ("literal_error", "enum"):
        return f"expected {detail['ctx']['expected'].replace(chr(39), chr(34))}"
    if kind == "tuple_type" and path == ("strategy",):
        return _LIST_OF_TABLES
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"expected a number {'from' if 'ge' in detail['ctx'] else 'up to'} {_bound(detail)}"
    return _EXPECTED.get(kind, f"expected {detail['msg'].removeprefix('Input should be ')}")


def _bound(detail: ErrorDetails) -> object:
    return next(iter(detail["ctx"].values()))


def _unknown(path: tuple[str | int, ...], key: str, file: str) -> ConfigError:
    general = ".".join(step for step in path if isinstance(step, str))
    if general in LATER:
        hint = f"{LATER[general]}; take the key out"
    else:
        known = known_keys(path[:-1])
        near = difflib.get_close_matches(str(path[-1]).lower(), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return ConfigError(file=file, key=key, expected="this key is not known", hint=hint)


def known_keys(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys a table of the configuration may have."""
    model: type[BaseModel] | None = Settings
    for step in path:
        if isinstance(step, str) and model is not None and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model inside ``Model``, ``tuple[Model, ...]`` or ``dict[str, Model]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def _dotted(path: tuple[str | int, ...], tree: dict[str, Any]) -> str:
    """Return the key as people say it: list entries by their name, else counted from 1."""
    words: list[str] = []
    values: Any = tree
    for step in path:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            values = None
        if isinstance(step, int) and isinstance(values, dict) and "name" in values:
            words.append(str(values["name"]))
        elif isinstance(step, int):
            words[-1] += f"[{step + 1}]"
        else:
            words.append(step)
    return ".".join(words)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# ---- what single keys cannot show ----


def _contradictions(settings: Settings, layers: Sequence[Layer]) -> Iterator[ConfigError]:
    yield from _repeated_names(settings, layers)
    yield from _live_capital(settings, layers)
    yield from _shared_instruments(settings, layers)
    yield from _venue_errors(settings, layers)
    yield from _watchdog_errors(settings, layers)
    yield from _limit_errors(settings, layers)


def _repeated_names(settings: Settings, layers: Sequence[Layer]) -> Iterator[ConfigError]:
    seen: set[str] = set()
    for number, entry in enumerate(settings.strategy):
        if entry.name in seen:
            yield ConfigError(
                file=origin(layers, ("strategy", number)),
                key=f"strategy.{entry.name}.name",
                expected="each instance needs a name of its own",
                found=f'a second "{entry.name}"',
            )
        seen.add(entry.name)


def _live_capital(settings: Settings, layers: Sequence[Layer]) -> Iterator[ConfigError]:
    """Refuse a capital of the live instance that is missing, has no instance, or is the larger."""
    for number, entry in enumerate(settings.strategy):
        expected, hint = _wrong_live_capital(entry)
        if expected:
            written = ("strategy", number, "live_capital")
            is_there = "live_capital" in entry.model_fields_set
            yield ConfigError(
                file=origin(layers, written if is_there else written[:2]),
                key=f"strategy.{entry.name}.live_capital",
                expected=expected,
                found=cash_text(entry.live_capital) if is_there else "",
                hint=hint,
            )


def _wrong_live_capital(entry: StrategyEntry) -> tuple[str, str]:
    """Return what is expected instead and how to mend it, twice nothing where all is well."""
    live, whole = entry.live_capital, entry.capital
    if entry.mode is Mode.HYBRID and not live:
        hint = 'such as live_capital = "500 USDT": it is what its live instance sizes orders by'
        return 'mode = "hybrid" needs it above zero', hint
    if entry.mode is Mode.LIVE and live:
        hint = 'take it out: capital is what it has; or mode = "hybrid"'
        return 'mode = "live" has one instance, and no second capital', hint
    if live and live > whole:
        hint = "raise capital, which the instance on paper sizes orders by, or lower live_capital"
        return f"a live instance has no more than capital, {cash_text(whole)}", hint
    return "", ""


def _shared_instruments(settings: Settings, layers: Sequence[Layer]) -> Iterator[ConfigError]:
    """Refuse a second live instance on an instrument: their stops and fees would mix."""
    owners: dict[str, str] = {}
    for number, entry in enumerate(settings.strategy):
        if entry.mode is Mode.PAPER:
            continue
        for name in entry.instruments:
            if name in owners:
                yield ConfigError(
                    file=origin(layers, ("strategy", number)),
                    key=f"strategy.{entry.name}.instruments",
                    expected="a live instrument belongs to one strategy instance",
                    found=f'{name}, which "{owners[name]}" trades as well',
                    hint="give one of them a sub-account, or run it on paper",
                )
            owners[name] = entry.name


def _venue_errors(settings: Settings, layers: Sequence[Layer]) -> Iterator[ConfigError]:
    venue, account = settings.venue, settings.account
    if venue.url and venue.environment != "simulator":
        yield ConfigError(
            file=origin(layers, ("venue", "url")),
            key="venue.url",
            expected='only venue.environment = "simulator" has an address of its own',
            found=f'"{venue.environment}"',
        )
    for name, other in (("key", "secret"), ("secret", "key")):
        if getattr(account, name) and not getattr(account, other):
            yield ConfigError(
                file=origin(layers, ("account", name)),
                key=f"account.{other}",
                expected=f"account.{name} needs account.{other} beside it",
            )
    live = [entry.name for entry in settings.strategy if entry.mode is not Mode.PAPER]
    if live and not account.key:
        yield ConfigError(
            file=origin(layers, ("account",)),
            key="account.key",
            expected=f'strategy "{live[0]}" is live and needs a key',
            hint='key = "file:secrets/key" and secret = "file:secrets/secret", or mode = "paper"',
        )


def _watchdog_errors(settings: Settings, layers: Sequence[Layer]) -> Iterator[ConfigError]:
    watchdog = settings.watchdog
    for name, other in (("key", "secret"), ("secret", "key")):
        if getattr(watchdog, name) and not getattr(watchdog, other):
            yield ConfigError(
                file=origin(layers, ("watchdog", name)),
                key=f"watchdog.{other}",
                expected=f"watchdog.{name} needs watchdog.{other} beside it",
            )
    if watchdog.flatten and not settings.account.dedicated:
        yield ConfigError(
            file=origin(layers, ("watchdog", "flatten")),
            key="watchdog.flatten",
            expected="only account.dedicated = true may be flattened without a journal",
            hint="it closes every position of the account, by whomever it was opened",
        )
    if watchdog.restart < watchdog.patience:
        yield ConfigError(
            file=origin(layers, ("watchdog", "restart")),
            key="watchdog.restart",
            expected="a restart is given at least watchdog.patience",
        )


def _limit_errors(settings: Settings, layers: Sequence[Layer]) -> Iterator[ConfigError]:
    names = [entry.name for entry in settings.strategy]
    for name, narrow in settings.limits.strategy.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            yield ConfigError(
                file=origin(layers, ("limits", "strategy", name)),
                key=f"limits.strategy.{name}",
                expected="no instance has this name",
                hint=f"did you mean {near[0]!r}?" if near else f"instances: {', '.join(names)}",
            )
        yield from _wider("strategy", name, narrow, settings, layers)
    for name, bound in settings.limits.instrument.items():
        yield from _wider("instrument", name, bound, settings, layers)


def _wider(
    kind: str, name: str, narrow: BaseModel, settings: Settings, layers: Sequence[Layer]
) -> Iterator[ConfigError]:
    whose = "an instance's" if kind == "strategy" else "an instrument's"
    for key in sorted(narrow.model_fields_set):
        widest = getattr(settings.limits, key, None)  # none where the account's is left out
        if getattr(narrow, key) > (NO_LIMIT if widest is None else widest):
            yield ConfigError(
                file=origin(layers, ("limits", kind, name, key)),
                key=f"limits.{kind}.{name}.{key}",
                expected=f"{whose} limit can only be narrower than limits.{key}",
                hint=f"lower it, or raise limits.{key} if the whole account may have more",
            )
