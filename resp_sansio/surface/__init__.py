"""What callers hold, over a driver that an adapter gives: `tasks` where calls are awaited, `threads` where they block.

Each of the two says in its `Driver` what an adapter has to give.
"""
