"""Which faults are active, and which message each of them hits. No clock, no chance of its own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from plimsoll.simulator.brain.numbers import drawn_fraction
from plimsoll.simulator.faults.ask import Ask, FaultError
from plimsoll.simulator.faults.catalogue import CATALOGUE, Kind, Manner

Choose = Callable[[str, int], int]
"""(label, n) to a number below n; 0 is always the harmless choice."""
_PARTS: Final = 1_000_000
_NEVER: Final = 1 << 63
_SECOND_NS: Final = 1_000_000_000
_ENDED_KEPT: Final = 1000
ACTIVE_MOST: Final = 200
"""Faults active or scheduled at one time."""


def chooser(seed: int) -> Choose:
    """Return choices that depend on the seed, the label and how often it was asked."""
    counts: dict[str, int] = {}

    def choose(label: str, n: int) -> int:
        counts[label] = counts.get(label, 0) + 1
        return int(drawn_fraction(seed, label, counts[label]) * n)

    return choose


class Where(msgspec.Struct, frozen=True):
    """What a message is part of; empty where that is not known."""

    uid: int = 0
    kind: str = ""
    connection: int = 0
    topic: str = ""
    symbol: str = ""
    endpoint: str = ""


class Active(msgspec.Struct):
    """A fault that began and has not ended."""

    id: str
    ask: Ask
    entry: Kind
    uid: int
    """0 where every account is meant."""
    begun_ns: int
    ends_ns: int
    source: str
    next_ns: int = _NEVER
    """When it happens again, for faults that happen once."""
    effects: int = 0
    chosen: dict[str, bool] = {}
    """What it was drawn to hit, for faults that last."""


class Change(msgspec.Struct, frozen=True):
    """A fault begins, happens or ends."""

    event: str
    fault: Active


class Plan:
    """The active and the coming faults of one exchange."""

    def __init__(self, choose: Choose, uids: Mapping[str, int]) -> None:
        """Draw with ``choose``; ``uids`` are the accounts by key."""
        self.choose = choose
        self.active: dict[str, Active] = {}
        self.next_ns = _NEVER
        """Nothing begins, happens or ends before."""
        self._uids = dict(uids)
        self._coming: list[tuple[int, Active]] = []
        self._by_name: dict[str, list[Active]] = {}
        self._asked = 0

    def add(self, ask: Ask, now_ns: int, source: str) -> Active:
        """Plan a fault ``ask.at_s`` from now; it begins with the next ``advance``.

        Raises:
            FaultError: the account is unknown, or too many faults are planned.
        """
        uid = self._uid(ask.account)
        if len(self.active) + len(self._coming) >= ACTIVE_MOST:
            raise FaultError("", f"{ACTIVE_MOST} faults are planned already: stop some")
        self._asked += 1
        at_ns = now_ns + int(ask.at_s * _SECOND_NS)
        is_over = ask.entry.manner is Manner.ONCE and not ask.every_s
        lasts_ns = int(ask.duration_s * _SECOND_NS)
        ends_ns = at_ns if is_over else at_ns + lasts_ns if lasts_ns else _NEVER
        fault = Active(f"f{self._asked}", ask, ask.entry, uid, at_ns, ends_ns, source)
        self._coming.append((at_ns, fault))
        self._coming.sort(key=lambda item: item[0])
        self._look()
        return fault

    def stop(self, fault_id: str, now_ns: int) -> bool:
        """End a fault with the next ``advance``; return whether there is one of this id."""
        fault = self.active.get(fault_id)
        if fault is not None:
            fault.ends_ns = now_ns
            self._look()
            return True
        before = len(self._coming)
        self._coming = [item for item in self._coming if item[1].id != fault_id]
        self._look()
        return len(self._coming) < before

    def advance(self, now_ns: int) -> list[Change]:
        """Return what begins, happens and ends up to now, in this order for each fault."""
        changes: list[Change] = []
        while self._coming and self._coming[0][0] <= now_ns:
            fault = self._coming.pop(0)[1]
            self.active[fault.id] = fault
            self._by_name.setdefault(fault.ask.name, []).append(fault)
            changes.append(Change("begin", fault))
            if fault.entry.manner is Manner.ONCE:
                fault.next_ns = fault.begun_ns
                if fault.ask.every_s:  # not at its very beginning: nobody is connected yet
                    fault.next_ns += self._wait_ns(fault)
        for fault in list(self.active.values()):
            while fault.next_ns <= min(now_ns, fault.ends_ns):
                changes.append(Change("occur", fault))
                fault.next_ns = (
                    fault.next_ns + self._wait_ns(fault) if fault.ask.every_s else _NEVER
                )
            if fault.ends_ns <= now_ns:
                changes.append(Change("end", fault))
                del self.active[fault.id]
                self._by_name[fault.ask.name].remove(fault)
        self._look()
        return changes

    def is_active(self, name: str) -> bool:
        """Return whether a fault of this name is active at all: the cheap question."""
        return bool(self._by_name.get(name))

    def hit(self, name: str, where: Where) -> Active | None:
        """Return the fault of this name that hits a message, drawn with its rate."""
        for fault in self._by_name.get(name, ()):
            if reaches(fault, where) and self._drawn(f"{fault.id}:{name}", fault.ask.rate):
                fault.effects += 1
                return fault
        return None

    def holding(self, name: str, where: Where) -> Active | None:
        """Return the lasting fault of this name something is under, drawn once for each."""
        for fault in self._by_name.get(name, ()):
            if reaches(fault, where) and self.is_chosen(fault, where):
                return fault
        return None

    def is_chosen(self, fault: Active, where: Where) -> bool:
        """Return whether a lasting fault was drawn to hit this part of what it reaches."""
        part = f"{where.connection or where.uid}/{where.topic or where.symbol}"
        if part not in fault.chosen:
            fault.chosen[part] = self._drawn(f"{fault.id}:{fault.ask.name}:{part}", fault.ask.rate)
        return fault.chosen[part]

    def drawn_ms(self, fault: Active) -> float:
        """Return how late one message is under a fault: anything up to its size."""
        return self.choose(f"{fault.id}:ms", 1000) / 999 * fault.ask.size

    def coming(self) -> list[Active]:
        """Return the faults that have not begun, the next one first."""
        return [fault for _, fault in self._coming]

    def _drawn(self, label: str, rate: float) -> bool:
        if rate >= 1:
            return True
        return self.choose(label, _PARTS) >= _PARTS - round(rate * _PARTS)

    def _wait_ns(self, fault: Active) -> int:
        share = self.choose(f"{fault.id}:wait", _PARTS) / _PARTS
        return int(fault.ask.every_s * (0.5 + share) * _SECOND_NS)

    def _uid(self, account: str) -> int:
        if not account:
            return 0
        known = {str(uid): uid for uid in self._uids.values()} | self._uids
        if account not in known:
            raise FaultError("account", f"no account {account!r}; one of {', '.join(known)}")
        return known[account]

    def _look(self) -> None:
        """Note when there is something to do again."""
        times = [at_ns for at_ns, _ in self._coming[:1]]
        times += [min(fault.next_ns, fault.ends_ns) for fault in self.active.values()]
        self.next_ns = min(times, default=_NEVER)


def reaches(fault: Active, where: Where) -> bool:
    """Return whether a message lies in a fault's scope."""
    ask = fault.ask
    return (
        (not fault.uid or fault.uid == where.uid)
        and (not ask.kind or _is_kind(ask.kind, where.kind))
        and (not ask.connection or ask.connection == where.connection)
        and (not ask.topic or _begins(where.topic, ask.topic))
        and (not ask.symbol or where.symbol in (ask.symbol, ask.symbol.rpartition(":")[2]))
        and (not ask.endpoint or _begins(path_of(where.endpoint), path_of(ask.endpoint)))
    )


def path_of(endpoint: str) -> str:
    """Return one spelling of ``/v5/order/create`` and ``order.create``."""
    return endpoint.removeprefix("/v5/").replace("/", ".")


def faults_drawn(choose: Choose, chaos_s: float) -> Iterable[Ask]:
    """Yield a random subset of the catalogue with random rates; all are over after ``chaos_s``.

    Each choice of 0 leaves a fault out, so a run shrinks towards no fault.
    """
    for name, entry in CATALOGUE.items():
        if not entry.drawn_most or choose(f"drawn:{name}", 10) < 7:
            continue
        begin = choose(f"drawn:{name}:at", _PARTS) / _PARTS * chaos_s * 0.8
        share = choose(f"drawn:{name}:rate", _PARTS) / _PARTS
        lasts = choose(f"drawn:{name}:length", _PARTS) / _PARTS * (chaos_s - begin)
        if entry.manner is Manner.ONCE:
            yield Ask(name, at_s=round(begin, 3))
            continue
        rate = max(0.001, round(share * entry.drawn_most, 4))
        yield Ask(name, at_s=round(begin, 3), duration_s=max(0.05, round(lasts, 3)), rate=rate)


def _begins(text: str, prefix: str) -> bool:
    return text == prefix or text.startswith(f"{prefix}.")


def _is_kind(asked: str, found: str) -> bool:
    return asked == found or (asked == "public" and found in ("linear", "spot", "status"))
