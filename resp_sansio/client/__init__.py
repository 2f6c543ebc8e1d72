"""A whole client as one machine, for those who write adapters: `Client` decides, and an adapter moves bytes and wakes callers."""

from .across import Across, across_slots
from .batch import ATTEMPTS, CommandBatch, Result, WatchLoop, read_transaction
from .cache import LOOK, CachedRead, Kept, ReadCache, touched_by
from .call import command_alone, error_of, push_as_text, seconds_allowed, text_of
from .client import Client
from .crew import Crew
from .feeds import Change
from .forks import between_forks, forks_wait, told_of_forks
from .hash_slots import slot_of
from .lanes import Lanes, Route, route
from .leases import Lease
from .links import Close, Dial, Drained, Granted, Heard, Leaked, Link, Look, Refused, Report, Share, Waiter
from .messages import Gap, Message, Overflow, as_data
from .monitor import MonitorLine, read_monitor_line
from .observed import ObservedClient
from .observers import Observers, Watch
from .posts import (
    AHEAD,
    DONE,
    SLEEP,
    Job,
    Party,
    Passer,
    Post,
    Several,
    Sleep,
    Write,
    entry_of,
    is_here,
    party_of,
    posts_of,
)
from .pushes import Listener
from .retry import Attempts, Meaning, error_reply, may_repeat, may_resend, meaning, meaning_of_all, points_to_replica
from .scanning import ScanCursor
from .scripts import Script, lacks_script
from .sentinel import config_of_sentinel
from .steps import Steps
from .submitting import ClientEvent, link_of
from .subscriber import Kind, Subscriber
from .tls import TLSWire, tls_of

__all__ = [
    "AHEAD", "ATTEMPTS", "DONE", "LOOK", "SLEEP", "Across", "Attempts", "CachedRead", "Change", "Client", "ClientEvent",
    "Close", "CommandBatch", "Crew", "Dial", "Drained", "Gap", "Granted", "Heard", "Job", "Kept", "Kind", "Lanes", "Leaked",
    "Lease", "Link", "Listener", "Look", "Meaning", "Message", "MonitorLine", "ObservedClient", "Observers", "Overflow",
    "Party", "Passer", "Post", "ReadCache", "Refused", "Report", "Result", "Route", "ScanCursor", "Script", "Several", "Share",
    "Sleep", "Steps", "Subscriber", "TLSWire", "Waiter", "Watch", "WatchLoop", "Write", "across_slots", "as_data", "between_forks",
    "command_alone", "config_of_sentinel", "entry_of", "error_of", "error_reply", "forks_wait", "is_here", "lacks_script",
    "link_of", "may_repeat", "may_resend", "meaning", "meaning_of_all", "party_of", "points_to_replica", "posts_of",
    "push_as_text", "read_monitor_line", "read_transaction", "route", "seconds_allowed", "slot_of", "text_of", "tls_of",
    "told_of_forks", "touched_by",
]  # fmt: skip
