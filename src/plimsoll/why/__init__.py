"""Why something happened: from any order, fill, denial or halt back to the input that led to it.

In: the logs and a question. Out: the records of the chain, oldest first, and words for each.
``cli`` may import it. Its index is a cache: it may be deleted at any time and is made again.
"""

from plimsoll.why.hindrance import Hindrance, Seen, hindrances, recent
from plimsoll.why.index import Index
from plimsoll.why.story import NotFound, Step, Story, tell

__all__ = [
    "Hindrance",
    "Index",
    "NotFound",
    "Seen",
    "Step",
    "Story",
    "hindrances",
    "recent",
    "tell",
]
