"""Bytes to values and back, for those who write servers, proxies and tools: what RESP says, and nothing of what it means."""

from .encoder import Argument, encode_command, encode_reply
from .parser import Chunk, Limits, Parser
from .requests import CommandParser, split_inline
from .values import ArrayKey, Attributed, Items, MapKey, Pairs, Push, Reply, SetKey, Spoken, Verbatim, as_text

__all__ = [
    "Argument", "ArrayKey", "Attributed", "Chunk", "CommandParser", "Items", "Limits", "MapKey", "Pairs", "Parser", "Push",
    "Reply", "SetKey", "Spoken", "Verbatim", "as_text", "encode_command", "encode_reply",
    "split_inline",
]  # fmt: skip
