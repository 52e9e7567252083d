"""Plimsoll: a live trading system that keeps every order accounted for.

The rooms and who may import whom are described in docs/explanation/architecture.md.
"""

__version__ = "0.1.0"
