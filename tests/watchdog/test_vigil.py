"""When the watchdog acts: beats and their absence, over a clock that the test moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.control import Beat, Life
from plimsoll.watchdog.vigil import Phase, Vigil

MS = 1_000_000
SECOND = 1_000 * MS
STEP = 100 * MS


class Watched:
    """A vigil and its clock."""

    def __init__(self):
        self.now = 10 * SECOND
        self.vigil = Vigil(5 * SECOND, 15 * SECOND, self.now)
        self.seq = 0
        self.reason = ""

    def beat(self, life=Life.RUNNING, *, epoch=1, moves=True, is_ready=True):
        self.seq += moves
        beat = Beat(life=life, seq=self.seq, epoch=epoch, is_ready=is_ready)
        self.vigil.hear(beat, self.now)

    def wait(self, seconds, beats=False, **beat):
        """Let time pass; return how long it took to a reason, s, None without one."""
        begin = self.now
        while self.now < begin + seconds * SECOND:
            self.now += STEP
            if beats:
                self.beat(**beat)
            self.reason = self.vigil.look(self.now)
            if self.reason:
                return (self.now - begin) / SECOND
        return None


@pytest.fixture
def watched():
    return Watched()


def test_without_an_engine_there_is_nothing_to_do(watched):
    assert watched.wait(100) is None
    assert watched.vigil.phase is Phase.IDLE


def test_silence_of_five_seconds_is_a_reason(watched):
    watched.wait(10, beats=True)
    assert watched.wait(20) == pytest.approx(5, abs=0.2)
    assert "epoch 1 has made no progress for 5." in watched.reason


def test_beats_whose_seq_stands_still_are_silence(watched):
    watched.wait(10, beats=True)
    assert watched.wait(20, beats=True, moves=False) == pytest.approx(5, abs=0.2)


def test_a_reason_is_told_once(watched):
    watched.beat()
    watched.wait(20)
    watched.vigil.acts(watched.now)
    assert watched.wait(60) is None


def test_beats_of_an_older_session_are_no_progress(watched):
    watched.beat(epoch=2)
    assert watched.wait(20, beats=True, epoch=1) == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("life", [Life.STARTING, Life.STOPPING])
def test_an_announced_restart_has_fifteen_seconds(watched, life):
    watched.beat()
    watched.beat(life)
    assert watched.wait(40) == pytest.approx(15, abs=0.2)
    assert life in watched.reason


def test_announcements_alone_never_put_it_off(watched):
    watched.beat()
    assert watched.wait(60, beats=True, life=Life.STARTING, moves=False) == pytest.approx(15, 0.02)


def test_a_clean_end_disarms_until_the_next_session(watched):
    watched.beat()
    watched.beat(Life.ENDED, moves=False)
    assert watched.wait(100) is None
    watched.beat(epoch=2)
    assert watched.wait(20) == pytest.approx(5, abs=0.2)


def test_an_announced_start_that_never_beats_leaves_a_clean_end_alone(watched):
    watched.beat()
    watched.beat(Life.ENDED)
    watched.beat(Life.STARTING)
    assert watched.wait(100) is None


def test_our_own_pause_is_not_held_against_the_engine(watched):
    watched.wait(5, beats=True)
    watched.now += 60 * SECOND
    assert not watched.vigil.look(watched.now)
    watched.beat()
    assert watched.wait(4) is None
    assert watched.wait(20) is not None


def test_it_stands_down_when_all_is_clear_and_an_engine_is_back_and_ready(watched):
    vigil = watched.vigil
    watched.beat()
    watched.wait(20)
    vigil.acts(watched.now)
    watched.now += SECOND
    watched.beat(epoch=2, is_ready=False)
    vigil.cleared()
    assert not vigil.stands_down(), "its books are not compared yet"
    watched.beat(epoch=2)
    assert vigil.stands_down()
    assert vigil.phase is Phase.WATCHING
    assert watched.wait(20) is not None


def test_it_does_not_stand_down_while_something_is_left_or_nobody_came_back(watched):
    vigil = watched.vigil
    watched.beat()
    watched.wait(20)
    vigil.acts(watched.now)
    assert not vigil.stands_down()
    vigil.cleared()
    assert not vigil.stands_down()
    watched.now += SECOND
    watched.beat()
    vigil.acts(watched.now)
    watched.beat()
    assert not vigil.stands_down(), "a new act begins with nothing cleared"


def test_told_to_act_without_an_engine_it_idles_again_once_clear(watched):
    watched.vigil.acts(watched.now)
    watched.vigil.cleared()
    assert watched.vigil.stands_down()
    assert watched.vigil.phase is Phase.IDLE


def test_a_restored_session_has_the_longer_patience(watched):
    watched.vigil.restore(4, watched.now)
    assert watched.wait(40) == pytest.approx(15, abs=0.2)


lives = st.sampled_from(list(Life))


@given(
    st.lists(st.tuples(lives, st.integers(1, 3), st.booleans(), st.integers(1, 40)), max_size=40)
)
def test_whatever_was_heard_no_silence_of_sixteen_seconds_goes_unanswered(heard):
    watched = Watched()
    watched.beat()
    ended, known = False, (1, watched.seq)
    for life, epoch, moves, steps in heard:
        watched.beat(life, epoch=epoch, moves=moves)
        told = (epoch, watched.seq)
        if life is not Life.STARTING and epoch >= known[0]:
            ended = life is Life.ENDED or (ended and told <= known)
            known = max(known, told)
        if watched.wait(steps / 10):
            return
    assert (watched.wait(16) is None) == ended
