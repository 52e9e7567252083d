"""Brings an account to the state the engine trades in: read, compare, change, read again.

Reading and comparing change nothing. Each difference is one step with the one request that would
end it; what no request can end (a right, the kind of account) is a refusal. Setting what is so
already is success.
"""

from collections.abc import Awaitable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from plimsoll.venues.bybit.account import Finding, Weight, check_key
from plimsoll.venues.bybit.api.account import MarginModeWord
from plimsoll.venues.bybit.api.account_rows import AccountInfo, DcpInfo, KeyInfo, UserSettings
from plimsoll.venues.bybit.api.caller import CallFailed, Change
from plimsoll.venues.bybit.api.client import BybitClient
from plimsoll.venues.bybit.api.position_rows import Position
from plimsoll.venues.bybit.errors import CredentialsRefused
from plimsoll.venues.bybit.rest import End

FoundT = TypeVar("FoundT")

MARGIN_MODES: Final[Mapping[str, MarginModeWord]] = {
    "cross": "REGULAR_MARGIN",
    "isolated": "ISOLATED_MARGIN",
}
"""Our words for the margin modes the engine trades in, and the venue's."""

_UNIFIED: Final = (3, 4, 5, 6)


class Standing(StrEnum):
    """How a setting stands."""

    SO = "as wanted"
    CHANGE = "to change"
    UNREADABLE = "not readable"
    """The venue does not say; where a request is named, it is set without looking."""

    WARNING = "warning"
    REFUSED = "refused"
    """The engine does not start so, and no request of ours changes it."""


class SetMarginMode(msgspec.Struct, frozen=True, tag=True):
    """Set the margin mode of the account."""

    mode: MarginModeWord


class SetOneWay(msgspec.Struct, frozen=True, tag=True):
    """Set one-way mode for a symbol."""

    symbol: str


class SetLeverage(msgspec.Struct, frozen=True, tag=True):
    """Set the leverage of a symbol."""

    symbol: str
    leverage: Decimal


class RefuseFarPrices(msgspec.Struct, frozen=True, tag=True):
    """Have prices beyond the limit refused instead of moved: the price sent is the price meant."""

    category: str


Setting = SetMarginMode | SetOneWay | SetLeverage | RefuseFarPrices


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The state an account should have."""

    symbols: tuple[str, ...] = ()
    """Contracts that are traded."""

    categories: tuple[str, ...] = ()
    margin_mode: str = ""
    """``cross``, ``isolated``, or empty: either will do."""

    leverage: Decimal = Decimal(0)
    """Of each contract; zero leaves it."""


class State(msgspec.Struct, kw_only=True):
    """What was read of an account; ``missing`` says why a part could not be."""

    key: KeyInfo | None = None
    findings: list[Finding] = []
    info: AccountInfo | None = None
    positions: dict[str, list[Position]] = {}
    settings: UserSettings | None = None
    protection: DcpInfo | None = None
    missing: dict[str, str] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: how it is, how it should be, and what would make it so."""

    subject: str
    have: str
    want: str = ""
    standing: Standing = Standing.SO
    request: str = ""
    """The request in words; empty where there is none to make."""

    setting: Setting | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the request of a step."""

    subject: str
    request: str
    is_done: bool
    text: str


async def read_state(client: BybitClient, wanted: Wanted) -> State:
    """Read everything that is compared; a part the venue does not offer here is missing.

    Raises:
        CallFailed: the venue stopped answering, or refuses the key.
        CredentialsRefused: there is no key.
        VenueUnreachable: it gave no usable answer about the key.
        ParseError: an answer cannot be read.
    """
    if not client.rest.settings.has_key:
        raise CredentialsRefused("an account is looked at with a key: set account.key")
    state = State(findings=await check_key(client.rest))
    if any(finding.code == "key-refused" for finding in state.findings):
        return state
    account = client.account
    state.key = await _part(state, "key", account.key())
    state.info = await _part(state, "account", account.info())
    state.settings = await _part(state, "price adjustment", account.user_settings())
    state.protection = await _part(state, "disconnect protection", account.disconnect_cancel())
    for symbol in wanted.symbols:
        found = await _part(state, f"position of {symbol}", client.positions.open(symbol))
        state.positions[symbol] = found or []
    return state


async def _part(state: State, what: str, asked: Awaitable[FoundT]) -> FoundT | None:
    try:
        return await asked
    except CallFailed as failed:
        if failed.answer.end is not End.REFUSED:
            raise
        state.missing[what] = failed.answer.reason
        return None


def steps_of(state: State, wanted: Wanted) -> list[Step]:
    """Return every setting, those that are as wanted among them."""
    steps = _key_steps(state)
    if state.info is not None:
        steps += [_kind_step(state.info), _margin_step(state.info, wanted)]
    for symbol in wanted.symbols:
        rows = state.positions.get(symbol, [])
        steps += [_mode_step(symbol, rows), *_leverage_steps(symbol, rows, wanted)]
    steps += [_adjustment_step(state.settings, category) for category in wanted.categories]
    steps += _protection_steps(state)
    steps += [
        Step(subject=what, have=f"not to be had: {reason}", standing=Standing.UNREADABLE)
        for what, reason in state.missing.items()
    ]
    return steps


def pending(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that a request would change."""
    return [step for step in steps if step.setting is not None]


async def apply(client: BybitClient, steps: Sequence[Step]) -> list[Made]:
    """Make the request of each step that has one, in order; a refused one stops none of the rest.

    Account-wide settings come first, because the others follow from them.
    """
    made = []
    for step in pending(steps):
        assert step.setting is not None
        try:
            change = await _make(client, step.setting)
        except CallFailed as failed:
            is_done, text = False, failed.answer.reason
            if failed.answer.end is not End.REFUSED:
                text += "; whether it was done is not known: read again"
        else:
            is_done, text = True, "done" if change.is_changed else "was so already"
        made.append(Made(subject=step.subject, request=step.request, is_done=is_done, text=text))
    return made


async def _make(client: BybitClient, setting: Setting) -> Change:
    match setting:
        case SetMarginMode(mode):
            return await client.account.set_margin_mode(mode)
        case SetOneWay(symbol):
            return await client.positions.switch_mode(is_hedge=False, symbol=symbol)
        case SetLeverage(symbol, leverage):
            return await client.positions.set_leverage(symbol, leverage)
        case RefuseFarPrices(category):
            return await client.account.set_price_adjustment(category, is_on=False)


# ---- one setting each ------------------------------------------------------------------------


def _key_steps(state: State) -> list[Step]:
    steps = [
        Step(
            subject="key",
            have=finding.text,
            want=finding.fix,
            standing=Standing.WARNING if finding.weight is Weight.WARNING else Standing.REFUSED,
        )
        for finding in state.findings
    ]
    key = state.key
    if key is not None:
        rights = sorted(f"{group}.{one}" for group, held in key.permissions.items() for one in held)
        steps.append(Step(subject="key rights", have=", ".join(rights) or "none"))
        until = f"until {key.expires_at}" if key.expires_at else "does not end"
        days = f", {key.days_left} days" if key.days_left else ""
        steps.append(Step(subject="key life", have=until + days))
    return steps


def _kind_step(info: AccountInfo) -> Step:
    is_unified = info.unified_status in _UNIFIED
    return Step(
        subject="account",
        have="unified" if is_unified else f"status {info.unified_status}",
        want="unified",
        standing=Standing.SO if is_unified else Standing.REFUSED,
    )


def _margin_step(info: AccountInfo, wanted: Wanted) -> Step:
    known: dict[str, str] = {venue: ours for ours, venue in MARGIN_MODES.items()}
    have = known.get(info.margin_mode, info.margin_mode)
    want = wanted.margin_mode or " or ".join(MARGIN_MODES)
    if have == wanted.margin_mode or (not wanted.margin_mode and have in MARGIN_MODES):
        return Step(subject="margin mode", have=have, want=want)
    if not wanted.margin_mode:
        want += ": choose one as account.margin_mode"
        return Step(subject="margin mode", have=have, want=want, standing=Standing.REFUSED)
    return Step(
        subject="margin mode",
        have=have,
        want=want,
        standing=Standing.CHANGE,
        request=f"POST /v5/account/set-margin-mode {MARGIN_MODES[want]}",
        setting=SetMarginMode(MARGIN_MODES[want]),
    )


def _mode_step(symbol: str, rows: Sequence[Position]) -> Step:
    subject = f"position mode {symbol}"
    if not rows:
        return Step(subject=subject, have="unknown", want="one-way", standing=Standing.UNREADABLE)
    if not any(row.position_idx for row in rows):
        return Step(subject=subject, have="one-way", want="one-way")
    return Step(
        subject=subject,
        have="hedge",
        want="one-way",
        standing=Standing.CHANGE,
        request=f"POST /v5/position/switch-mode {symbol} mode 0",
        setting=SetOneWay(symbol),
    )


def _leverage_steps(symbol: str, rows: Sequence[Position], wanted: Wanted) -> list[Step]:
    found = {row.leverage for row in rows if row.leverage is not None}
    have = ", ".join(sorted(f"{one.normalize():f}" for one in found)) or "unknown"
    subject, want = f"leverage {symbol}", f"{wanted.leverage.normalize():f}"
    if not wanted.leverage:
        return [Step(subject=subject, have=have)]
    if found == {wanted.leverage}:
        return [Step(subject=subject, have=have, want=want)]
    return [
        Step(
            subject=subject,
            have=have,
            want=want,
            standing=Standing.CHANGE if found else Standing.UNREADABLE,
            request=f"POST /v5/position/set-leverage {symbol} {want}",
            setting=SetLeverage(symbol, wanted.leverage),
        )
    ]


def _adjustment_step(settings: UserSettings | None, category: str) -> Step:
    subject, want = f"prices beyond the limit, {category}", "refused"
    is_on = None
    if settings is not None:
        is_on = settings.adjusts_spot if category == "spot" else settings.adjusts_linear
    if is_on is False:
        return Step(subject=subject, have="refused", want=want)
    return Step(
        subject=subject,
        have="unknown" if is_on is None else "moved to it",
        want=want,
        standing=Standing.UNREADABLE if is_on is None else Standing.CHANGE,
        request=f"POST /v5/account/set-limit-px-action {category} modifyEnable false",
        setting=RefuseFarPrices(category),
    )


def _protection_steps(state: State) -> list[Step]:
    if state.protection is None:
        return []
    products = state.protection.products
    have = ", ".join(f"{one.product} {one.status} {one.window_s} s" for one in products)
    return [Step(subject="disconnect protection", have=have or "not open to this account")]
