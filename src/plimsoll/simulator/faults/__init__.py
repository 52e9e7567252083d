"""Faults on command: a catalogue, a plan of which are active, and what they do to messages.

In: faults asked for by a scenario, the seed or a person; requests and frames on their way.
Out: the same messages delayed, lost, doubled or spoiled, and a record line for each effect.
Imported by the simulator's shell and tests; pure but for ``scenario``, which reads a file.
"""
