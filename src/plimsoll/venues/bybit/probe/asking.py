"""Checks of REST: stamps, rates, headers, paging, and how soon answers know what happened."""

import asyncio
import re
from typing import Any, Final, NamedTuple

import msgspec

from plimsoll.venues.bybit.api import CancelRequest, Reader, read_pushed
from plimsoll.venues.bybit.api.endpoint import Endpoint
from plimsoll.venues.bybit.api.orders import CANCEL, CREATE, OPEN_ORDERS, ORDER_HISTORY
from plimsoll.venues.bybit.api.parameters import encoded
from plimsoll.venues.bybit.codes import LIMIT_CODES
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.probe.check import Seen
from plimsoll.venues.bybit.probe.desk import ENDED, Desk
from plimsoll.venues.bybit.probe.errors import Unknown
from plimsoll.venues.bybit.rest import Answer, Heard

_RATE: Final = ("x-bapi-limit", "x-bapi-limit-reset-timestamp", "x-bapi-limit-status")
_EXPONENT: Final = re.compile(r'"-?\d+(?:\.\d+)?[eE][+-]?\d+"')
_WAITS_S: Final = (1, 5, 15)
_BURST_MOST: Final = 40
_WINDOW_S: Final = 1.1
"""Until nothing of ours counts any more."""

_TRIES: Final = 3
"""How often what must happen within a second may take longer before we give up."""


class _Told(NamedTuple):
    """An answer; the venue gave it between the two times."""

    asked_ns: int
    at_ns: int
    heard: Heard


def headers_of(heard: Heard) -> dict[str, str]:
    """Return an answer's headers, names as they were sent."""
    return {name.decode("latin-1"): text.decode("latin-1") for name, text in heard.headers}


async def _cancel_nothing(desk: Desk, shift_ms: int = 0) -> Answer:
    """Cancel an id that never was, stamped ``shift_ms`` from now: harmless, and always judged."""
    body = CancelRequest(
        category=desk.category, symbol=desk.symbol, client_order_id=desk.new_id()
    ).body()
    rest = desk.client.rest
    return await rest.post(CANCEL.path, encoded(body), rest.signed_ms() + shift_ms)


async def _stamped(desk: Desk, shift_ms: int) -> Seen:
    await desk.turn("cancel")
    answer = await _cancel_nothing(desk, shift_ms)
    return Seen("10002" if answer.code == 10002 else "taken", f"{answer.code} {answer.text}"[:200])


async def old_stamp(desk: Desk) -> Seen:
    """Stamp a request a second more than its receive window ago."""
    return await _stamped(desk, -desk.client.rest.settings.recv_window_ms - 1000)


async def young_stamp(desk: Desk) -> Seen:
    """Stamp a request well inside its receive window."""
    return await _stamped(desk, -desk.client.rest.settings.recv_window_ms // 2)


async def far_ahead(desk: Desk) -> Seen:
    """Stamp a request two and a half seconds ahead."""
    return await _stamped(desk, 2500)


async def near_ahead(desk: Desk) -> Seen:
    """Stamp a request four tenths of a second ahead."""
    return await _stamped(desk, 400)


# ---- headers and rates -----------------------------------------------------------------------


async def _one_cancel(desk: Desk) -> _Told:
    await desk.turn("cancel")
    since, asked_ns = desk.tape.mark(), desk.common.clock.now_ns()
    await _cancel_nothing(desk)
    return _Told(asked_ns, *desk.answer_of(CANCEL.path, since))


async def rate_header_case(desk: Desk) -> Seen:
    """Read the names of the rate headers as they are written."""
    told = await _one_cancel(desk)
    names = sorted(name for name in headers_of(told.heard) if name.lower() in _RATE)
    return Seen(" ".join(names) or "none")


async def rate_of_create(desk: Desk) -> Seen:
    """Read how many creates a second are allowed."""
    since = desk.tape.mark()
    await desk.rest_one()
    _, heard = desk.answer_of(CREATE.path, since)
    return Seen(_rate(heard, "x-bapi-limit"))


async def reset_when_free(desk: Desk) -> Seen:
    """Read the reset time of an answer that was not limited."""
    ahead_ms = _reset_ahead_ms(desk, await _one_cancel(desk))
    return Seen("about now" if abs(ahead_ms) <= 1000 else "another time", f"{ahead_ms:+d} ms")


async def rate_breach(desk: Desk) -> Seen:
    """Send cancels of nothing faster than allowed and read the refusal."""
    answers = await _burst(desk)
    codes = sorted({_code(one.heard) for one in answers})
    limited = [str(code) for code in codes if code in LIMIT_CODES]
    return Seen(" ".join(limited) or "no refusal", f"{len(answers)} at once were answered {codes}")


async def reset_after_breach(desk: Desk) -> Seen:
    """Send cancels of nothing faster than allowed and read the reset time."""
    for told in await _burst(desk):
        if _code(told.heard) in LIMIT_CODES:
            ahead_ms = _reset_ahead_ms(desk, told)
            is_soon = -200 <= ahead_ms <= 1200
            return Seen("within a second ahead" if is_soon else "another time", f"{ahead_ms:+d} ms")
    raise Unknown("no request was refused for its rate")


async def _burst(desk: Desk) -> list[_Told]:
    """Send a few more cancels of nothing than a second allows; return what was answered, when.

    Raises:
        Unknown: so many are allowed that we do not try, or they never fitted into a second.
    """
    limit = int(_rate((await _one_cancel(desk)).heard, "x-bapi-limit"))
    if limit > _BURST_MOST:
        raise Unknown(f"{limit} a second are allowed: more than this probe sends")
    for _ in range(_TRIES):
        await asyncio.sleep(_WINDOW_S)
        since, asked_ns = desk.tape.mark(), desk.common.clock.now_ns()
        begun_ns = desk.common.clock.monotonic_ns()
        await asyncio.gather(*(_cancel_nothing(desk) for _ in range(limit + 5)))
        took_ns = desk.common.clock.monotonic_ns() - begun_ns
        answers = [_Told(asked_ns, *pair) for pair in desk.tape.since(since)]
        found = [told for told in answers if told.heard.target == CANCEL.path]
        if took_ns < 1_000_000_000 or any(_code(told.heard) in LIMIT_CODES for told in found):
            await asyncio.sleep(_WINDOW_S)
            return found
    raise Unknown("the requests never were all answered within a second")


def _code(heard: Heard) -> int:
    try:
        return int(msgspec.json.decode(heard.content).get("retCode", 0))
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError):
        return heard.status


def _rate(heard: Heard, name: str) -> str:
    """Return a rate header.

    Raises:
        Unknown: it is missing or no number.
    """
    found = {key.lower(): text for key, text in headers_of(heard).items()}.get(name, "")
    if not found.isdigit():
        raise Unknown(f"the answer has no {name}")
    return found


def _reset_ahead_ms(desk: Desk, told: _Told) -> int:
    """Return how far ahead of the venue's time of the answer its reset time lies."""
    reset_ms = int(_rate(told.heard, "x-bapi-limit-reset-timestamp"))
    earliest, latest = _venue_ms(desk, told.asked_ns), _venue_ms(desk, told.at_ns)
    return reset_ms - min(max(reset_ms, earliest), latest)


def _venue_ms(desk: Desk, at_ns: int) -> int:
    offset_ns, _ = desk.client.rest.offset.at(at_ns)
    return (at_ns + offset_ns) // 1_000_000


async def time_headers(desk: Desk) -> Seen:
    """Look for headers that carry the venue's time."""
    _, at_ns, heard = await _one_cancel(desk)
    seconds = str(_venue_ms(desk, at_ns) // 1000)[:8]
    found = headers_of(heard)
    names = [name for name, text in found.items() if seconds in text or name.lower() == "date"]
    rate = [name for name in names if name.lower() not in _RATE]
    return Seen(" ".join(sorted(rate)) or "none", ", ".join(f"{n}: {found[n]}" for n in rate))


async def envelope_time(desk: Desk) -> Seen:
    """Look at the time in the envelope of an answer."""
    _, at_ns, heard = await _one_cancel(desk)
    found = msgspec.json.decode(heard.content).get("time")
    if not isinstance(found, int):
        return Seen(f"{type(found).__name__}", f"{found!r}")
    away_ms = found - _venue_ms(desk, at_ns)
    return Seen("a number of ms" if abs(away_ms) < 5000 else "another time", f"{away_ms:+d} ms")


async def success_text(desk: Desk) -> Seen:
    """Read the text of a success."""
    since = desk.tape.mark()
    await desk.rest_one()
    _, heard = desk.answer_of(CREATE.path, since)
    return Seen(repr(msgspec.json.decode(heard.content).get("retMsg")))


# ---- lists -----------------------------------------------------------------------------------


async def cursor(desk: Desk) -> Seen:
    """List two orders one a page: look at the cursor, and whether it leads on."""
    for _ in range(2):
        await desk.rest_one()
    params: dict[str, str | int] = {"category": desk.category, "symbol": desk.symbol, "limit": 1}
    first, text = await _page(desk, params)
    second, _ = await _page(desk, {**params, "cursor": text}) if text else ([], "")
    form = "no cursor" if not text else "percent-encoded" if "%" in text else "plain"
    leads = bool(first and second) and first[0].get("orderId") != second[0].get("orderId")
    return Seen(f"{form}, {'leads on' if leads else 'does not lead on'}", text[:100])


async def _page(desk: Desk, params: dict[str, str | int]) -> tuple[list[dict[str, Any]], str]:
    answer = await desk.client.rest.get(OPEN_ORDERS.path, params, signed=True)
    if not answer.is_ok:
        raise Unknown(f"{OPEN_ORDERS.path}: {answer.reason}")
    found = msgspec.json.decode(answer.result)
    return found.get("list") or [], str(found.get("nextPageCursor") or "")


async def closed_in_realtime(desk: Desk) -> Seen:
    """Look for a cancelled order among the recently closed ones."""
    link = await _cancelled(desk)

    async def ask() -> bool:
        rows = await desk.client.orders.recently_closed(desk.category, desk.symbol)
        return any(row.client_order_id == link for row in rows)

    return await _appears(desk, ask)


async def closed_by_id(desk: Desk) -> Seen:
    """Ask the open orders for a cancelled one by its id."""
    link = await _cancelled(desk)

    async def ask() -> bool:
        return await _lists(desk, OPEN_ORDERS, link)

    return await _appears(desk, ask)


async def history_lag(desk: Desk) -> Seen:
    """See how soon a cancelled order stands in the history."""
    link = await _cancelled(desk)

    async def ask() -> bool:
        return await _lists(desk, ORDER_HISTORY, link)

    return await _appears(desk, ask)


async def realtime_lag(desk: Desk) -> Seen:
    """See how soon after its answer an order is listed."""
    order = await desk.resting_order()
    await desk.create(order)

    async def ask() -> bool:
        return await _lists(desk, OPEN_ORDERS, order.client_order_id)

    return await _appears(desk, ask)


async def execution_lag(desk: Desk) -> Seen:
    """See how soon an execution is listed."""
    _, end = await desk.buy_least()
    link = str(end.get("orderLinkId"))

    async def ask() -> bool:
        rows = await desk.client.orders.executions(desk.category, desk.symbol, client_order_id=link)
        return bool(rows)

    return await _appears(desk, ask)


async def unknown_id(desk: Desk) -> Seen:
    """Ask for an order that never was."""
    params = {"category": desk.category, "symbol": desk.symbol, "orderLinkId": desk.new_id()}
    answer = await desk.client.rest.get(OPEN_ORDERS.path, params, signed=True)
    if not answer.is_ok:
        return Seen(str(answer.code), answer.text)
    rows = msgspec.json.decode(answer.result).get("list")
    return Seen("an empty list" if rows == [] else f"{rows!r}"[:80])


async def _cancelled(desk: Desk) -> str:
    order, _ = await desk.rest_one()
    await desk.cancel(order)
    await desk.told(order.client_order_id, *ENDED)
    return order.client_order_id


async def _lists(desk: Desk, endpoint: Endpoint[Any], link: str) -> bool:
    params = {"category": desk.category, "symbol": desk.symbol, "orderLinkId": link}
    answer = await desk.client.rest.get(endpoint.path, params, signed=True)
    if not answer.is_ok:
        raise Unknown(f"{endpoint.path}: {answer.reason}")
    return bool(msgspec.json.decode(answer.result).get("list"))


async def _appears(desk: Desk, ask: Any) -> Seen:  # noqa: ANN401 - a question of no arguments
    found, took_s = await desk.eventually(ask, bool, _WAITS_S[-1])
    if not found:
        return Seen(f"not within {_WAITS_S[-1]} s")
    within = next(wait for wait in _WAITS_S if took_s <= wait or wait == _WAITS_S[-1])
    return Seen(f"within {within} s", f"asked after {took_s * 1000:.0f} ms")


# ---- what all answers and frames have in common ----------------------------------------------


async def strange_words(desk: Desk) -> Seen:
    """Read everything that came so far and look for words the venue's pages do not list."""
    reader, _ = _read_all(desk)
    strange = sorted({*reader.strange, *desk.client.strange_words})
    shown = ", ".join(f"{kind} {word}" for kind, word in strange)
    return Seen("some" if strange else "none", shown[:300])


async def readable(desk: Desk) -> Seen:
    """Read every frame that came so far into our rows."""
    _, errors = _read_all(desk)
    return Seen("some not" if errors else "all", "; ".join(errors[:3]))


def _read_all(desk: Desk) -> tuple[Reader, list[str]]:
    reader, errors = Reader(), []
    for socket, category in ((desk.private, ""), (desk.public, desk.category)):
        for frame in socket.frames:
            if frame.topic:
                try:
                    read_pushed(reader, frame.raw.encode(), category)
                except ParseError as error:
                    errors.append(str(error))
    return reader, errors


async def exponents(desk: Desk) -> Seen:
    """Look for numbers written with an exponent, in everything that came so far."""
    texts = [frame.raw for frame in (*desk.private.frames, *desk.public.frames)]
    texts += [heard.content.decode("utf-8", "replace") for _, heard in desk.tape.heard]
    found = [match.group() for text in texts if (match := _EXPONENT.search(text))]
    return Seen("some" if found else "none", ", ".join(found[:5]))
