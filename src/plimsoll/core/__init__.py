"""The brain: pure and deterministic, no clock, network, disk, randomness, logs, threads, await.

In: records (facts from outside, decisions already logged). Out: decisions, state, hashes.
Every other room may import it; it imports msgspec and nothing else from outside.
"""
