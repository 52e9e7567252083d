"""The reference pages that follow from the code, one file a page; ``generate`` writes them.

The words of a name stand in the file of its page or in the name's docstring.
"""
