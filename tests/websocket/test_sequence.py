from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.websocket.arbiter import HOLD_MESSAGES, HOLD_NS, Trust
from plimsoll.websocket.sequence import MessageId, SequenceArbiter

A, B = 1, 2
MS = 1_000_000
SECOND = 1000 * MS


class Script:
    """An arbiter fed by literal events; a message is its order, its payload order and copy."""

    def __init__(self, *numbers):
        self.arbiter = SequenceArbiter()
        self.now = SECOND
        for number in numbers:
            self.join(number)

    def join(self, copy):
        self.now += MS
        self.arbiter.join(copy, self.now)

    def take(self, copy, order, key=""):
        self.now += MS
        payload = f"{order}{key} by {copy}".encode()
        return shown(self.arbiter.take(copy, MessageId(order, order, key), payload, self.now))

    def wait(self, ns=HOLD_NS):
        self.now += ns
        return shown(self.arbiter.tick(self.now))

    def leave(self, copy, proven_ago_ns=0):
        return shown(self.arbiter.leave(copy, self.now - proven_ago_ns))

    def trust(self, copy):
        return self.arbiter.copies[copy].trust


def shown(payloads):
    return [payload.decode() for payload in payloads]


def pair():
    script = Script(A, B)
    assert script.take(A, 1) == ["1 by 1"]
    assert script.take(B, 1) == []
    assert script.trust(B) is Trust.PROVEN
    return script


def test_the_first_arrival_passes_and_the_second_does_not():
    script = pair()
    assert script.take(B, 2) == ["2 by 2"]
    assert script.take(A, 2) == []
    assert script.take(A, 3) == ["3 by 1"]
    assert script.arbiter.copies[A].firsts == 2
    assert script.arbiter.copies[A].duplicates == 1


def test_a_repeated_message_is_no_news():
    script = Script(A)
    script.take(A, 1)
    assert script.take(A, 1) == []


def test_one_that_joins_ahead_waits_until_the_other_gets_there():
    script = Script(A)
    script.take(A, 1)
    script.join(B)
    assert script.take(B, 3) == []
    assert script.take(B, 4) == []
    assert script.take(A, 2) == ["2 by 1"]
    assert script.take(A, 3) == ["3 by 1", "4 by 2"]


def test_the_death_of_one_of_two_cannot_be_seen():
    script = pair()
    script.take(A, 2)
    assert script.leave(A) == []
    assert script.take(B, 2) == []
    assert script.take(B, 3) == ["3 by 2"]
    assert script.arbiter.breaks == []


def test_one_that_never_spoke_goes_on_unseen_if_it_was_there_before_the_last_proof_of_life():
    script = Script(A, B)
    script.take(A, 1)
    script.now += 2 * SECOND
    script.leave(A)
    assert script.take(B, 2) == ["2 by 2"]
    assert script.arbiter.breaks == []


def test_one_that_came_after_the_last_proof_of_life_goes_on_with_a_word_about_it():
    script = Script(A)
    script.take(A, 1)
    script.now += 5 * SECOND
    script.join(B)
    assert script.take(B, 3) == []
    assert script.leave(A, proven_ago_ns=4 * SECOND) == ["3 by 2"]
    assert script.arbiter.breaks == ["the connection that carried it ended"]


def test_one_that_came_a_moment_before_the_last_proof_of_life_may_have_missed_a_batch():
    script = Script(A)
    script.take(A, 1)
    script.now += 5 * SECOND
    script.join(B)
    script.now += SECOND // 2
    script.leave(A)
    assert script.arbiter.breaks == ["the connection that carried it ended"]


def test_one_that_waits_for_a_silent_one_goes_on_after_the_hold():
    script = Script(A)
    script.take(A, 1)
    script.join(B)
    assert script.take(B, 3) == []
    assert script.wait(HOLD_NS - 1) == []
    assert script.wait(1) == ["3 by 2"]
    assert script.arbiter.breaks == ["the connection that carried it is silent"]
    assert script.take(A, 2) == [], "too late: newer ones were passed on"


def test_one_that_waits_beside_a_speaking_one_goes_on_waiting():
    script = Script(A)
    script.join(B)
    script.take(A, 1)
    script.take(B, 9)
    script.take(A, 2)
    assert script.wait() == []
    assert script.arbiter.due_ns == script.now + HOLD_NS
    assert script.take(A, 3) == ["3 by 1"]


def test_another_message_at_a_known_place_sets_its_connection_aside():
    script = pair()
    script.take(A, 2)
    assert script.take(B, 2, key="cut differently") == []
    assert script.trust(B) is Trust.RESERVE
    assert script.take(B, 3) == []
    assert script.take(A, 3) == ["3 by 1"]


def test_a_reserve_takes_over_with_its_next_message():
    script = pair()
    script.take(A, 2)
    script.take(B, 2, key="x")
    assert script.leave(A) == []
    assert script.arbiter.breaks[0] == "the connection that carried it ended"
    assert script.take(B, 3, key="x") == ["3x by 2"]


def test_what_a_reserve_brings_of_before_is_left_out_and_told_of():
    script = pair()
    script.take(A, 4)
    script.take(B, 3, key="x")
    script.leave(A)
    script.arbiter.breaks.clear()
    overlapping = MessageId(5, 4, "x")
    assert script.arbiter.take(B, overlapping, b"4 and 5", script.now) == []
    assert script.arbiter.breaks == ["two connections cut it differently"]
    assert script.take(B, 6, key="x") == ["6x by 2"]


def test_one_that_is_never_proven_ends_as_a_reserve():
    script = Script(A, B)
    script.take(A, 1)
    for order in range(2, 3 + HOLD_MESSAGES):
        script.take(B, order, key="x")
    assert script.trust(B) is Trust.RESERVE


def test_after_a_reset_the_next_message_begins_a_stream():
    script = pair()
    script.leave(A)
    script.leave(B)
    script.arbiter.reset()
    script.join(B)
    assert script.take(B, 1) == ["1 by 2"]


def test_a_message_that_cannot_be_told_from_others_passes_only_where_there_is_one_copy():
    script = Script(A)
    assert shown(script.arbiter.take(A, None, b"?", script.now)) == ["?"]
    script.join(B)
    assert script.arbiter.take(B, None, b"?", script.now) == []
    assert script.trust(B) is Trust.RESERVE


# ---- whatever happens ----


class Run:
    """A truth of numbered events; A brings them one by one, B perhaps in pairs from a place on."""

    def __init__(self, pairs_from):
        self.arbiter = SequenceArbiter()
        self.now = SECOND
        self.pairs_from = pairs_from
        self.length = 1
        self.next = {A: -1, B: -1}
        self.sent = []
        self.end = -1
        self.way = None
        self.is_broken = True

    def step(self, copy):
        first = self.next[copy]
        is_pair = copy == B and first >= self.pairs_from
        return 2 if is_pair else 1

    def join(self, copy):
        self.leave(copy, is_sudden=True)
        start = self.length
        if copy == B and start >= self.pairs_from:
            start -= (start - self.pairs_from) % 2  # the batch that is being filled
        self.next[copy] = start
        self.arbiter.join(copy, self.now)

    def leave(self, copy, *, is_sudden):
        if self.next[copy] < 0:
            return
        self.hand_on(self.arbiter.leave(copy, 0 if is_sudden else self.now))
        self.next[copy] = -1
        if all(at < 0 for at in self.next.values()):
            self.arbiter.reset()
            self.is_broken, self.end = True, -1

    def deliver(self, copy):
        first, size = self.next[copy], self.step(copy)
        if first < 0 or first + size > self.length:
            return
        self.next[copy] = first + size
        self.now += MS
        self.sent.append((first, first + size - 1, size))
        identity = MessageId(first + size - 1, first, size)
        self.hand_on(self.arbiter.take(copy, identity, str(len(self.sent) - 1).encode(), self.now))

    def hand_on(self, passed):
        if self.arbiter.breaks:
            self.is_broken, self.arbiter.breaks = True, []
        for payload in passed:
            first, last, size = self.sent[int(payload)]
            assert first > self.end, "older after newer, or twice"
            assert self.is_broken or first == self.end + 1, "a hole that nobody was told of"
            self.end, self.way, self.is_broken = last, size, False

    def play(self, event, copy, amount):
        match event:
            case "grow":
                self.length += 1
            case "deliver":
                for _ in range(amount):
                    self.deliver(copy)
            case "join":
                self.join(copy)
            case "leave" | "die":
                # Before a sudden death the other side may have been silent for long.
                if event == "leave":
                    while 0 <= self.next[copy] <= self.length - self.step(copy):
                        self.deliver(copy)
                is_batching = self.next[copy] != self.length
                self.leave(copy, is_sudden=event == "die" or is_batching)
            case _:
                self.now += 100 * amount * MS
                self.hand_on(self.arbiter.tick(self.now))

    def calm(self):
        for _ in range(20):
            self.length += 2
            for copy in (A, B):
                while 0 <= self.next[copy] <= self.length - self.step(copy):
                    self.deliver(copy)
            self.now += 150 * MS
            self.hand_on(self.arbiter.tick(self.now))


EVENTS = st.tuples(
    st.sampled_from(("grow", "grow", "deliver", "deliver", "join", "leave", "die", "wait")),
    st.sampled_from((A, B)),
    st.integers(0, 4),
)


@settings(max_examples=200)
@given(st.lists(EVENTS, max_size=80), st.sampled_from((1_000_000, 1_000_000, 0, 4)))
def test_nothing_comes_twice_or_too_late_and_a_hole_is_told_of(events, pairs_from):
    run = Run(pairs_from)
    for event, copy, amount in [("join", A, 0), ("join", B, 0), *events]:
        run.play(event, copy, amount)
    run.calm()
    if any(at >= 0 for at in run.next.values()):
        assert run.end >= run.length - 2, "it must go on by itself"
