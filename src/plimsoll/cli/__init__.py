"""The commands.

In: arguments, variables, a project directory. Out: a result on stdout, talk on stderr, and one of
the exit codes of `exits`. Nothing imports it.
"""
