from plimsoll.websocket.succession import End, Succession


def began():
    succession = Succession(1, drain_ns=100, settle_ns=5)
    succession.begin(2)
    return succession


def test_the_successor_sends_from_when_it_is_up():
    succession = began()
    assert succession.sender == 1
    assert succession.up(2, 10)
    assert (succession.sender, succession.leaver) == (2, 1)
    assert succession.ends_ns == 110


def test_the_first_connection_takes_over_from_nobody():
    succession = Succession(1, 100, 5)
    assert not succession.up(1, 10)
    assert not succession.is_under_way


def test_the_old_one_may_end_when_it_is_drained_and_proven():
    succession = began()
    succession.up(2, 10)
    assert not succession.may_end(11, is_drained=True)
    succession.proven(1, 14)  # a ping sent too soon after the take-over
    assert not succession.may_end(15, is_drained=True)
    succession.proven(2, 15)  # of the wrong connection
    succession.proven(1, 15)
    assert not succession.may_end(16, is_drained=False)
    assert succession.may_end(16, is_drained=True)
    assert not succession.ended()
    assert not succession.is_under_way


def test_the_old_one_ends_in_time_whatever_it_waits_for():
    succession = began()
    succession.up(2, 10)
    assert not succession.may_end(109, is_drained=False)
    assert succession.may_end(110, is_drained=False)
    assert succession.ended(), "nobody showed that it was alive"


def test_what_the_end_of_a_connection_means():
    succession = began()
    assert succession.down(2, was_up=False) is End.NOTHING
    assert succession.down(1, was_up=True) is End.SUPERSEDED
    assert succession.sender == 0
    assert not succession.up(2, 10)
    assert succession.sender == 2
    assert succession.down(2, was_up=True) is End.LINK
    assert succession.down(2, was_up=False) is End.NOTHING


def test_an_old_one_that_ends_before_its_proof_leaves_a_gap():
    succession = began()
    succession.up(2, 10)
    assert succession.down(1, was_up=True) is End.GAP
    succession.begin(3)
    succession.up(3, 20)
    succession.proven(2, 30)
    assert succession.down(2, was_up=True) is End.NOTHING
