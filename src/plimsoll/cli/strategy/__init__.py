"""The commands about strategy files: list, schema, new, check, and the rules a check knows.

In: files of a project. Out: words, findings, new files. Only the command line imports it; the rules
(``lint``) read source and run nothing of it.
"""
