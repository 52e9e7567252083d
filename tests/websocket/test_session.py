import itertools

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.websocket.actions import (
    Aged,
    Close,
    Connect,
    Down,
    Moved,
    Proven,
    Report,
    Send,
    Up,
)
from plimsoll.websocket.budget import ConnectBudget
from plimsoll.websocket.dialect import (
    AuthAccepted,
    AuthRefused,
    Malformed,
    Notice,
    Pong,
    Subscribed,
    SubscribeRefused,
    Unsubscribed,
)
from plimsoll.websocket.session import SECOND, Session, SessionSettings, State
from plimsoll.websocket.topics import TopicPhase


class PlainDialect:
    """Speaks lines of text: ``sub 1 a,b``."""

    args_chars = 100

    def __init__(self, *, auth=b"login", batch=2, requires_all=False, silence=0):
        self.login, self.batch, self.requires_all = auth, batch, requires_all
        self.silence = silence

    def is_chained(self, topic):
        return False

    def identity(self, topic, payload):
        return None

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


def moved(actions):
    """Return the topics that moved, with their new phases."""
    return [
        (topic.name, topic.phase)
        for action in actions
        if isinstance(action, Moved)
        for topic in action.topics
    ]


def told(actions):
    return [action for action in actions if not isinstance(action, Moved | Proven)]


def live_session(topics=("a",), now=0, settings=None, **dialect):
    session = Session(PlainDialect(auth=None, **dialect), topics, settings)
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
    confirmed = session.control(Subscribed("2"), 3, 0.5)
    assert (told(confirmed), moved(confirmed)) == ([], [("c", TopicPhase.CONFIRMED)])
    assert told(session.control(Subscribed("1"), 4, 0.5)) == [Up()]


def test_goes_live_at_once_without_topics():
    session = Session(PlainDialect())
    session.start(0)
    session.opened(0)
    assert session.control(AuthAccepted(), 1, 0.5) == [Up()]


def test_an_acknowledgement_without_id_answers_the_oldest_request():
    session = Session(PlainDialect(auth=None), ("a", "b", "c"))
    session.start(0)
    session.opened(0)
    assert told(session.control(Subscribed(""), 1, 0.5)) == []
    assert told(session.control(Subscribed(""), 1, 0.5)) == [Up()]


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
    assert told(session.control(Subscribed("2"), 2, 0.5)) == [Up()]
    assert session.topics["a"].phase is TopicPhase.REFUSED


def test_a_refused_topic_is_not_asked_for_again_unless_it_is_wanted_anew():
    session = Session(PlainDialect(auth=None), ("a",))
    session.start(0)
    session.opened(0)
    session.control(SubscribeRefused("1", "a", "not found"), 1, 0.5)
    session.closed(2, 0.0, "reset")
    session.tick(session.wake_at_ns(), 0.0)
    assert sent(session.opened(3)) == []
    session.remove(["a"], 4)
    assert sent(session.add(["a"], 5)) == ["sub 2 a"]


def test_a_refusal_that_names_no_topic_is_narrowed_down_one_by_one():
    session = Session(PlainDialect(auth=None), ("a", "b"))
    session.start(0)
    session.opened(0)
    assert sent(session.control(SubscribeRefused("1", "", "bad"), 1, 0.5)) == ["sub 2 a", "sub 3 b"]
    refused = session.control(SubscribeRefused("2", "", "bad"), 1, 0.5)
    assert told(refused) == [Report("topic-refused", "a", "bad")]
    assert told(session.control(Subscribed("3"), 1, 0.5)) == [Up()]


def test_already_subscribed_is_success():
    session = Session(PlainDialect(auth=None), ("a", "b"))
    session.start(0)
    session.opened(0)
    actions = session.control(SubscribeRefused("1", "a", "already", is_harmless=True), 1, 0.5)
    assert sent(actions) == ["sub 2 b"]
    assert told(session.control(Subscribed("2"), 1, 0.5)) == [Up()]
    assert session.topics["a"].phase is TopicPhase.CONFIRMED


def test_a_refused_private_topic_makes_the_connection_useless():
    session = Session(PlainDialect(auth=None, requires_all=True), ("order",))
    session.start(0)
    session.opened(0)
    actions = session.control(SubscribeRefused("1", "order", "no"), 1, 0.5)
    assert [type(action) for action in told(actions)] == [Report, Close, Down]
    assert session.state is State.WAITING


def test_a_refused_key_is_tried_once_in_thirty_seconds():
    session = Session(PlainDialect(), ())
    session.start(0)
    session.opened(0)
    session.control(AuthRefused("bad sign"), 1, 0.0)
    assert session.wake_at_ns() >= 30 * SECOND


def test_a_ping_without_answer_drops_the_connection():
    session = live_session()
    assert sent(session.tick(5 * SECOND, 0.5)) == ["ping"]
    assert told(session.tick(9 * SECOND - 1, 0.5)) == []
    assert isinstance(session.tick(9 * SECOND, 0.5)[0], Close)


def test_a_half_open_peer_is_noticed_within_ten_seconds_of_its_last_sign_of_life():
    session, now, last_ns = live_session(), 0, 0
    while session.is_up:
        now = session.wake_at_ns()
        for text in sent(session.tick(now, 0.5)):
            assert text == "ping"
            if now < 30 * SECOND:
                session.control(Pong(), now, 0.5)
                last_ns = now
        session.saw(session.topics["a"], now)  # data goes on to come: it proves one direction
    assert now - last_ns <= 10 * SECOND


def test_a_pong_measures_the_round_trip_and_proves_what_was_before_the_ping():
    session = live_session()
    session.tick(5 * SECOND, 0.5)
    assert session.control(Pong(), 5 * SECOND + 7, 0.5) == [Proven()]
    assert session.heartbeat.round_trip_ns == 7
    assert session.heartbeat.proven_ns == 5 * SECOND
    assert session.tick(10 * SECOND - 1, 0.5) == []


def test_a_late_pong_casts_doubt_on_all_topics_until_it_comes():
    session = live_session(("a", "b"))
    topic = session.topics["a"]
    session.saw(topic, 1)
    session.tick(5 * SECOND, 0.5)
    assert session.wake_at_ns() == 7 * SECOND
    late = session.tick(7 * SECOND, 0.5)
    assert [name for name, _ in moved(late)] == ["a", "b"]
    assert session.standing(topic).phase is TopicPhase.SUSPECT
    assert not session.standing(topic).is_void
    assert session.tick(7 * SECOND + 1, 0.5) == []
    found = session.control(Pong(), 8 * SECOND, 0.5)
    assert [name for name, _ in moved(found)] == ["a", "b"]
    assert session.standing(topic).phase is TopicPhase.LIVE


def test_a_probe_pings_at_once_or_behind_the_ping_on_its_way():
    session = live_session()
    assert sent(session.probe(1)) == ["ping"]
    assert sent(session.probe(2)) == []
    assert sent(session.control(Pong(), 3, 0.5)) == ["ping"]
    session.control(Pong(), 4, 0.5)
    assert session.heartbeat.proven_ns == 3


def test_a_connection_that_grows_old_says_so_once():
    session = live_session(settings=SessionSettings(max_age_ns=60 * SECOND))
    now, said = 0, []
    while now < 100 * SECOND:
        now = session.wake_at_ns()
        for action in session.tick(now, 0.5):
            if isinstance(action, Send):
                session.control(Pong(), now, 0.5)
            said += [now] * isinstance(action, Aged)
    assert said == [60 * SECOND]


def test_an_unreadable_frame_drops_the_connection():
    session = live_session()
    assert isinstance(session.control(Malformed("x"), 1, 0.5)[0], Close)


def test_a_step_that_does_not_end_is_given_up():
    session = Session(PlainDialect(), ())
    session.start(0)
    assert isinstance(session.tick(8 * SECOND, 0.5)[0], Close)


def test_a_silent_topic_is_reported_and_subscribed_again():
    session = live_session(silence=3 * SECOND)
    actions = session.tick(3 * SECOND, 0.5)
    assert isinstance(actions[0], Report)
    assert sent(actions) == ["unsub 2 a", "sub 3 a"]
    assert moved(actions) == [("a", TopicPhase.SUSPECT)]
    session.control(Unsubscribed("2"), 4 * SECOND, 0.5)
    session.saw(session.topics["a"], 4 * SECOND)
    assert session.topics["a"].phase is TopicPhase.LIVE


def test_resubscription_is_spaced_out():
    session = live_session(silence=10 * SECOND)
    session.saw(session.topics["a"], 1)
    assert sent(session.resubscribe(["a"], 2 * SECOND)) == ["unsub 2 a", "sub 3 a"]
    assert sent(session.resubscribe(["a"], 2 * SECOND + 1)) == []
    session.control(Subscribed("3"), 2 * SECOND + 2, 0.5)
    session.saw(session.topics["a"], 2 * SECOND + 3)
    assert sent(session.resubscribe(["a"], 2 * SECOND + 4)) == []
    session.saw(session.topics["a"], 2 * SECOND + 5)  # of the torn book: proves nothing
    assert session.topics["a"].phase is TopicPhase.SUSPECT
    assert sent(session.tick(3 * SECOND, 0.5)) == ["unsub 4 a", "sub 5 a"]


def test_what_is_still_of_the_old_subscription_ends_no_doubt():
    session = live_session(silence=10 * SECOND)
    topic = session.topics["a"]
    session.saw(topic, 1)
    session.resubscribe(["a"], 2 * SECOND)
    assert session.saw(topic, 2 * SECOND + 1) == []
    assert topic.is_stale
    session.control(Unsubscribed("2"), 2 * SECOND + 2, 0.5)
    assert moved(session.saw(topic, 2 * SECOND + 3)) == [("a", TopicPhase.LIVE)]
    assert not topic.is_void


def test_one_that_waits_for_its_snapshot_is_not_renewed_before_that_is_late():
    session = live_session(silence=3 * SECOND)
    assert session.resubscribe(["a"], SECOND) == []
    assert moved(session.saw(session.topics["a"], 2 * SECOND)) == [("a", TopicPhase.LIVE)]


def test_a_topic_is_dead_after_three_vain_renewals_and_is_renewed_further():
    session = live_session(silence=10 * SECOND)
    session.saw(session.topics["a"], 1)
    now, renewals, reports = 2 * SECOND, [2 * SECOND], []
    session.resubscribe(["a"], now)
    while len(renewals) < 7:
        now = session.wake_at_ns()
        actions = session.tick(now, 0.5)
        reports += [(now, action.code) for action in actions if isinstance(action, Report)]
        if session.topics["a"].asked_ns == now:
            renewals.append(now)
        if session.heartbeat._sent_ns:
            session.control(Pong(), now, 0.5)
    assert [at // SECOND for at in renewals] == [2, 3, 5, 9, 17, 33, 65]
    assert reports == [(9 * SECOND, "topic-dead")]
    assert session.topics["a"].phase is TopicPhase.DEAD
    session.control(Unsubscribed(""), now, 0.5)
    session.control(Subscribed(f"{session.topics['a'].request}"), now, 0.5)
    assert moved(session.saw(session.topics["a"], now)) == [("a", TopicPhase.LIVE)]


def test_a_topic_that_may_be_silent_is_well_when_its_renewal_is_confirmed():
    session = live_session()
    session.saw(session.topics["a"], 1)
    session.resubscribe(["a"], 2 * SECOND)
    found = session.control(Subscribed("3"), 3 * SECOND, 0.5)
    assert moved(found) == [("a", TopicPhase.CONFIRMED)]
    assert not session.topics["a"].is_void


def test_an_answer_to_a_request_that_was_repeated_meanwhile_is_not_taken_for_the_newer_one():
    session = live_session(silence=10 * SECOND)
    session.saw(session.topics["a"], 1)
    session.resubscribe(["a"], 2 * SECOND)
    session.tick(3 * SECOND, 0.5)
    session.control(Subscribed("3"), 3 * SECOND + 1, 0.5)
    assert session.topics["a"].is_stale
    session.control(Subscribed("5"), 3 * SECOND + 2, 0.5)
    assert not session.topics["a"].is_stale


def test_a_request_without_an_answer_is_repeated():
    session = live_session()
    session.add(["b"], SECOND)
    for now in (5 * SECOND, 7 * SECOND):
        session.tick(now, 0.5)
        session.control(Pong(), now, 0.5)
    actions = session.tick(9 * SECOND, 0.5)
    assert sent(actions) == ["unsub 4 b", "sub 5 b"]
    assert Report("topic-silent", "b", "requested, but nothing came") in actions


def test_the_end_of_a_connection_makes_what_it_carried_void():
    session = live_session(("a", "b"))
    session.saw(session.topics["a"], 1)
    actions = session.closed(2, 0.5, "reset")
    assert moved(actions) == [("a", TopicPhase.SUSPECT), ("b", TopicPhase.SUSPECT)]
    assert session.topics["a"].is_void
    assert session.topics["a"].reason == "reset"
    assert session.drops == 1


def test_topics_added_later_are_asked_for():
    session = live_session()
    assert sent(session.add(["a", "b"], 1)) == ["sub 2 b"]


def test_topics_removed_are_ended_in_requests_of_the_allowed_size():
    session = live_session(("a", "b", "c"))
    assert sent(session.remove(["a", "b", "c", "d"], 1)) == ["unsub 3 a,b", "unsub 4 c"]
    assert not session.topics
    assert all(topic.gate is not None for topic in session.by_wire.values())
    session.control(Unsubscribed("3"), 2, 0.5)
    assert list(session.by_wire) == [b"c"]


def test_a_topic_wanted_again_waits_for_the_end_of_what_it_was():
    session = live_session(silence=10 * SECOND)
    session.remove(["a"], 1)
    assert sent(session.add(["a"], 2)) == ["sub 3 a"]
    topic = session.topics["a"]
    assert session.saw(topic, 3) == []
    session.control(Unsubscribed("2"), 4, 0.5)
    assert moved(session.saw(topic, 5)) == [("a", TopicPhase.LIVE)]
    assert session.by_wire == {b"a": topic}


def test_a_topic_removed_before_its_answer_does_not_keep_the_connection_from_being_up():
    session = Session(PlainDialect(auth=None), ("a", "b"))
    session.start(0)
    session.opened(0)
    session.remove(["a"], 1)
    assert told(session.control(Subscribed("1"), 2, 0.5)) == [Up()]
    assert session.topics["b"].phase is TopicPhase.CONFIRMED


def test_nothing_is_sent_for_topics_removed_without_a_connection():
    session = Session(PlainDialect(auth=None), ("a", "b"))
    assert session.remove(["a"], 1) == []
    session.start(2)
    assert sent(session.opened(3)) == ["sub 1 b"]


def test_stop_ends_for_good():
    session = live_session()
    assert told(session.stop("done")) == [Close("done"), Down("done", was_up=True)]
    assert session.wake_at_ns() == 0
    assert session.tick(10**12, 0.5) == []


EVENTS = st.sampled_from(
    [
        *("open", "close", "auth", "refuse", "ack", "nack", "nack-all", "pong", "bad", "note"),
        *("drop", "renew", "add", "remove", "ended", "data", "probe"),
    ]
)


def play(session, now, event, jitter):
    if event == "open":
        return session.opened(now)
    if event == "close":
        return session.closed(now, jitter, "reset")
    if event == "drop":
        return session.drop("told to", now, jitter)
    if event == "renew":
        return session.resubscribe(["a", "d"], now)
    if event == "add":
        return session.add(["a", "d"], now)
    if event == "remove":
        return session.remove(["d"], now)
    if event == "data":
        return [action for topic in session.topics.values() for action in session.saw(topic, now)]
    if event == "probe":
        return session.probe(now)
    frames = {
        "auth": AuthAccepted(),
        "refuse": AuthRefused("no"),
        "ack": Subscribed(""),
        "nack": SubscribeRefused("", "b", "no"),
        "nack-all": SubscribeRefused("", "", "no"),
        "pong": Pong(),
        "bad": Malformed("x"),
        "note": Notice("hello"),
        "ended": Unsubscribed(""),
    }
    return session.control(frames[event], now, jitter)


@given(
    st.lists(st.tuples(EVENTS, st.integers(0, 40), st.floats(0, 0.999)), max_size=120),
    st.booleans(),
)
def test_whatever_happens_it_connects_again_inside_the_budget(events, requires_all):
    dialect = PlainDialect(requires_all=requires_all, silence=3 * SECOND)
    session = Session(dialect, ("a", "b", "c"), SessionSettings(), ConnectBudget())
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
