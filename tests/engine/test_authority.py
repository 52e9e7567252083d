"""Whether a passphrase lets a limit be raised, and what a wrong one costs."""

import asyncio

import pytest

from plimsoll.control import Command
from plimsoll.engine import authority
from plimsoll.engine.authority import Authority, check_kept, hashed, matches

WORD = "correct horse"


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(authority, "COST", 2)


def vet(found, proof, name="c"):
    command = Command(id=name, actor="anna", cmd="limits", proof=proof)
    return asyncio.run(found.vet(command)), command


def test_a_hash_is_of_its_passphrase_only():
    kept = hashed(WORD, b"salt")
    assert matches(WORD, kept)
    assert not matches("correct hors", kept)
    assert WORD not in kept
    assert hashed(WORD, b"tlas") != kept


@pytest.mark.parametrize(
    "kept", ["x", "scrypt$2$c2FsdA==", "scrypt$4$c2FsdA==$aGFzaA==", "scrypt$2$!$aGFzaA=="]
)
def test_what_is_no_hash_is_refused(kept):
    with pytest.raises(ValueError, match="plimsoll operator passphrase"):
        check_kept(kept)


def test_the_right_one_proves_its_own_command_once():
    found = Authority(hashed(WORD, b"salt"), Clock())
    refusal, command = vet(found, WORD)
    assert refusal == ""
    assert found.proved(Command(id="other", actor="anna", cmd="limits")) == authority.NEEDED
    assert found.proved(command) == ""
    assert found.proved(command) == authority.NEEDED


def test_wrong_ones_are_answered_after_growing_pauses_even_the_right_one_then():
    clock = Clock()
    found = Authority(hashed(WORD, b"salt"), clock)
    for pause_s in (1, 2, 4, 8):
        assert f"looked at in {pause_s} s" in vet(found, "wrong")[0]
        clock.now += pause_s - 0.1
        assert "wait" in vet(found, WORD)[0]
        clock.now += 0.2
    for _ in range(10):
        vet(found, "wrong")
        clock.now += authority.PAUSE_MOST_S
    assert vet(found, "wrong")[0].endswith("300 s")
    clock.now += authority.PAUSE_MOST_S + 1
    assert vet(found, WORD)[0] == ""
    assert "in 1 s" in vet(found, "wrong")[0]


def test_two_at_once_are_not_two_guesses():
    async def both():
        found = Authority(hashed(WORD, b"salt"), Clock())
        commands = [Command(id=f"c{n}", actor="a", cmd="limits", proof="wrong") for n in range(2)]
        return await asyncio.gather(*map(found.vet, commands))

    first, second = asyncio.run(both())
    assert "is wrong" in first
    assert "wait" in second


def test_without_a_configured_one_nothing_is_raised_and_the_way_out_is_told():
    found = Authority("", Clock())
    refusal, command = vet(found, WORD)
    assert "plimsoll operator passphrase" in refusal
    assert found.proved(command) == refusal
