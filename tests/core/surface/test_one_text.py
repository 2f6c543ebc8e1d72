"""What tasks hold and what threads hold is one text in two colours: `async` and `await` differ.

The syntax trees are compared with the colour taken out. A function that differs in more must be named here, with its reason.
"""

from __future__ import annotations

import ast
from typing import Any, Final

from house import CORE

# Names that say the same in another colour.
SAME: Final = {
    "AbstractAsyncContextManager": "AbstractContextManager",
    "asynccontextmanager": "contextmanager",
    "AsyncIterable": "Iterable",
    "AsyncIterator": "Iterator",
    "AsyncMethods": "SyncMethods",
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
}

DIFFER: Final = {
    "Alone.__init__": "threads need a lock",
    "Alone.__call__": "threads need a lock",
    "Driver.acquire": "a borrower is known before it asks, for an interrupt may strike as it gets its link",
    "Driver.leave": "nothing is done beside the calls",
    "Driver.checkpoint": "threads need none",
    "WatchedTransaction.__init__": "threads need a lock",
    "WatchedTransaction.attempt": "it takes a plain function, and refuses an async one",
    "Pipeline._run": "an interrupt strikes, where a task is cancelled",
    "Connecting._open": "there is nothing to be awaited",
    "Connecting.__await__": "there is nothing to be awaited",
    "Connecting.__enter__": "there is nothing to be awaited",
    "Connecting.__exit__": "there is nothing to be awaited",
    "open_connection": "there is nothing to be awaited",
    "ask_for_credentials": "there is nothing to be awaited",
    "find_addresses": "a look-up holds up its own thread alone",
    "Lending.__exit__": "nothing is done beside the calls",
    "Messages.__exit__": "nothing is done beside the calls",
    "Messages._end": "nothing is done beside the calls",
    "Consuming.__init__": "threads need a lock",
    "Borrowed.__enter__": "a borrower is known before it asks",
    "Readable.read": "threads do not await",
    "Upload._take_all": "tasks also take what is to be awaited",
    "Scan.__init__": "threads may share an iteration",
    "Observed.__init__": "only tasks are in an event loop",
}


class Bleached(ast.NodeTransformer):
    """Take the colour out of a function."""

    def visit_Await(self, node: ast.Await) -> Any:
        return self.visit(node.value)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        return self.generic_visit(ast.With(items=node.items, body=node.body))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        return self.generic_visit(ast.For(target=node.target, iter=node.iter, body=node.body, orelse=node.orelse))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self.visit_FunctionDef(ast.FunctionDef(**dict(ast.iter_fields(node))))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.name = SAME.get(node.name, node.name)
        if ast.get_docstring(node) is not None:
            del node.body[0]
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        """What an async function returns is what is awaited of it."""
        self.generic_visit(node)
        return node.slice if isinstance(node.value, ast.Name) and node.value.id == "Awaitable" else node

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A checkpoint of tasks is nothing to threads."""
        self.generic_visit(node)
        return None if ast.unparse(node).endswith("driver.checkpoint()") else node

    def visit_Name(self, node: ast.Name) -> Any:
        return ast.Name(SAME.get(node.id, node.id), node.ctx)


def functions(colour: str) -> dict[str, str]:
    """The functions of a colour's modules without their colour, by their names; overloads one behind the other."""
    found: dict[str, str] = {}
    paths = sorted((CORE / "surface").glob(f"{colour}*.py"))
    for node in [node for path in paths for node in ast.parse(path.read_text(encoding="utf-8")).body]:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                plain = Bleached().visit(member)
                name = f"{node.name}.{plain.name}" if isinstance(node, ast.ClassDef) else plain.name
                found[name] = found.get(name, "") + ast.unparse(ast.fix_missing_locations(plain))
    return found


def test_what_differs_in_more_than_its_colour_is_named_with_a_reason() -> None:
    tasks, threads = functions("tasks"), functions("threads")
    differ = {name for name in tasks.keys() | threads.keys() if tasks.get(name) != threads.get(name)}
    assert differ == DIFFER.keys()
