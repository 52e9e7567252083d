import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.websocket.pool import Carry, Pool, PoolLimits, Shed

TINY = PoolLimits(topics=3, chars=20)


def test_topics_fill_one_connection_and_then_the_next():
    pool = Pool(PoolLimits(topics=2))
    assert pool.want(["a", "b", "c"]) == [
        Carry(1, ("a", "b"), opens=True),
        Carry(2, ("c",), opens=True),
    ]
    assert pool.want(["d"]) == [Carry(2, ("d",), opens=False)]


def test_characters_count_with_what_stands_around_them():
    pool = Pool(PoolLimits(chars=10))
    pool.want(["abcd"])
    assert pool.want(["x"]) == [Carry(2, ("x",), opens=True)], "4 + 3 + 1 + 3 is more than 10"


def test_copies_are_on_different_connections():
    pool = Pool()
    changes = pool.want(["book"], copies=2)
    assert changes == [Carry(1, ("book",), opens=True), Carry(2, ("book",), opens=True)]
    assert pool.want(["tape"]) == [Carry(1, ("tape",), opens=False)]
    assert pool.carriers("book") == (1, 2)
    assert pool.carriers("nobody's") == ()


def test_a_topic_wanted_twice_is_released_twice():
    pool = Pool()
    pool.want(["a"])
    assert pool.want(["a"], copies=2) == [], "it stays as it was wanted first"
    assert pool.release(["a"]) == []
    assert "a" in pool
    assert pool.release(["a"]) == [Shed(1, ("a",), closes=True)]
    assert "a" not in pool
    with pytest.raises(KeyError):
        pool.release(["a"])


def test_nothing_is_moved_for_the_sake_of_order():
    pool = Pool(PoolLimits(topics=2))
    pool.want(["a", "b", "c", "d"])
    assert pool.release(["a", "c"]) == [
        Shed(1, ("a",), closes=False),
        Shed(2, ("c",), closes=False),
    ]
    assert pool.plan == {1: ("b",), 2: ("d",)}


def test_a_closed_number_is_never_used_again():
    pool = Pool()
    pool.want(["a"])
    pool.release(["a"])
    assert pool.want(["a"]) == [Carry(2, ("a",), opens=True)]


def test_a_topic_too_long_for_any_connection_changes_nothing():
    pool = Pool(TINY)
    with pytest.raises(ValueError, match="18 characters"):
        pool.want(["a", "b" * 18])
    assert pool.plan == {}


NAMES = st.sampled_from(["a", "bb", "ccc", "dddd", "eeeee", "ffffff"])


@given(st.lists(st.tuples(st.booleans(), NAMES, st.sampled_from((1, 2))), max_size=60))
def test_the_changes_make_the_plan_and_the_plan_keeps_the_limits(steps):
    pool, references, carried = Pool(TINY), dict[str, int](), dict[int, set[str]]()
    for wants, name, copies in steps:
        if not wants and not references.get(name):
            continue
        references[name] = references.get(name, 0) + (1 if wants else -1)
        before = {key: frozenset(names) for key, names in carried.items()}
        changes = pool.want([name], copies) if wants else pool.release([name])
        for change in changes:
            match change:
                case Carry(number, names, opens):
                    assert opens == (number not in carried)
                    carried.setdefault(number, set()).update(names)
                case Shed(number, names, closes):
                    carried[number].difference_update(names)
                    assert closes == (not carried[number])
                    if closes:
                        del carried[number]
        for number, held in before.items():
            assert held - carried.get(number, set()) <= {name}, "only what was released has gone"
        for kept in carried.values():
            assert len(kept) <= TINY.topics
            assert sum(len(each) + 3 for each in kept) <= TINY.chars
        assert {key: set(names) for key, names in pool.plan.items()} == carried
        assert set(pool.topics) == {name for name, count in references.items() if count}
        for topic in pool.topics:
            assert len(set(pool.carriers(topic))) == len(pool.carriers(topic)) >= 1
