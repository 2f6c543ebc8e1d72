"""The table of transitions: every state, every input, and the page that shows them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resp_sansio.connection import State
from resp_sansio.connection.state import FINAL, TRANSITIONS, Input, diagram, move

PAGE: Final = Path(__file__).parents[3] / "docs" / "states.md"
EVERYTHING: Final = list(product(State, Input))


@pytest.mark.parametrize(("state", "what"), EVERYTHING)
def test_every_state_with_every_input_moves_as_the_table_says_or_cannot_be(state: State, what: Input) -> None:
    if (state, what) in TRANSITIONS:
        assert move(state, what) is TRANSITIONS[state, what]
    else:
        with pytest.raises(
            AssertionError, match=f"a connection that is {state.name} has no transition for {what.name}"
        ):
            move(state, what)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_closed_and_can_end(state: State) -> None:
    assert move(state, Input.CLOSE) in (State.CLOSING, FINAL)
    assert move(state, Input.ENDED) is FINAL


@given(inputs=st.lists(st.sampled_from(Input)))
def test_what_has_ended_stays_so_and_what_closes_never_opens_again(inputs: list[Input]) -> None:
    state, closing = State.OPENING, False
    for what in inputs:
        before = state
        if (state, what) in TRANSITIONS:
            state = move(state, what)
        closing = closing or what is Input.CLOSE
        assert before is not FINAL or state is FINAL
        assert not closing or state in (State.CLOSING, FINAL)


def test_every_state_can_be_reached() -> None:
    reached, more = {State.OPENING}, True
    while more:
        next_ones = {after for (state, _), after in TRANSITIONS.items() if state in reached}
        more = not next_ones <= reached
        reached |= next_ones
    assert reached == set(State)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[FINAL, Input.ACCEPTED] = State.READY  # type: ignore[index]


def test_the_diagram_has_each_transition_that_leads_elsewhere() -> None:
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> OPENING"]
    assert lines[-1] == "    LOST --> [*]"
    assert len(lines) == 3 + sum(state is not after for (state, _), after in TRANSITIONS.items())
    assert "    READY --> CLOSING: CLOSE" in lines
    assert "    CLOSING --> CLOSING: CLOSE" not in lines


def test_the_page_shows_the_table_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}```\n" in page
    for heading, members in (("State | Meaning", State), ("Input | What it is", Input)):
        rows = "".join(f"| {member.name} | {member.value} |\n" for member in members)
        assert f"| {heading} |\n|---|---|\n{rows}\n" in page
    for state in State:
        assert f"**{state.name}" in page
