"""``data``: the past on disk. In: arguments. Out: tables, JSON and exit codes of ``plimsoll.data``.

Only ``cli`` imports it; ``commands`` alone is loaded before one of its commands runs.
"""
