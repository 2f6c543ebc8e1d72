"""For tests of programs that embed resp_sansio: hypothesis strategies for replies and for the bytes that carry them.

Needs hypothesis, which the library itself does not; so nothing in the library imports this.
"""

from .strategies import encodings, exact, mutations, pushes, replies, scalars, splits

__all__ = ["encodings", "exact", "mutations", "pushes", "replies", "scalars", "splits"]
