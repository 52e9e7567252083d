"""Checks at start that the key and the account are what this program can trade safely."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.errors import VenueUnreachable
from plimsoll.venues.bybit.rest import Answer, RestClient


class Weight(StrEnum):
    """What a finding means for the start."""

    KEY = "key"
    """The key is not usable: refuse."""

    ACCOUNT = "account"
    """The account's mode is not supported: refuse."""

    WARNING = "warning"
    """Tell the operator, go on."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be, and how to mend it."""

    weight: Weight
    code: str
    text: str
    fix: str


_T = TypeVar("_T")
_ALLOWED_RIGHTS: Final = {
    "ContractTrade": frozenset({"Order", "Position"}),
    "Spot": frozenset({"SpotTrade"}),
    "Derivatives": frozenset({"DerivativesTrade"}),
    "Options": frozenset({"OptionsTrade"}),
}
"""Every right outside this list is refused (reliability SEC-13)."""

_MARGIN_MODES: Final = ("ISOLATED_MARGIN", "REGULAR_MARGIN")
_UNIFIED: Final = (3, 4, 5, 6)
_EXPIRY_WARNING_DAYS: Final = 14
_KEY_PAGE: Final = "the venue's page of API keys"


class _Key(msgspec.Struct):
    readOnly: int = 0
    permissions: dict[str, list[str] | None] = {}
    ips: list[str] | None = None
    uta: int = 0
    deadlineDay: int | None = None


class _Account(msgspec.Struct):
    marginMode: str = ""
    unifiedMarginStatus: int = 0


class _PositionRow(msgspec.Struct):
    positionIdx: int = 0


async def check_key(rest: RestClient) -> list[Finding]:
    """Return what is wrong with the key; empty when all is well.

    Raises:
        VenueUnreachable: the question got no usable answer.
    """
    key = await rest.get("/v5/user/query-api", {}, signed=True)
    return _check_key(_decode(key, _Key)) if key.is_ok else [_refused_key(rest, key)]


async def check_account(rest: RestClient, instruments: Sequence[Instrument]) -> list[Finding]:
    """Return what is wrong with the account and its position mode; empty when all is well.

    Raises:
        VenueUnreachable: a question got no usable answer.
    """
    account = await rest.get("/v5/account/info", {}, signed=True)
    findings = _check_account(_decode(_required(account), _Account))
    for instrument in instruments:
        if not instrument.is_spot:
            findings += await _check_position_mode(rest, instrument)
    return findings


def _refused_key(rest: RestClient, answer: Answer) -> Finding:
    if answer.code < 10000 or answer.code in (10000, 10006, 10016):
        raise VenueUnreachable(f"{rest.settings.rest_url} query-api: {answer.reason}")
    fix = "check key, secret and bound address; a key belongs to one environment only"
    text = f"{rest.settings.rest_url} refused the key ({answer.code}: {answer.text})"
    return Finding(Weight.KEY, "key-refused", text, fix)


def _check_key(key: _Key) -> list[Finding]:
    findings = []
    rights = {(group, right) for group, held in key.permissions.items() for right in held or []}
    foreign = sorted(f"{g}.{r}" for g, r in rights if r not in _ALLOWED_RIGHTS.get(g, ()))
    if foreign:
        text = f"the key may do more than trade: {', '.join(foreign)}"
        findings.append(Finding(Weight.KEY, "key-rights", text, f"remove them on {_KEY_PAGE}"))
    if key.readOnly or not ({("ContractTrade", "Order"), ("Spot", "SpotTrade")} & rights):
        text = "the key may not send orders"
        fix = f"allow contract and spot orders on {_KEY_PAGE}"
        findings.append(Finding(Weight.KEY, "key-cannot-trade", text, fix))
    if key.uta != 1:
        fix = "upgrade the account to unified trading at the venue"
        text = "expected a Unified account, found a classic one"
        findings.append(Finding(Weight.ACCOUNT, "not-unified", text, fix))
    if not key.ips or "*" in key.ips:
        text = "the key is bound to no address: it works from anywhere and expires after 90 days"
        findings.append(Finding(Weight.WARNING, "key-unbound", text, f"bind it on {_KEY_PAGE}"))
    if key.deadlineDay is not None and 0 < key.deadlineDay <= _EXPIRY_WARNING_DAYS:
        text = f"the key expires in {key.deadlineDay} days"
        findings.append(Finding(Weight.WARNING, "key-expires", text, f"renew it on {_KEY_PAGE}"))
    return findings


def _check_account(account: _Account) -> list[Finding]:
    findings = []
    if account.marginMode not in _MARGIN_MODES:
        text = f"expected margin mode {' or '.join(_MARGIN_MODES)}, found {account.marginMode!r}"
        fix = "choose cross or isolated margin at the venue"
        findings.append(Finding(Weight.ACCOUNT, "margin-mode", text, fix))
    if account.unifiedMarginStatus not in _UNIFIED:
        text = f"expected a Unified account, found status {account.unifiedMarginStatus}"
        fix = "upgrade the account to unified trading at the venue"
        findings.append(Finding(Weight.ACCOUNT, "not-unified", text, fix))
    return findings


async def _check_position_mode(rest: RestClient, instrument: Instrument) -> list[Finding]:
    params = {"category": instrument.category, "symbol": instrument.symbol}
    rows = await rest.rows("/v5/position/list", params, signed=True)
    if isinstance(rows, Answer):
        raise VenueUnreachable(f"{rest.settings.rest_url} position/list: {rows.reason}")
    try:
        found = [
            msgspec.json.decode(row, type=_PositionRow, strict=False).positionIdx for row in rows
        ]
    except msgspec.MsgspecError as error:
        raise VenueUnreachable(f"position/list: unreadable answer: {error}") from error
    if not any(found):
        return []
    text = f"{instrument.name}: expected one-way mode (positionIdx 0), found {found}"
    fix = "close the positions, cancel the orders and switch to one-way mode at the venue"
    return [Finding(Weight.ACCOUNT, "hedge-mode", text, fix)]


def _required(answer: Answer) -> Answer:
    if not answer.is_ok:
        raise VenueUnreachable(f"account/info: {answer.reason}")
    return answer


def _decode(answer: Answer, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.result, type=kind, strict=False)
    except msgspec.MsgspecError as error:
        raise VenueUnreachable(f"unreadable answer about key or account: {error}") from error
