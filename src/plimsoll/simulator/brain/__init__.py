"""The pure brain of the simulated exchange.

In: requests, frames and market events with their times. Out: answers, pushes, record lines.
No clock, socket, thread or randomness; imported by ``simulator`` only.
"""
