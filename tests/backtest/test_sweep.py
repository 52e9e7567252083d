"""Which parameters are run, what is best of them, and what it did afterwards."""

from plimsoll.backtest.sweep import Outcome, grid, ranked, stretches, walk_forward


def test_a_grid_is_every_combination_in_order():
    assert grid([("fast", [5, 10]), ("slow", [50, 100])]) == [
        {"fast": 5, "slow": 50},
        {"fast": 5, "slow": 100},
        {"fast": 10, "slow": 50},
        {"fast": 10, "slow": 100},
    ]
    assert grid([]) == [{}]


def test_what_could_not_be_measured_comes_last_and_equals_are_ranked_by_return():
    found = [
        Outcome(params={"n": 1}, failure="no bars"),
        Outcome(params={"n": 2}, total_return=0.1),
        Outcome(params={"n": 3}, total_return=0.2),
        Outcome(params={"n": 4}, sharpe=0.5, total_return=-0.1),
    ]
    assert [one.params["n"] for one in ranked(found, "sharpe")] == [4, 3, 2, 1]


def test_stretches_are_of_one_length_and_leave_nothing_out():
    assert stretches(0, 103, 4) == [(0, 25), (25, 50), (50, 75), (75, 103)]


def test_a_walk_forward_looks_at_the_stretch_after_the_one_it_chose_on():
    asked = []

    def run_all(began_ns, ended_ns):
        asked.append(("all", began_ns, ended_ns))
        return [Outcome(params={"n": n}, sharpe=float(n == began_ns // 100 % 3)) for n in range(3)]

    def run_one(params, began_ns, ended_ns):
        asked.append((params["n"], began_ns, ended_ns))
        return Outcome(params=params, sharpe=-1.0)

    steps = walk_forward(0, 300, 2, "sharpe", run_all, run_one)
    assert asked == [("all", 0, 100), (0, 100, 200), ("all", 100, 200), (1, 200, 300)]
    assert [(one.chosen.params["n"], one.after.sharpe) for one in steps] == [(0, -1.0), (1, -1.0)]
