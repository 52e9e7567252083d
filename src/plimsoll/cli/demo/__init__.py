"""``demo``: a throw-away project with the simulator and the engine trading on it.

In: options, signals. Out: a screen or lines, a report, an exit code. Only `cli.commands` names it;
nothing in it is special: the processes are `plimsoll sim`, `plimsoll run` and `plimsoll auditor`.
"""
