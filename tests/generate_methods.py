"""Write what follows from the builders of `resp_sansio.commands`: the methods of `resp_sansio.methods`, and a check of their types.

    python tests/generate_methods.py

A builder is a function that returns `Command("NAME", ..., read=reader)`. It becomes a method of three classes: one returns the
result, one is awaited, one collects. The body of each is one call of `_do`, with the words and the reader. Where it takes more
than an expression to put the words together, a function in `_words.py` does it for all three. The names that `resp_sansio.commands`
offers are written, too. So builders alone are written by hand; a test holds that what is in the tree is what this script writes.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
BUILDERS: Final = Path("resp_sansio", "commands")
GROUPS: Final = (
    "strings", "bitmaps", "hyperloglog", "generic", "hashes", "lists", "sets", "sorted_sets", "streams", "geo",
    "arrays", "json", "vector_sets", "time_series", "search", "search_queries", "bloom", "cuckoo", "count_min",
    "top_k", "t_digest", "scripting", "functions", "pubsub", "connection", "server", "diagnostics", "introspection",
    "acl", "cluster", "sentinel",
)  # fmt: skip
"""The modules of the builders, in the order of the methods."""
METHODS: Final = Path("resp_sansio", "methods")
TYPES: Final = Path("tests", "typing", "every_method.py")
FACE: Final = BUILDERS / "__init__.py"

WIDTH: Final = 120

ORIGINS: Final = {
    "ABC": "abc",
    "Generic": "typing",
    "Reader": "..commands.command",
    "Result": "..client.batch",
    "S": "..commands.decoding",
    "TypeVar": "typing",
    "Words": "..commands.words",
    "_words": ".",
    "abstractmethod": "abc",
}
"""Where the methods' modules have those names from that builders do not use."""


# -- reading the builders -----------------------------------------------------------------------------------------------------


class Parameter(NamedTuple):
    """A parameter of a builder, in the words of its source. `star` is one if it takes any number of arguments."""

    name: str
    kind: str
    default: str = ""
    star: str = ""
    by_keyword: bool = False

    def __str__(self) -> str:
        return f"{self.star}{self.name}: {self.kind}" + (f" = {self.default}" if self.default else "")


class Builder(NamedTuple):
    """A builder, in the words of its source. If it takes more than `words` to make its words, `body` are the statements.

    `plain`: what its arguments are as a rule, if it begins with that, and the words then. A method sees to it by itself.
    """

    name: str
    group: str
    parameters: list[Parameter]
    result: str
    docstring: list[str]
    words: list[str]
    reader: str
    body: list[str]
    plain: tuple[str, list[str]] | None


class Source:
    """The builders' source, and of each node of its tree the text. (`ast.get_source_segment` splits all of it each time.)"""

    def __init__(self, source: str) -> None:
        self.tree: Final = ast.parse(source)
        self.lines: Final = [line.encode() for line in source.split("\n")]

    def text(self, node: ast.expr | ast.stmt | None) -> str:
        """Return the text of a node, nothing if there is none."""
        if node is None:
            return ""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        lines = self.lines[first : last + 1]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"\n".join(lines).decode()


def read_builders(source: Source, group: str) -> list[Builder]:
    """Return the builders of a group in their order. Raises `ValueError` for a public function that is none."""
    return [
        read_builder(node, source, group)
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


def read_builder(node: ast.FunctionDef, source: Source, group: str) -> Builder:
    """Return what is said of one builder. Raises `ValueError` for what this script could not take over."""
    returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
    calls = [each for each in returned if isinstance(each, ast.Call) and source.text(each.func) == "Command"]
    options = {tuple([(each.arg, source.text(each.value)) for each in call.keywords]) for call in calls}
    if (
        len(calls) != len(returned)
        or [[name for name, _ in each] for each in options] != [["read"]]
        or not isinstance(node.returns, ast.Subscript)
        or source.text(node.returns.value) != "Command"
        or not ast.get_docstring(node)
        or (node.args.posonlyargs or node.args.kwarg or node.decorator_list)
    ):
        raise ValueError(f"{node.name} is no builder: it says what it does, and returns Command(..., read=one_reader)")
    docstring, *statements = node.body
    plain: tuple[str, list[str]] | None = None
    match statements[0]:
        case ast.If(test=test, body=[ast.Return(value=ast.Call() as call)], orelse=[]):
            plain = source.text(test), [source.text(word) for word in call.args]
            del statements[0]
    return Builder(
        name=node.name,
        group=group,
        parameters=read_parameters(node.args, source),
        result=source.text(node.returns.slice),
        docstring=source.text(docstring).splitlines(),
        words=[source.text(word) for word in calls[0].args],
        reader=next(iter(options))[0][1],
        body=read_body(statements, calls, source) if len(statements) > 1 else [],
        plain=plain,
    )


def read_parameters(arguments: ast.arguments, source: Source) -> list[Parameter]:
    """Return the parameters in their order."""
    needed = len(arguments.args) - len(arguments.defaults)
    defaults = [None] * needed + arguments.defaults
    found = [
        Parameter(each.arg, source.text(each.annotation), source.text(default))
        for each, default in zip(arguments.args, defaults, strict=True)
    ]
    if (more := arguments.vararg) is not None:
        found.append(Parameter(more.arg, source.text(more.annotation), star="*"))
    return found + [
        Parameter(each.arg, source.text(each.annotation), source.text(default), by_keyword=True)
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]


def read_body(statements: list[ast.stmt], calls: list[ast.Call], source: Source) -> list[str]:
    """Return the lines of the statements, with no more than its words in place of each command."""
    start = statements[0].lineno
    calls = [call for call in calls if call.lineno >= start]
    lines = [line.decode() for line in source.lines[start - 1 : statements[-1].end_lineno]]
    for call in calls:
        at = call.lineno - start
        lines[at] = f"{lines[at][: call.col_offset]}{', '.join([source.text(word) for word in call.args])}"
        for rest in range(at + 1, (call.end_lineno or call.lineno) - start + 1):
            lines[rest] = ""
    return [line for line in lines if line]


# -- writing what follows from them -------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A kind of methods: what its class and module are called and say, and how a method is defined and returns."""

    module: str
    name: str
    says: str
    result: str
    define: str
    give: str


KINDS: Final = (
    Kind("sync", "SyncMethods", "return their results", "{}", "def", "return"),
    Kind("tasks", "AsyncMethods", "are awaited", "{}", "async def", "return await"),
    Kind("batch", "BatchMethods", "collect, and return a `Result` each", "Result[{}]", "def", "return"),
)

HEAD: Final = '''\
"""{says}.

Written by `tests/generate_methods.py` from the builders of `resp_sansio.commands`, not by hand.
"""

from __future__ import annotations

'''

CLASS: Final = '''
T = TypeVar("T")


class {name}(ABC, Generic[S]):
    """A method for each builder of `commands`, to be had by inheriting. The heir says with `_do` how each is executed.

    `S` is what the data in a reply comes as, `bytes` or `str`.
    """

    __slots__ = ()

    @abstractmethod
    {define} _do(self, words: Words, read: Reader[T, S]) -> {result}:
        """Execute the command of these words, and return what `read` makes of its reply. Raises as `execute`."""
'''

LATE: Final = '''\
else:

    def __getattr__(name: str) -> object:
        """Load the builders, group by group, when one is asked for: the methods need none, and so do most programs."""
        from importlib import import_module

        for group in _GROUPS if name in __all__ else ():
            found = getattr(import_module(f".{group}", __name__), name, None)
            if getattr(found, "__module__", None) == f"{__name__}.{group}":
                globals()[name] = found
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

'''

TYPES_HEAD: Final = '''\
"""What a type checker knows of every method. Never run: mypy --strict and pyright read it.

Written by `tests/generate_methods.py` from the builders of `resp_sansio.commands`, not by hand.
"""

from __future__ import annotations

from typing import TypeAlias, assert_type

import resp_asyncio
import resp_sync
import resp_trio
{imports}
Threads: TypeAlias = resp_sync.Connection | resp_sync.Pool | resp_sync.Client
Asyncio: TypeAlias = resp_asyncio.Connection | resp_asyncio.Pool | resp_asyncio.Client
Trio: TypeAlias = resp_trio.Connection | resp_trio.Pool | resp_trio.Client
Batch: TypeAlias = resp_sync.Pipeline | resp_asyncio.Pipeline | resp_trio.Pipeline
TextThreads: TypeAlias = resp_sync.Connection[str] | resp_sync.Pool[str] | resp_sync.Client[str]
TextTasks: TypeAlias = resp_asyncio.Client[str] | resp_trio.Client[str]
TextBatch: TypeAlias = resp_sync.Pipeline[str] | resp_asyncio.Pipeline[str] | resp_trio.Pipeline[str]
'''

CHECKED: Final = (
    ("def with_threads(redis: Threads)", "", "{}", "bytes"),
    ("async def with_asyncio(redis: Asyncio)", "await ", "{}", "bytes"),
    ("async def with_trio(redis: Trio)", "await ", "{}", "bytes"),
    ("def in_batches(redis: Batch)", "", "Result[{}]", "bytes"),
    ("def with_threads_as_text(redis: TextThreads)", "", "{}", "str"),
    ("async def with_tasks_as_text(redis: TextTasks)", "await ", "{}", "str"),
    ("def in_batches_as_text(redis: TextBatch)", "", "Result[{}]", "str"),
)
"""Where the methods are: as what they are called, what stands before a call, what it gives, and what data is."""

EXAMPLES: Final = {
    "Argument": '"k"',
    "Bitwise": '"AND"',
    "End": '"MIN"',
    "Fields": '{"k": 1}',
    "JsonPath": '"$"',
    "Logged": '"slow"',
    "Nack": '"FAIL"',
    "Places": '{"k": (1, 2)}',
    "SchemaField": 'TextField("k")',
    "Scores": '{"k": 1}',
    "Side": '"LEFT"',
    "Triplet": '("k", "$", "1")',
    "Unit": '"m"',
    "Where": '"BEFORE"',
    "bool": "True",
    "Aggregations": '(["avg"], 5)',
    "Aggregation": '("avg", 5)',
    "Counts": '{"k": 5}',
    "NewSample": '("k", 5, 0.5)',
    "Vector": "[0.5]",
    "float": "1",
    "int": "1",
}
"""An argument for each type of parameter that one must be given for."""


def bracketed(before: str, items: list[str], after: str, indent: str = "") -> str:
    """Return items in brackets as the formatter lays them out: on one line, on one of their own, or on a line for each."""
    if len(line := f"{indent}{before}{', '.join(items)}{after}") <= WIDTH:
        return f"{line}\n"
    if len(line := f"{indent}    {', '.join(items)}") <= WIDTH:
        return f"{indent}{before}\n{line}\n{indent}{after}\n"
    return f"{indent}{before}\n" + "".join([f"{indent}    {item},\n" for item in items]) + f"{indent}{after}\n"


def signature(builder: Builder) -> list[str]:
    """Return a method's parameters, with a star before those that are given by keyword."""
    shown = ["self"]
    for parameter in builder.parameters:
        if parameter.by_keyword and not any([each.startswith("*") for each in shown]):
            shown.append("*")
        shown.append(str(parameter))
    return shown


def method(builder: Builder, kind: Kind) -> str:
    """Return the text of one method."""
    result = kind.result.format(result_of(builder, "S"))
    head = bracketed(f"{kind.define} {builder.name}(", signature(builder), f") -> {result}:", "    ")
    docstring = "".join([f"    {line}".rstrip() + "\n" for line in builder.docstring])
    code = f"\n{head}    {docstring}"
    if builder.plain:
        test, plain = builder.plain
        lines = [f"            {line.strip()}\n" for line in test.splitlines()]
        code += f"        if {test}:\n" if len(lines) == 1 else f"        if (\n{''.join(lines)}        ):\n"
        code += bracketed(f"{kind.give} self._do(", [put_together(plain), builder.reader], ")", " " * 12)
    words = put_together(builder.words)
    if builder.body:
        words = bracketed(f"_words.{builder.name}(", passed_on(builder), "),", " " * 12).strip()[:-1]
    return code + bracketed(f"{kind.give} self._do(", [words, builder.reader], ")", " " * 8)


def put_together(words: list[str]) -> str:
    """Return the words as a tuple."""
    return f"({', '.join(words)})" if len(words) > 1 else f"({words[0]},)"


def result_of(builder: Builder, data: str) -> str:
    """Return the type of what a method returns whose data is of this type: a builder says `bytes` of it."""
    return re.sub(r"\bbytes\b", data, builder.result)


def passed_on(builder: Builder) -> list[str]:
    """Return the arguments by which a method hands on its own: by place, which is quicker, unless a star stands before them."""
    star = any(each.star for each in builder.parameters)
    return [
        f"{each.name}={each.name}" if star and each.by_keyword else f"{each.star}{each.name}"
        for each in builder.parameters
    ]


def methods(builders: list[Builder], kind: Kind, origins: dict[str, str]) -> str:
    """Return the module of one kind of methods."""
    code = CLASS.format(name=kind.name, define=kind.define, result=kind.result.format("T"))
    group = ""
    for builder in builders:
        if builder.group != group:
            group = builder.group
            code += f"\n    # {group.replace('_', ' ')}\n"
        code += method(builder, kind)
    return HEAD.format(says=f"The commands as methods that {kind.says}") + imports(code, origins) + code


def words(builders: list[Builder], origins: dict[str, str]) -> str:
    """Return the module of the functions that put words together."""
    code = ""
    for builder in builders:
        if builder.body:
            parameters = [str(each._replace(default="")) for each in builder.parameters]
            code += "\n\n" + bracketed(f"def {builder.name}(", parameters, ") -> Words:")
            code += "".join([f"{line}\n" for line in builder.body])
    says = "The words of the commands that take more than an expression"
    return HEAD.format(says=says) + imports(code, origins) + code


def types(builders: list[Builder]) -> str:
    """Return the check of what type checkers know: a call of each method, with what must be given, and what it returns."""
    shown = [each.result for each in builders] + [*EXAMPLES.values()]
    names = [node.id for text in shown for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    public = {"Result", *[name for name in names if name[0].isupper()]} - {"Members"}
    code = TYPES_HEAD.format(imports=imported("resp_sansio", sorted(public)))
    for head, wait, result, data in CHECKED:
        code += f"\n\n{head} -> None:\n"
        for builder in builders:
            given = ", ".join(
                [
                    f"{each.name}={EXAMPLES[each.kind]}" if each.by_keyword else EXAMPLES[each.kind]
                    for each in builder.parameters
                    if not each.default and not each.star
                ]
            )
            call = f"{wait}redis.{builder.name}({given})"
            # In a class with a method `set`, the builtin type is called `Members`.
            returned = result.format(result_of(builder, data).replace("Members[", "set["))
            if returned == "None":  # mypy refuses to look at what is never anything
                code += f"    {call}\n"
            else:
                code += bracketed("assert_type(", [call, returned], ")", "    ")
    return code


def face(text: str, builders: list[Builder]) -> str:
    """Return the face of the builders' folder with the names of all of them between its docstring and its functions."""
    begin, end = "from __future__ import annotations\n", "\n\ndef __dir__"
    modules: dict[str, list[str]] = {}
    for builder in builders:
        modules.setdefault(builder.group, []).append(builder.name)
    code = "".join([imported(f".{group}", sorted(names)) for group, names in sorted(modules.items())])
    every = sorted(["text", *[builder.name for builder in builders]])
    head, tail = text.partition(begin)[0], text.partition(end)[2]
    return (
        f"{head}{begin}\nfrom typing import TYPE_CHECKING\n\nfrom .command import text\n\nif TYPE_CHECKING:\n"
        f"{textwrap.indent(code, '    ')}{LATE}\n{listed('__all__ = [', every, ']')}\n"
        f"{listed('_GROUPS = (', [*modules], ')')}{end}{tail}"
    )


def listed(before: str, names: list[str], after: str) -> str:
    """Return names in brackets, as many on a line as there is room for."""
    lines = textwrap.fill(
        ", ".join([f'"{name}"' for name in names]), WIDTH, initial_indent="    ", subsequent_indent="    "
    )
    return f"{before}\n{lines},\n{after}  # fmt: skip\n"


def imports(code: str, origins: dict[str, str]) -> str:
    """Return the imports that this code needs, in the order that the linter wants."""
    tree = ast.parse(code)
    used = Counter(names_in(tree))
    for each in ast.walk(tree):
        if isinstance(
            each, (ast.FunctionDef, ast.AsyncFunctionDef)
        ):  # what it calls by a parameter's name is the parameter
            parameters = {node.arg for node in ast.walk(each.args) if isinstance(node, ast.arg)}
            used -= Counter([name for name in names_in(each) if name in parameters])
    ours: list[str] = []
    others: list[str] = []
    for module in sorted({*origins.values()}, key=lambda module: (module == ".", module)):
        names = sorted([name for name in used if origins.get(name) == module], key=import_order)
        if names:
            (ours if module.startswith(".") else others).append(imported(module, names))
    return "".join([*others, *["\n"] * bool(others), *ours])


def imported(module: str, names: list[str]) -> str:
    """Return one import as the formatter lays it out."""
    if len(line := f"from {module} import {', '.join(names)}\n") <= WIDTH + 1:
        return line
    return f"from {module} import (\n" + "".join([f"    {name},\n" for name in names]) + ")\n"


def names_in(tree: ast.AST) -> list[str]:
    """Return the names that a tree speaks of, each as often as it does."""
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def import_order(name: str) -> tuple[int, str]:
    """Return where a name stands among those that are imported with it: constants, classes, functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name


def read_origins(source: Source) -> dict[str, str]:
    """Return where each name is from, as the methods' modules see it."""
    taken = [node for node in source.tree.body if isinstance(node, ast.ImportFrom) and node.level]
    folders = {1: "..commands.", 2: ".."}
    return ORIGINS | {alias.name: f"{folders[node.level]}{node.module}" for node in taken for alias in node.names}


def read_groups(folder: Path) -> dict[str, str]:
    """Return the sources of the builders that are in this folder, by their groups."""
    return {group: (folder / f"{group}.py").read_text(encoding="utf-8") for group in GROUPS}


def written(folder: Path) -> dict[Path, str]:
    """Return all that follows from the builders in this folder, by its place in the project."""
    builders: list[Builder] = []
    origins: dict[str, str] = {}
    for group, text in read_groups(folder).items():
        source = Source(text)
        builders += read_builders(source, group)
        for name, module in read_origins(source).items():
            if origins.setdefault(name, module) != module:
                raise ValueError(
                    f"{name} is in {origins[name]} and in {module}: the methods' modules have one of a name"
                )
    return {
        METHODS / "_words.py": words(builders, origins),
        **{METHODS / f"{kind.module}.py": methods(builders, kind, origins) for kind in KINDS},
        TYPES: types(builders),
        FACE: face((folder / FACE.name).read_text(encoding="utf-8"), builders),
    }


def main() -> None:
    """Write it all."""
    for path, content in written(ROOT / BUILDERS).items():
        (ROOT / path).write_text(content, encoding="utf-8")
        print(f"{path}: {len(content.splitlines())} lines")


if __name__ == "__main__":
    main()
