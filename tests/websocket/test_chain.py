from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.websocket.arbiter import HOLD_MESSAGES, HOLD_NS, Trust
from plimsoll.websocket.chain import STALL_NS, ChainArbiter, ChainId

A, B = 1, 2
MS = 1_000_000
SECOND = 1000 * MS


class Script:
    """An arbiter fed by literal events; payloads name number and copy, an ``s`` a snapshot."""

    def __init__(self, *numbers):
        self.arbiter = ChainArbiter()
        self.now = SECOND
        for number in numbers:
            self.arbiter.join(number, self.now)

    def snapshot(self, copy, number, content=None):
        return self._take(copy, number, content, True)

    def change(self, copy, number, content=None):
        return self._take(copy, number, content, False)

    def _take(self, copy, number, content, is_snapshot):
        identity = ChainId(number, 10 * number if content is None else content, is_snapshot)
        payload = f"{'s' if is_snapshot else ''}{number} by {copy}".encode()
        return shown(self.arbiter.take(copy, identity, payload, self.now))

    def wait(self, ns=HOLD_NS):
        self.now += ns
        return shown(self.arbiter.tick(self.now))

    def leave(self, copy):
        return shown(self.arbiter.leave(copy, self.now))

    def trust(self, copy):
        return self.arbiter.copies[copy].trust


def shown(payloads):
    return [payload.decode() for payload in payloads]


def pair():
    """Return a script in which both copies have shown that they count alike, at number 10."""
    script = Script(A, B)
    assert script.snapshot(A, 10) == ["s10 by 1"]
    assert script.snapshot(B, 10) == []
    assert script.trust(B) is Trust.PROVEN
    return script


# ---- first arrivals ----


def test_the_first_arrival_passes_and_the_second_does_not():
    script = pair()
    assert script.change(A, 11) == ["11 by 1"]
    assert script.change(B, 11) == []
    assert script.change(B, 12) == ["12 by 2"]
    assert script.change(A, 12) == []
    copy = script.arbiter.copies
    assert (copy[A].firsts, copy[A].duplicates) == (2, 1)
    assert (copy[B].firsts, copy[B].duplicates) == (1, 2)


def test_changes_before_a_snapshot_mean_nothing():
    script = Script(A)
    assert script.change(A, 9) == []
    assert script.snapshot(A, 10) == ["s10 by 1"]


def test_a_copy_that_did_not_join_is_not_heard():
    script = Script(A)
    assert script.snapshot(B, 10) == []


# ---- a later connection ----


def test_the_snapshot_of_a_later_connection_is_not_new_information():
    script = Script(A)
    script.snapshot(A, 10)
    script.change(A, 11)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 11) == []
    assert script.trust(B) is Trust.PROVEN


def test_one_that_joins_ahead_waits_until_the_other_reaches_its_snapshot():
    script = Script(A)
    script.snapshot(A, 10)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 12) == []
    assert script.change(B, 13) == []
    assert script.change(A, 11) == ["11 by 1"]
    assert script.change(A, 12) == ["12 by 1", "13 by 2"]
    assert script.trust(B) is Trust.PROVEN


def test_one_that_joins_ahead_of_a_dead_one_goes_on_with_its_snapshot():
    script = Script(A)
    script.snapshot(A, 10)
    script.arbiter.join(B, script.now)
    script.snapshot(B, 12)
    script.change(B, 13)
    assert script.leave(A) == ["s12 by 2", "13 by 2"]


def test_one_that_joins_ahead_of_a_silent_one_goes_on_after_the_hold():
    script = Script(A)
    script.snapshot(A, 10)
    script.arbiter.join(B, script.now)
    script.snapshot(B, 12)
    assert script.wait(HOLD_NS - 1) == []
    assert script.wait(1) == ["s12 by 2"]
    assert script.change(A, 11) == []
    assert script.change(B, 13) == ["13 by 2"]


def test_one_that_joins_behind_proves_itself_by_the_next_number_both_brought():
    script = Script(A)
    script.snapshot(A, 10)
    script.change(A, 11)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 9) == []
    assert script.trust(B) is Trust.UNPROVEN
    assert script.change(B, 10) == []
    assert script.trust(B) is Trust.PROVEN


# ---- holes ----


def test_a_hole_is_filled_by_the_other_connection():
    script = pair()
    assert script.change(A, 12) == []
    assert script.change(A, 13) == []
    assert script.change(B, 11) == ["11 by 2"]
    assert script.change(B, 12) == ["12 by 2", "13 by 1"]
    assert script.arbiter.due_ns == 0
    assert script.arbiter.copies[A].held == 2


def test_what_waits_for_a_hole_that_nobody_fills_passes_and_the_gap_shows():
    script = pair()
    assert script.change(A, 12) == []
    assert script.wait(HOLD_NS - 1) == []
    assert script.wait(1) == ["12 by 1"]
    assert script.arbiter.copies[A].gaps == 1
    assert script.change(B, 11) == []
    assert script.change(A, 13) == ["13 by 1"]


def test_nobody_waits_for_a_hole_both_have():
    script = pair()
    assert script.change(A, 12) == []
    assert script.change(B, 12) == ["12 by 1"]


def test_nobody_waits_for_a_connection_that_is_gone():
    script = pair()
    script.change(A, 12)
    assert script.leave(B) == ["12 by 1"]
    assert script.change(A, 14) == ["14 by 1"]


def test_no_more_than_so_many_messages_wait():
    script = pair()
    for number in range(12, 12 + HOLD_MESSAGES):
        assert script.change(A, number) == []
    assert len(script.change(A, 12 + HOLD_MESSAGES)) == HOLD_MESSAGES + 1


def test_what_follows_on_a_connection_that_left_a_number_out_is_compared_first():
    script = pair()
    script.change(A, 11)
    assert script.change(B, 12) == [], "it never brought 11: 12 may be cut differently"
    assert script.change(A, 12, content=121) == ["12 by 1"]
    assert script.trust(B) is Trust.RESERVE


def test_what_nobody_can_vouch_for_is_asked_for_anew_rather_than_passed():
    script = pair()
    script.change(A, 11)
    script.change(B, 12)
    assert script.leave(A) == []
    assert script.arbiter.renewals == [B]


# ---- deaths ----


def test_the_death_of_one_of_two_cannot_be_seen():
    script = pair()
    script.change(A, 11)
    assert script.leave(A) == []
    assert script.change(B, 11) == []
    assert script.change(B, 12) == ["12 by 2"]
    assert script.arbiter.renewals == []


def test_after_a_reset_only_a_snapshot_begins():
    script = pair()
    script.leave(A)
    script.leave(B)
    script.arbiter.reset()
    script.arbiter.join(A, script.now)
    assert script.change(A, 11) == []
    assert script.snapshot(A, 5) == ["s5 by 1"], "what was passed before counts for nothing"


# ---- services that count anew ----


def test_a_service_that_counts_anew_is_believed_once():
    script = pair()
    assert script.snapshot(A, 1, content=200) == ["s1 by 1"]
    assert script.change(B, 11) == [], "of before, although the number is higher"
    assert script.wait() == []
    assert script.snapshot(B, 1, content=200) == []
    assert script.change(B, 2, content=210) == ["2 by 2"]
    assert script.change(A, 2, content=210) == []


def test_a_snapshot_out_of_the_blue_is_a_successor_like_any_other():
    script = pair()
    assert script.snapshot(A, 11) == ["s11 by 1"]
    assert script.snapshot(B, 11) == []
    assert script.change(B, 12) == ["12 by 2"]


def test_a_snapshot_with_a_lower_number_out_of_the_blue_counts_anew():
    script = pair()
    script.change(A, 11)
    assert script.snapshot(A, 4, content=120) == ["s4 by 1"]
    assert script.change(A, 5, content=130) == ["5 by 1"]


def test_a_late_join_snapshot_of_before_a_restart_never_passes():
    script = Script(A)
    script.snapshot(A, 10)
    script.snapshot(A, 1, content=200)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 12, content=120) == []
    assert script.wait() == []
    assert script.change(A, 2, content=210) == ["2 by 1"]


def test_a_late_join_snapshot_is_not_compared_with_what_counts_otherwise():
    script = Script(A)
    script.snapshot(A, 10)
    script.snapshot(A, 1, content=200)
    script.arbiter.join(B, script.now)
    script.snapshot(B, 4, content=40)
    for number in (2, 3, 4, 5):
        assert script.change(A, number, content=200 + number) == [f"{number} by 1"]
    assert script.trust(B) is Trust.UNPROVEN


def test_what_waits_of_before_a_restart_does_not_pass_when_its_number_comes_again():
    script = pair()
    script.snapshot(A, 1, content=200)
    assert script.change(B, 11) == []
    assert script.snapshot(B, 1, content=200) == []
    for number in range(2, 11):
        assert script.change(A, number, content=200 + number) == [f"{number} by 1"]
    assert script.change(B, 2, content=202) == []


# ---- connections that cut differently, or count for themselves ----


def test_two_contents_of_one_number_are_not_mixed():
    script = pair()
    assert script.change(A, 11, content=110) == ["11 by 1"]
    assert script.change(B, 11, content=111) == []
    assert script.trust(B) is Trust.RESERVE
    assert script.change(B, 12, content=121) == []
    assert script.change(A, 12, content=120) == ["12 by 1"]


def test_when_the_followed_one_dies_the_reserve_is_renewed():
    script = pair()
    script.change(A, 11, content=110)
    script.change(B, 11, content=111)
    assert script.arbiter.renewals == []
    script.leave(A)
    assert script.arbiter.renewals == [B]


def test_a_reserve_takes_over_with_a_renewal_from_one_that_is_silent_but_not_gone():
    script = pair()
    script.change(A, 11, content=110)
    script.change(B, 11, content=111)
    script.now += STALL_NS - 1
    script.change(B, 12, content=121)
    assert script.arbiter.renewals == []
    script.now += 1
    script.change(B, 13, content=131)
    assert script.arbiter.renewals == [B]
    script.leave(B)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 14, content=141) == ["s14 by 2"]
    assert script.change(A, 12, content=120) == []
    assert script.change(B, 15, content=151) == ["15 by 2"]


def test_a_renewed_reserve_does_not_begin_with_what_is_older_than_the_last():
    script = pair()
    script.change(A, 11, content=110)
    script.change(B, 11, content=111)
    script.now += STALL_NS
    script.change(B, 12, content=121)
    script.leave(B)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 9, content=91) == []


def test_a_renewed_reserve_is_no_heir_if_the_other_spoke_again():
    script = pair()
    script.change(A, 11, content=110)
    script.change(B, 11, content=111)
    script.now += STALL_NS
    script.change(B, 12, content=121)
    script.change(A, 12, content=120)
    script.leave(B)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 12, content=121) == []
    assert script.trust(B) is Trust.RESERVE


def test_a_connection_that_counts_for_itself_never_passes_by_coincidence():
    script = Script(A)
    script.snapshot(A, 10)
    script.arbiter.join(B, script.now)
    assert script.snapshot(B, 4, content=100) == []
    for number in range(5, 11):
        assert script.change(B, number, content=100 + number) == []
    assert script.change(B, 11, content=111) == []
    assert script.wait() == []


def test_a_connection_that_counts_backwards_is_renewed():
    script = pair()
    script.change(A, 11)
    assert script.change(A, 5) == []
    assert script.arbiter.renewals == [A]


def test_a_message_without_a_number_makes_its_connection_useless():
    script = pair()
    assert script.arbiter.take(B, None, b"?", script.now) == []
    assert script.trust(B) is Trust.RESERVE
    assert script.arbiter.breaks
    assert script.change(A, 11) == ["11 by 1"]


# ---- whatever happens ----


class Venue:
    """The truth, and two connections to it that lag, lose, break and cut as they are told.

    A message is (place in the truth, number, content, is snapshot, way of cutting).
    """

    def __init__(self, offset, cut_from):
        self.offset, self.cut_from = offset, cut_from
        self.numbers = [5]
        self.restarts = {0}
        self.at = {A: -1, B: -1}

    def grow(self):
        self.numbers.append(self.numbers[-1] + 1)

    def restart(self):
        self.restarts.add(len(self.numbers))
        self.numbers.append(1)

    def message(self, copy, place, is_snapshot):
        number, content, way = self.numbers[place], 10 * place, 0
        if copy == B:
            counts_apart = place < min((r for r in self.restarts if r), default=place + 1)
            number += self.offset if counts_apart else 0
            if place >= self.cut_from:
                way, content = 1, content + 1
        is_snapshot = is_snapshot or (place in self.restarts and place > 0)
        return place, number, content, is_snapshot, way


class Book:
    """What is built of the output; refuses a hole, as the real one does."""

    def __init__(self, cut_from):
        self.cut_from = cut_from
        self.place: int | None = None
        self.number = 0
        self.newest = -1
        self.way = None

    def void(self):
        self.place, self.newest = None, -1

    def apply(self, message):
        place, number, _, is_snapshot, way = message
        # A snapshot may say again what is known: a state, not an event.
        assert place > self.newest - is_snapshot, "older after newer, or twice"
        self.newest = place
        if is_snapshot:
            self.place, self.number = place, number
            self.way = way if place >= self.cut_from else None
            return
        if self.place is None or number != self.number + 1:
            self.place = None  # a gap that shows
            return
        assert place == self.place + 1, "a hole that does not show"
        if place >= self.cut_from:
            assert self.way in (None, way), "two ways of cutting in one book"
            self.way = way
        self.place, self.number = place, number


class Run:
    def __init__(self, offset, cut_from):
        self.venue, self.book = Venue(offset, cut_from), Book(cut_from)
        self.arbiter = ChainArbiter()
        self.now = SECOND
        self.sent = []

    def join(self, copy, lag):
        self.leave(copy)
        venue = self.venue
        place = max(0, len(venue.numbers) - 1 - lag)
        self.arbiter.join(copy, self.now)
        self.bring(copy, place, is_snapshot=True)

    def leave(self, copy):
        self.hand_on(self.arbiter.leave(copy, self.now))
        self.venue.at[copy] = -1
        if all(at < 0 for at in self.venue.at.values()):
            self.arbiter.reset()
            self.book.void()

    def deliver(self, copy):
        at = self.venue.at[copy]
        if 0 <= at < len(self.venue.numbers) - 1:
            self.bring(copy, at + 1, is_snapshot=False)

    def lose(self, copy):
        at = self.venue.at[copy]
        if 0 <= at < len(self.venue.numbers) - 1 and at + 1 not in self.venue.restarts:
            self.venue.at[copy] += 1

    def bring(self, copy, place, *, is_snapshot):
        self.venue.at[copy] = place
        message = self.venue.message(copy, place, is_snapshot)
        self.sent.append(message)
        identity = ChainId(message[1], message[2], message[3])
        payload = str(len(self.sent) - 1).encode()
        self.hand_on(self.arbiter.take(copy, identity, payload, self.now))

    def wait(self, ms):
        self.now += ms * MS
        self.hand_on(self.arbiter.tick(self.now))

    def hand_on(self, passed):
        for payload in passed:
            self.book.apply(self.sent[int(payload)])

    def renew(self):
        numbers, self.arbiter.renewals = self.arbiter.renewals, []
        for number in numbers:
            if self.venue.at[number] >= 0:
                self.join(number, 0)

    def play(self, event, copy, amount):
        match event:
            case "grow":
                self.venue.grow()
            case "restart":
                self.venue.restart()
            case "deliver":
                for _ in range(amount):
                    self.deliver(copy)
            case "lose":
                self.lose(copy)
            case "join":
                self.join(copy, amount)
            case "leave":
                self.leave(copy)
            case _:
                self.wait(100 * amount)
        self.renew()

    def calm(self):
        """Let everything that is connected arrive, and the venue go on for a while."""
        for round_ in range(30):
            self.venue.grow()
            for copy in (A, B):
                while 0 <= self.venue.at[copy] < len(self.venue.numbers) - 1:
                    self.deliver(copy)
                    self.renew()
            self.wait(100)
            self.renew()
            if self.book.place is None and round_ % 10 == 9:  # the engine's look at broken books
                here = [copy for copy in (A, B) if self.venue.at[copy] >= 0]
                for copy in here:
                    self.leave(copy)
                for copy in here:
                    self.join(copy, 0)


WEIGHTED = ("grow", "grow", "deliver", "deliver", "deliver", "lose", "join", "leave", "wait")
EVENTS = st.tuples(
    st.sampled_from((*WEIGHTED, "restart")), st.sampled_from((A, B)), st.integers(0, 4)
)


@settings(max_examples=200)
@given(
    st.lists(EVENTS, max_size=80),
    st.sampled_from((0, 0, 0, 1, 3, -3, 1000)),
    st.sampled_from((1_000_000, 1_000_000, 4, 9)),
)
def test_the_output_is_gap_free_or_its_gap_shows_and_nothing_comes_twice_or_too_late(
    events, offset, cut_from
):
    run = Run(offset, cut_from)
    for event, copy, amount in [("join", A, 0), ("join", B, 0), *events]:
        run.play(event, copy, amount)
    run.calm()
    if any(at >= 0 for at in run.venue.at.values()):
        assert run.book.place == len(run.venue.numbers) - 1, "it must recover by itself"
