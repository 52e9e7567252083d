"""The table equals reliability requirement 2.3, written out here by hand."""

import pytest

from plimsoll.core.execution.lifecycle import CONTRADICTIONS, LIFECYCLE, Evidence, Step, next_state
from plimsoll.core.model import TERMINAL, OrderState

S, E = OrderState, Evidence
STARRED = {S.DENIED, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED, S.ABSENT}

AFTER_SENT = {S.ACKED, S.OPEN, S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.UNKNOWN}
ALLOWED = {
    S.INTENT: {S.SENT, S.ABSENT} | AFTER_SENT,
    S.SENT: AFTER_SENT,
    S.UNKNOWN: (AFTER_SENT - {S.UNKNOWN}) | {S.ABSENT},
    S.ACKED: AFTER_SENT - {S.ACKED},
    S.OPEN: {S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED},
    S.PARTIAL: {S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED},
    S.DENIED: set(),
    S.FILLED: set(),
    S.CANCELED: set(),
    S.REJECTED: set(),
    S.EXPIRED: set(),
    # One that turns up live is adopted (ORD-6).
    S.ABSENT: {S.OPEN, S.PARTIAL, S.FILLED, S.CANCELED},
}


def test_every_state_has_a_row_and_every_pair_an_answer():
    assert set(LIFECYCLE) == set(OrderState)
    for state in OrderState:
        for evidence in Evidence:
            after, step = next_state(state, evidence)
            assert isinstance(after, OrderState)
            assert (after is state) or step is not Step.IGNORED


@pytest.mark.parametrize("state", OrderState)
def test_reachable_states_are_those_of_the_requirement(state):
    assert set(LIFECYCLE[state].values()) == ALLOWED[state]


def test_terminal_states_are_the_starred_ones():
    assert TERMINAL == STARRED


def test_the_venues_word_is_taken_as_it_is_while_the_order_is_asked_for():
    said = (E.OPEN, E.PARTIAL, E.FILLED, E.CANCELED, E.REJECTED, E.EXPIRED)
    for state in (S.INTENT, S.SENT, S.UNKNOWN, S.ACKED):
        assert [next_state(state, one)[0].name for one in said] == [one.name for one in said]


def test_unknown_is_never_entered_again_by_loss_and_never_left_by_sending():
    assert next_state(S.UNKNOWN, E.LOST) == (S.UNKNOWN, Step.IGNORED)
    assert next_state(S.UNKNOWN, E.SENT) == (S.UNKNOWN, Step.IGNORED)
    assert next_state(S.UNKNOWN, E.SEND_REFUSED) == (S.UNKNOWN, Step.IGNORED)


def test_only_proof_or_a_refused_send_makes_an_order_absent():
    into = {
        (state, evidence)
        for state, row in LIFECYCLE.items()
        for evidence, after in row.items()
        if after is S.ABSENT
    }
    assert into == {(S.INTENT, E.SEND_REFUSED), (S.INTENT, E.ABSENT), (S.UNKNOWN, E.ABSENT)}


@pytest.mark.parametrize("state", [S.OPEN, S.PARTIAL])
def test_a_rejection_after_it_was_open_is_booked_as_cancelled(state):
    assert next_state(state, E.REJECTED) == (S.CANCELED, Step.MOVED)


@pytest.mark.parametrize("state", [S.OPEN, S.PARTIAL])
def test_lower_ranked_evidence_is_ignored(state):
    for stale in (E.SENT, E.SEND_REFUSED, E.ACCEPTED, E.REFUSED, E.LOST, E.OPEN, E.ABSENT):
        assert next_state(state, stale) == (state, Step.IGNORED)


def test_a_second_filled_is_no_contradiction():
    assert next_state(S.FILLED, E.FILLED) == (S.FILLED, Step.IGNORED)
    assert next_state(S.FILLED, E.CANCELED) == (S.FILLED, Step.IGNORED)


def test_evidence_against_what_was_certain_is_told():
    for state, evidences in CONTRADICTIONS.items():
        assert state in STARRED
        for evidence in evidences:
            assert next_state(state, evidence)[1] is Step.CONTRADICTED
    assert next_state(S.ABSENT, E.OPEN) == (S.OPEN, Step.CONTRADICTED)
    assert next_state(S.CANCELED, E.FILLED) == (S.CANCELED, Step.CONTRADICTED)
