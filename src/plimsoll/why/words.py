"""A record in words for a person: what happened, in the instrument's own units."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from plimsoll.core.model import Instrument, Side, cash_text
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    AskRefused,
    BarChanged,
    BarReported,
    Blocked,
    BookChanged,
    CallbackCut,
    CancelIntended,
    ExecutionReported,
    Halted,
    IncidentRaised,
    LinkChanged,
    LiveEnded,
    ModeSet,
    OperatorCommand,
    OrderDenied,
    OrderIntended,
    OrderReported,
    OrderSent,
    OutcomeLost,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperFunded,
    PaperFundingOwed,
    PaperOrderIntended,
    PaperReported,
    PublicTraded,
    QueryAnswered,
    QueryIntended,
    Rearmed,
    Record,
    RequestAnswered,
    SendRefused,
    SessionStopping,
    SignalReceived,
    StrategyStopped,
    TickerChanged,
    TimerFired,
)

Instruments = Mapping[str, Instrument]
_HEAD: Final = ("seq", "ts_ns", "epoch", "cause")


def words_of(record: Record, instruments: Instruments, about: str = "") -> tuple[str, str]:
    """Return a short label and a sentence for a record; any record has both.

    ``about``: the instrument, for records that name only their order.
    """
    if isinstance(record, AmendIntended | PaperAmendIntended):
        return "amend", _new_terms(record, instruments, about)
    if isinstance(record, PaperFilled):
        return "fill", _paper_filled(record, instruments, about)
    found = _WORDS.get(type(record))
    if found is not None:
        label, say = found
        return label, say(record, instruments)
    shown = msgspec.to_builtins(record)
    fields = dict(zip(record.__struct_fields__, shown[1:], strict=False))
    rest = " ".join(f"{key}={value}" for key, value in fields.items() if key not in _HEAD)
    return str(type(record).__struct_config__.tag), rest


def _terms(record: Any, instruments: Instruments) -> str:  # noqa: ANN401 - anything with terms
    side = "buy" if record.side is Side.BUY else "sell"
    price = _price(instruments, record.instrument, record.price_ticks)
    return f"{side} {_qty(instruments, record.instrument, record.qty_lots)} at {price}"


def _intended(record: OrderIntended | PaperOrderIntended, instruments: Instruments) -> str:
    rest = [str(record.order_type), str(record.tif)]
    rest += ["reduce-only"] if record.reduce_only else []
    rest += [f"for its {record.label}"] if record.label else []
    said = f"{record.owner} wants to {_terms(record, instruments)} on {record.instrument}"
    return f"{said} ({', '.join(rest)})"


def _signalled(record: SignalReceived, _instruments: Instruments) -> str:
    age_ms = record.ts_ns // 1_000_000 - record.at_ms
    age = f", made {age_ms:,} ms before" if record.at_ms else ""
    return f"{record.actor} tells {record.owner} {record.payload} ({record.id}{age})"


def _ask_refused(record: AskRefused, _instruments: Instruments) -> str:
    times = "" if record.times == 1 else f", {record.times:,} times so far"
    call = f"{record.ask} {record.instrument}"
    return f"refuses {record.owner} {call} at once{times}: {record.code}: {record.text}"


def _denied(record: OrderDenied, instruments: Instruments) -> str:
    said = f"{record.owner} wanted to {_terms(record, instruments)} on {record.instrument}"
    return f"{said}: refused, {record.code}: {record.text}"


def _new_terms(
    record: AmendIntended | PaperAmendIntended, instruments: Instruments, about: str
) -> str:
    price = _price(instruments, about, record.price_ticks)
    return f"new terms: {_qty(instruments, about, record.qty_lots)} in all, at {price}"


def _answered(record: RequestAnswered, _instruments: Instruments) -> str:
    code = f" ({record.code} {record.text})" if record.code else ""
    return f"the venue answers to the {record.action}: {record.outcome}{code}"


def _reported(record: OrderReported, instruments: Instruments) -> str:
    done = _qty(instruments, record.instrument, record.cum_lots)
    whole = _qty(instruments, record.instrument, record.qty_lots)
    why = f", {record.reason}" if record.reason else ""
    return f"the venue reports {record.status}, {done} of {whole} matched{why} ({record.source})"


def _executed(record: ExecutionReported, instruments: Instruments) -> str:
    way = "maker" if record.is_maker else "taker"
    return (
        f"{record.kind}: {_terms(record, instruments)}, {way}, fee {cash_text(record.fee_units)} "
        f"{record.fee_coin}, execution {record.execution_id} ({record.source})"
    )


def _paper_filled(record: PaperFilled, instruments: Instruments, about: str) -> str:
    price = _price(instruments, about, record.price_ticks)
    qty = _qty(instruments, about, record.qty_lots)
    way = "maker" if record.is_maker else "taker"
    return f"paper: {qty} at {price}, {way}, fee {cash_text(record.fee_units)} {record.fee_coin}"


def _paper_reported(record: PaperReported, _instruments: Instruments) -> str:
    return f"the paper venue reports {record.status}{_because(record.reason)}"


def _funded(record: PaperFunded, _instruments: Instruments) -> str:
    did = "pays" if record.paid_units >= 0 else "receives"
    by = ", as the venue told afterwards" if record.owed else ""
    return (
        f"paper: {record.owner} {did} {cash_text(abs(record.paid_units))} {record.coin} of funding "
        f"on {cash_text(record.qty_units)} at mark {cash_text(record.mark_e8)}, "
        f"rate {record.rate_e12 / 1e10:g} %{by}"
    )


def _owed(record: PaperFundingOwed, _instruments: Instruments) -> str:
    return (
        f"paper: nobody heard what {record.owner} owes for {cash_text(record.qty_units)} from "
        f"{record.since_ms} to {record.until_ms} ms; the venue is asked"
    )


def _book(record: BookChanged, _instruments: Instruments) -> str:
    kind = "snapshot" if record.is_snapshot else "change"
    best = [
        f"{name} {rows[0][0]:g} x {rows[0][1]:g}"
        for name, rows in (("bids", record.bids), ("asks", record.asks))
        if rows
    ]
    return f"{kind} of the book of {record.instrument}, {', '.join(best) or 'no rows'}"


def _printed(record: PublicTraded, _instruments: Instruments) -> str:
    last = record.rows[-1] if record.rows else (0.0, 0.0, True, 0)
    return f"{len(record.rows)} prints of {record.instrument}, last {last[1]:g} at {last[0]:g}"


def _ticker(record: TickerChanged, _instruments: Instruments) -> str:
    told = {"last": record.last, "mark": record.mark, "index": record.index}
    return f"{record.instrument}: " + ", ".join(f"{k} {v:g}" for k, v in told.items() if v)


def _bar(record: BarChanged | BarReported, _instruments: Instruments) -> str:
    return f"minute of {record.instrument} from {record.start_ms} ms"


def _query(record: QueryIntended, _instruments: Instruments) -> str:
    what = record.client_order_id or record.instrument or record.category or record.settle
    return f"asks the venue: {record.kind} {what}".rstrip()


def _queried(record: QueryAnswered, _instruments: Instruments) -> str:
    return f"{record.rows} rows" if record.is_ok else f"the query failed: {record.reason}"


def _mode(record: ModeSet) -> str:
    how = f" ({record.policy})" if record.policy else ""
    proof = f", evidence {record.evidence}" if record.evidence else ""
    cap = f", at most {cash_text(record.cap_units)} at risk" if record.cap_units else ""
    return f"goes to {record.mode}{how} by {record.actor}{proof}{cap}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _qty(instruments: Instruments, name: str, lots: int) -> str:
    found = instruments.get(name)
    return found.qty_text(lots) if found else f"{lots} lots"


def _price(instruments: Instruments, name: str, ticks: int) -> str:
    if not ticks:
        return "the market"
    found = instruments.get(name)
    return found.price_text(ticks) if found else f"{ticks} ticks"


_WORDS: Final[dict[type[Record], tuple[str, Callable[[Any, Instruments], str]]]] = {
    BookChanged: ("market", _book),
    PublicTraded: ("market", _printed),
    TickerChanged: ("market", _ticker),
    BarChanged: ("market", _bar),
    BarReported: ("market", _bar),
    TimerFired: ("timer", lambda one, _: f"the core had asked to be woken (due {one.due_ns})"),
    OperatorCommand: ("command", lambda one, _: f"{one.actor}: {one.cmd} {one.args}"),
    LinkChanged: ("link", lambda one, _: f"{one.link} {'up' if one.is_up else 'down'}"),
    SessionStopping: ("stop", lambda one, _: one.reason),
    OrderIntended: ("intent", _intended),
    PaperOrderIntended: ("paper", _intended),
    CancelIntended: ("cancel", lambda one, _: f"asks for a cancel: {one.reason}"),
    PaperCancelIntended: ("cancel", lambda one, _: f"asks for a cancel: {one.reason}"),
    OrderDenied: ("denial", _denied),
    AskRefused: ("refused", _ask_refused),
    SignalReceived: ("signal", _signalled),
    OrderSent: ("sent", lambda one, _: f"{one.action} written, by {one.via}, {one.request_id}"),
    SendRefused: ("not sent", lambda one, _: f"{one.action} not sent: {one.reason}"),
    RequestAnswered: ("answer", _answered),
    OrderReported: ("order", _reported),
    ExecutionReported: ("fill", _executed),
    PaperReported: ("order", _paper_reported),
    PaperFunded: ("funding", _funded),
    PaperFundingOwed: ("funding", _owed),
    OutcomeLost: ("unknown", lambda one, _: f"outcome of the {one.action} lost: {one.reason}"),
    AbsenceShown: ("absent", lambda one, _: f"{one.action}: {one.evidence}"),
    QueryIntended: ("query", _query),
    QueryAnswered: ("result", _queried),
    Halted: ("halt", lambda one, _: f"halted by {one.actor}{_because(one.reason)}"),
    Rearmed: ("resume", lambda one, _: f"re-armed by {one.actor}{_because(one.reason)}"),
    Blocked: ("block", lambda one, _: f"{one.instrument} blocked: {one.reason}"),
    StrategyStopped: ("stopped", lambda one, _: f"{one.owner} stopped: {one.reason}"),
    ModeSet: ("mode", lambda one, _: f"{one.strategy} {_mode(one)}{_because(one.reason)}"),
    LiveEnded: ("mode", lambda one, _: f"{one.book} is flat and ended"),
    CallbackCut: ("cut", lambda one, _: f"{one.callback} of {one.owner} did not return"),
    IncidentRaised: ("incident", lambda one, _: f"{one.code} {one.subject}: {one.text}"),
}
