from plimsoll.websocket.budget import ConnectBudget

SECOND = 1_000_000_000


def test_so_many_attempts_in_any_window():
    budget = ConnectBudget(2, 10 * SECOND)
    for now in (0, SECOND):
        assert budget.ready_ns(now) == now
        budget.spend(now)
    assert budget.ready_ns(2 * SECOND) == 10 * SECOND
    budget.spend(10 * SECOND)
    assert budget.ready_ns(10 * SECOND) == 11 * SECOND


def test_sessions_of_one_host_share_its_budget():
    host = ConnectBudget(3)
    ours, others = ConnectBudget(2, parent=host), ConnectBudget(2, parent=host)
    for budget in (others, others, ours):
        budget.spend(0)
    assert others.ready_ns(1) == ours.ready_ns(1) == 300 * SECOND


def test_what_a_kind_may_not_use_is_left_for_the_others():
    host = ConnectBudget(3)
    public = ConnectBudget(2, parent=host)
    public.spend(0)
    public.spend(0)
    assert public.ready_ns(1) > 1
    assert host.ready_ns(1) == 1


def test_thirty_in_five_minutes_unless_told_otherwise():
    budget = ConnectBudget()
    for _ in range(30):
        assert budget.ready_ns(5) == 5
        budget.spend(5)
    assert budget.ready_ns(6) == 5 + 300 * SECOND
