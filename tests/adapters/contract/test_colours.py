"""The adapters' commands, clients and pools are one text in several colours: `async`, `await` and the clock's name differ.

The syntax trees are compared with the colour taken out. A function that differs in more must be named here, with its reason.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Final

import pytest

ADAPTERS: Final = Path(__file__).parents[3] / "adapters"
FILES: Final = ("_commands.py", "_client.py")
ONE: Final = "resp_asyncio"
OTHERS: Final = ("resp_trio", "resp_sync")

# Names that say the same in another colour.
SAME: Final = {
    "AbstractAsyncContextManager": "AbstractContextManager",
    "AsyncMethods": "SyncMethods",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "current_time": "monotonic",
}

# In trio each way out of a coroutine is a checkpoint, and no KeyboardInterrupt strikes while bytes move.
CHECKPOINTS: Final = {
    "cancel_shielded_checkpoint", "checkpoint", "checkpoint_if_cancelled", "checkpointed", "enable_ki_protection",
}  # fmt: skip

DIFFER: Final = {
    "resp_trio": {
        "Commands.execute": "a command that is refused ends in a checkpoint",
        "Commands._do": "a command that is refused ends in a checkpoint",
        "Connection.next_push": "a caller that listens reads, and takes no future of the loop's",
        "Connection._unwatch": "a slot without a caller is sent, and not waited for",
        "Connecting._open": "the dial runs in a nursery, which ends once it is open",
        "Lending.__exit__": "the work beside the calls runs in a nursery, as long as the block",
        "Lending.__del__": "a client that was entered is closed by its block",
    },
    "resp_sync": {
        "Commands.execute": "a call is made in one step: there is no future to await",
        "Commands._do": "a call is made in one step: there is no future to await",
        "Pipeline._run": "a call is made in one step: there is no future to await",
        "WatchedTransaction.attempt": "it takes a plain function, and refuses an async one",
        "Connection.next_push": "a caller that listens reads, and takes no future of the loop's",
        "connect": "it opens the connection: there is nothing to be awaited",
        "Connecting._open": "there is nothing to be awaited",
        "Connecting.__await__": "there is nothing to be awaited",
        "Connecting.__enter__": "there is nothing to be awaited",
        "Connecting.__exit__": "there is nothing to be awaited",
        "Pool.resize": "the machine is changed under the lock",
        "Pool.retire": "the machine is changed under the lock",
        "Borrowed.__init__": "the stack is that of acquire(): another thread may enter the block",
        "Borrowed.__enter__": "a borrower is known before it asks, for an interrupt may strike as it gets its lease",
        "Borrowed.__exit__": "a borrower says that it has gone",
        "Borrowed.__del__": "an interrupt may have kept a borrower from saying so",
        "stack": "the stack is that of acquire(): another thread may enter the block",
    },
}


class Bleached(ast.NodeTransformer):
    """Take the colour out of a function."""

    def visit_Await(self, node: ast.Await) -> Any:
        return self.visit(node.value)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        return self.generic_visit(ast.With(items=node.items, body=node.body))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self.visit_FunctionDef(ast.FunctionDef(**dict(ast.iter_fields(node))))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.name = SAME.get(node.name, node.name)
        node.decorator_list = [each for each in node.decorator_list if ast.unparse(each) not in CHECKPOINTS]
        if ast.get_docstring(node) is not None:
            del node.body[0]
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        """What an async function returns is what is awaited of it."""
        self.generic_visit(node)
        return node.slice if isinstance(node.value, ast.Name) and node.value.id == "Awaitable" else node

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A statement that is a checkpoint is none in another colour."""
        self.generic_visit(node)
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return None if isinstance(called, ast.Name) and called.id in CHECKPOINTS else node

    def visit_Name(self, node: ast.Name) -> Any:
        return ast.Name(SAME.get(node.id, node.id), node.ctx)


def functions(adapter: str) -> dict[str, str]:
    """The functions of an adapter's files without their colour, by their names; overloads one behind the other."""
    found: dict[str, str] = {}
    for file in FILES:
        for node in ast.parse((ADAPTERS / adapter / file).read_text(encoding="utf-8")).body:
            members = node.body if isinstance(node, ast.ClassDef) else [node]
            for member in members:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    plain = Bleached().visit(member)
                    name = f"{node.name}.{plain.name}" if isinstance(node, ast.ClassDef) else plain.name
                    found[name] = found.get(name, "") + ast.unparse(ast.fix_missing_locations(plain))
    return found


@pytest.mark.parametrize("other", OTHERS)
def test_what_differs_in_more_than_its_colour_is_named_with_a_reason(other: str) -> None:
    ours, theirs = functions(ONE), functions(other)
    differ = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    assert differ == DIFFER[other].keys()


def test_most_of_it_is_the_same() -> None:
    for other in OTHERS:
        assert len(DIFFER[other]) * 2 < len(functions(ONE))
