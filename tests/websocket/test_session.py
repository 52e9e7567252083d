import itertools

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.websocket.session import (
    SECOND,
    AuthAccepted,
    AuthRefused,
    Close,
    Connect,
    Down,
    Malformed,
    Notice,
    Pong,
    Report,
    Send,
    Session,
    SessionSettings,
    State,
    Subscribed,
    SubscribeRefused,
    TopicPhase,
    Up,
)


class PlainDialect:
    """Speaks lines of text: ``sub 1 a,b``."""

    def __init__(self, *, auth=b"login", batch=2, requires_all=False, silence=0):
        self.login, self.batch, self.requires_all = auth, batch, requires_all
        self.silence = silence

    def auth(self):
        return self.login

    def subscribe(self, topics, request_id):
        return f"sub {request_id} {','.join(topics)}".encode()

    def unsubscribe(self, topics, request_id):
        return f"unsub {request_id} {','.join(topics)}".encode()

    def ping(self, request_id):
        return b"ping"

    def topic_of(self, payload):
        return None

    def control(self, payload):
        return None

    def silence_ns(self, topic):
        return self.silence


def sent(actions):
    return [action.payload.decode() for action in actions if isinstance(action, Send)]


def live_session(topics=("a",), now=0, **dialect):
    session = Session(PlainDialect(auth=None, **dialect), topics)
    session.start(now)
    for text in sent(session.opened(now)):
        session.control(Subscribed(text.split()[1]), now, 0.5)
    assert session.is_up
    return session


def test_goes_live_after_login_and_all_acknowledgements():
    session = Session(PlainDialect(), ("a", "b", "c"))
    assert session.start(0) == [Connect()]
    assert sent(session.opened(1)) == ["login"]
    assert sent(session.control(AuthAccepted(), 2, 0.5)) == ["sub 1 a,b", "sub 2 c"]
    assert session.control(Subscribed("2"), 3, 0.5) == []
    assert session.control(Subscribed("1"), 4, 0.5) == [Up()]


def test_goes_live_at_once_without_topics():
    session = Session(PlainDialect())
    session.start(0)
    session.opened(0)
    assert session.control(AuthAccepted(), 1, 0.5) == [Up()]


def test_an_acknowledgement_without_id_answers_the_oldest_request():
    session = Session(PlainDialect(auth=None), ("a", "b", "c"))
    session.start(0)
    session.opened(0)
    assert session.control(Subscribed(""), 1, 0.5) == []
    assert session.control(Subscribed(""), 1, 0.5) == [Up()]


def test_first_reconnect_comes_within_a_tenth_of_a_second_and_delays_grow_to_the_cap():
    session = live_session()
    delays, now = [], 0
    session.closed(now, 0.999, "reset")
    for _ in range(12):
        delays.append(session.wake_at_ns() - now)
        now = session.wake_at_ns()
        assert session.tick(now, 0.5) == [Connect()]
        session.closed(now, 0.999, "refused")
    assert delays[0] < SECOND // 10
    assert all(b <= 2.01 * a for a, b in itertools.pairwise(delays))
    assert delays[-1] == int(30 * SECOND * 0.999)


def test_a_stable_connection_starts_the_delays_afresh():
    session = live_session()
    session.failures = 9
    session.closed(11 * SECOND, 0.999, "reset")
    assert session.wake_at_ns() - 11 * SECOND < SECOND // 10


def test_one_bad_topic_is_reported_and_the_others_are_asked_for_again():
    session = Session(PlainDialect(auth=None), ("a", "b"))
    session.start(0)
    session.opened(0)
    actions = session.control(SubscribeRefused("1", "a", "not found"), 1, 0.5)
    assert actions[0] == Report("topic-refused", "a", "not found")
    assert sent(actions) == ["sub 2 b"]
    assert session.control(Subscribed("2"), 2, 0.5) == [Up()]
    assert session.topics["a"].phase is TopicPhase.REFUSED


def test_a_refusal_that_names_no_topic_is_narrowed_down_one_by_one():
    session = Session(PlainDialect(auth=None), ("a", "b"))
    session.start(0)
    session.opened(0)
    assert sent(session.control(SubscribeRefused("1", "", "bad"), 1, 0.5)) == ["sub 2 a", "sub 3 b"]
    refused = session.control(SubscribeRefused("2", "", "bad"), 1, 0.5)
    assert refused == [Report("topic-refused", "a", "bad")]
    assert session.control(Subscribed("3"), 1, 0.5) == [Up()]


def test_already_subscribed_is_success():
    session = Session(PlainDialect(auth=None), ("a", "b"))
    session.start(0)
    session.opened(0)
    actions = session.control(SubscribeRefused("1", "a", "already", is_harmless=True), 1, 0.5)
    assert sent(actions) == ["sub 2 b"]
    assert session.control(Subscribed("2"), 1, 0.5) == [Up()]
    assert session.topics["a"].phase is TopicPhase.CONFIRMED


def test_a_refused_private_topic_makes_the_connection_useless():
    session = Session(PlainDialect(auth=None, requires_all=True), ("order",))
    session.start(0)
    session.opened(0)
    actions = session.control(SubscribeRefused("1", "order", "no"), 1, 0.5)
    assert [type(action) for action in actions] == [Report, Close, Down]
    assert session.state is State.WAITING


def test_a_refused_key_is_tried_once_in_thirty_seconds():
    session = Session(PlainDialect(), ())
    session.start(0)
    session.opened(0)
    session.control(AuthRefused("bad sign"), 1, 0.0)
    assert session.wake_at_ns() >= 30 * SECOND


def test_a_ping_without_answer_drops_the_connection():
    session = live_session()
    assert sent(session.tick(20 * SECOND, 0.5)) == ["ping"]
    assert session.tick(29 * SECOND, 0.5) == []
    assert isinstance(session.tick(30 * SECOND, 0.5)[0], Close)


def test_a_pong_measures_the_round_trip():
    session = live_session()
    session.tick(20 * SECOND, 0.5)
    session.control(Pong(), 20 * SECOND + 7, 0.5)
    assert session.ping_ns == 7
    assert session.tick(31 * SECOND, 0.5) == []


def test_an_unreadable_frame_drops_the_connection():
    session = live_session()
    assert isinstance(session.control(Malformed("x"), 1, 0.5)[0], Close)


def test_a_step_that_does_not_end_is_given_up():
    session = Session(PlainDialect(), ())
    session.start(0)
    assert isinstance(session.tick(10 * SECOND, 0.5)[0], Close)


def test_a_silent_topic_is_reported_and_subscribed_again():
    session = live_session(silence=5 * SECOND)
    actions = session.tick(5 * SECOND, 0.5)
    assert isinstance(actions[0], Report)
    assert sent(actions) == ["unsub 2 a", "sub 3 a"]
    session.saw(session.topics["a"], 6 * SECOND)
    assert session.topics["a"].phase is TopicPhase.LIVE
    assert session.topics["a"].messages == 1


def test_resubscription_is_spaced_out():
    session = live_session()
    session.saw(session.topics["a"], 1)
    assert sent(session.resubscribe(["a"], 2 * SECOND)) == ["unsub 2 a", "sub 3 a"]
    assert sent(session.resubscribe(["a"], 2 * SECOND + 1)) == []
    session.saw(session.topics["a"], 2 * SECOND + 2)  # of the torn book: proves nothing
    assert session.topics["a"].phase is TopicPhase.SUSPECT
    assert sent(session.tick(6 * SECOND, 0.5)) == ["unsub 4 a", "sub 5 a"]


def test_topics_added_later_are_asked_for():
    session = live_session()
    assert sent(session.add(["a", "b"], 1)) == ["sub 2 b"]


def test_stop_ends_for_good():
    session = live_session()
    assert session.stop("done") == [Close("done"), Down("done", was_up=True)]
    assert session.wake_at_ns() == 0
    assert session.tick(10**12, 0.5) == []


EVENTS = st.sampled_from(
    ["open", "close", "auth", "refuse", "ack", "nack", "nack-all", "pong", "bad", "note", "drop"]
)


def play(session, now, event, jitter):
    if event == "open":
        return session.opened(now)
    if event == "close":
        return session.closed(now, jitter, "reset")
    if event == "drop":
        return session.drop("told to", now, jitter)
    frames = {
        "auth": AuthAccepted(),
        "refuse": AuthRefused("no"),
        "ack": Subscribed(""),
        "nack": SubscribeRefused("", "b", "no"),
        "nack-all": SubscribeRefused("", "", "no"),
        "pong": Pong(),
        "bad": Malformed("x"),
        "note": Notice("hello"),
    }
    return session.control(frames[event], now, jitter)


@given(
    st.lists(st.tuples(EVENTS, st.integers(0, 40), st.floats(0, 0.999)), max_size=120),
    st.booleans(),
)
def test_whatever_happens_it_connects_again_inside_the_budget(events, requires_all):
    dialect = PlainDialect(requires_all=requires_all, silence=3 * SECOND)
    session = Session(dialect, ("a", "b", "c"), SessionSettings())
    now, connects, is_up, has_connection = SECOND, [], False, False

    def carry_out(actions):
        nonlocal is_up, has_connection
        for action in actions:
            match action:
                case Connect():
                    assert not has_connection, "two connections at once"
                    has_connection = True
                    connects.append(now)
                case Close():
                    assert has_connection
                    has_connection = False
                case Up():
                    assert has_connection
                    assert not is_up
                    is_up = True
                case Down(was_up=was_up):
                    assert was_up is is_up
                    is_up = False
                case _:
                    assert has_connection or not isinstance(action, Send)

    carry_out(session.start(now))
    for event, seconds, jitter in events:
        now += seconds * SECOND
        carry_out(session.tick(now, jitter))
        if event == "close":
            has_connection = False
        if has_connection or event in ("close", "drop"):
            carry_out(play(session, now, event, jitter))
        assert session.wake_at_ns() > 0
        assert (session.state is State.LIVE) is is_up
    has_connection = False
    carry_out(session.closed(now, 0.9, "end"))
    before = len(connects)
    now = max(now, session.wake_at_ns())
    carry_out(session.tick(now, 0.5))
    assert len(connects) == before + 1, "it must come back by itself"
    for first, last in zip(connects, connects[30:], strict=False):
        assert last - first >= 300 * SECOND, "the budget of attempts is broken"


def test_a_venue_that_always_hangs_up_gets_thirty_attempts_in_five_minutes():
    session, now = Session(PlainDialect()), SECOND
    connects = [now] if session.start(now) == [Connect()] else []
    while len(connects) < 95:
        session.closed(now, 0.0, "reset")
        now = max(now + 1, session.wake_at_ns())
        connects += [now] * session.tick(now, 0.0).count(Connect())
    assert all(b - a >= 300 * SECOND for a, b in zip(connects, connects[30:], strict=False))
    assert connects[29] < 2 * SECOND
