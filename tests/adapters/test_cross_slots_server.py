"""Which commands have their keys in several hash slots: what is refused here is what a server of a cluster refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.commands.rows import SENT
from resp_sansio import CrossSlotError
from resp_sansio.client.hash_slots import slot_of
from resp_sansio.client.routing import slot_of_payload
from resp_sansio.commands.knowledge import Replies, command_info, command_keys, prepare
from resp_sansio.commands.words import words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from resp_sansio import Argument
    from servers import Server

pytestmark = pytest.mark.needs("Redis 7.0")


def test_a_server_refuses_the_same_commands(start_server: Callable[..., Server]) -> None:
    """One slot is missing, so it executes nothing that has keys, and tells of keys that are apart all the same."""
    server = start_server("--cluster-enabled", "yes", "--cluster-allow-pubsubshard-when-down", "no")
    assert server.call("CLUSTER", "ADDSLOTSRANGE", 0, 16382) == b"OK"
    together = apart = 0
    for command, row in SENT:
        keys = command_keys(command.args)
        if not keys or command_info(command.args).replies is not Replies.ONE:
            continue
        for names in ["{tag}%d", "%d"]:
            words = [*words_of(command.args)]
            for number, index in enumerate(keys):
                words[index] = names % number
            answer = str(server.call(*[prepared(word) for word in words]))
            payload, info = prepare(words)
            if answer.startswith("CROSSSLOT"):
                apart += 1
                with pytest.raises(CrossSlotError):
                    slot_of_payload(payload, info)
            elif answer.startswith("CLUSTERDOWN"):  # else it is older than the command, or than its arguments
                together += 1
                assert slot_of_payload(payload, info) == slot_of(b"tag" if names.startswith("{") else b"0"), row
    assert together > 400
    assert apart > 50


def prepared(word: Argument) -> bytes | str | int:
    return word if isinstance(word, (bytes, str, int)) else str(word)
