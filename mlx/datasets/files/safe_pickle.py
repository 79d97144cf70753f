"""Reads the pickles inside the published CIFAR archives without running anything they name.

A pickle is a program for a stack machine whose instructions can call any function: `pickle.load` on a file from
elsewhere executes arbitrary code. No unpickler is used. `pickletools.genops` splits the file into instructions; those
that build plain values are carried out here, and calls are accepted of exactly the functions that arrays of bytes are
written with, which are imitated and never called. Anything else is rejected before it has an effect.

Format: PEP 307 and the documentation in CPython's ``Lib/pickletools.py``.
"""

import math
import mmap
import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.errors import DataError

MAX_DEPTH_OF_SHAPE = 4
MOST_INSTRUCTIONS = 1_000_000
"""Five times those of the largest published batch: two labels, a file name and its place for 50,000 images."""

MOST_CONTAINERS = 500
"""A published batch has about ten; so few can't be nested deeply enough to exhaust the C stack."""

DEEPEST_TUPLE = 4
"""Of tuples in tuples; an array's state is one of depth 2."""

LONGEST_KEY = 256


_MARK = object()
"""Where the elements of a list, tuple or dict begin on the stack."""

_BYTES = object()
"""The dtype of unsigned bytes."""


@dataclass(frozen=True)
class _Name:
    """A function or class that the pickle names; one of `_CALLS`, or the class of arrays."""

    module: str
    name: str


@dataclass
class _Array:
    """An array whose values follow: NumPy makes an empty one first and fills it afterwards."""

    values: list[np.ndarray[Any, Any]] = field(default_factory=list)


def read_plain_pickle(path: Path) -> Any:
    """Return the dicts, lists, tuples, texts, bytes, numbers and uint8 arrays in a pickle.

    Texts of Python 2, whose encoding a pickle doesn't tell, are read as Latin-1; keys are always `str`.

    Raises
    ------
    DataError
        If the file is damaged, or holds anything else.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise DataError(f"{path}: expected a pickled batch, found an empty file")
        # A map rather than a file: no length that a pickle claims reads more than the file.
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            machine = _Machine(len(content))
            try:
                machine.run(content)
            except _RejectedError as error:
                raise DataError(f"{path}: expected plain values and arrays of bytes, found {error}") from None
            except (ValueError, IndexError, TypeError, KeyError, OverflowError) as error:
                raise DataError(f"{path}: expected a whole pickle, found a damaged file ({error})") from None
            return _plain(machine.result)


class _RejectedError(Exception):
    """An instruction that could do more than build plain values."""


class _Machine:
    """The stack, the memory, and one method for what each kind of instruction does to them."""

    def __init__(self, size: int) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.result: Any = None
        self.left_to_encode = size
        self.containers = 0
        # by id, which is another's only once the tuple is gone: so each is kept
        self.depths: dict[int, tuple[tuple[Any, ...], int]] = {}

    def run(self, content: mmap.mmap) -> None:
        """Carry out all instructions."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of odd escapes in texts of protocol 0
            # a map has the read and readline that are needed, and of a file no more
            instructions = pickletools.genops(content)  # type: ignore[arg-type]
            for count, (operation, argument, position) in enumerate(instructions):
                if count >= MOST_INSTRUCTIONS:
                    raise _RejectedError(f"more than {MOST_INSTRUCTIONS:,} instructions")
                self.step(operation.name, argument, position or 0)

    def step(self, name: str, argument: Any, position: int) -> None:
        """Carry out one instruction."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TAKEN_AS_THEY_ARE:
            self.stack.append(argument)
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        elif name not in {"PROTO", "FRAME"}:
            raise _RejectedError(f"the instruction {name} at byte {position}, which is not carried out")

    def push_container(self, value: Any) -> None:
        """Put a new list, dict or tuple on the stack, unless there are too many already."""
        self.containers += 1
        if self.containers > MOST_CONTAINERS:
            raise _RejectedError(f"more than {MOST_CONTAINERS} lists, dicts and tuples")
        self.stack.append(value)

    def push_tuple(self, values: list[Any]) -> None:
        """Put a new tuple on the stack, unless it is nested too deeply: to hash or compare it could never end."""
        made = tuple(values)
        depth = 1 + max((self.depths[id(value)][1] for value in values if id(value) in self.depths), default=0)
        if depth > DEEPEST_TUPLE:
            raise _RejectedError(f"tuples nested more than {DEEPEST_TUPLE} deep")
        self.push_container(made)
        self.depths[id(made)] = made, depth

    def encode(self, text: str) -> bytes:
        """Return a text's bytes; of all together no more than the file has, as one text can be named often."""
        self.left_to_encode -= len(text)
        if self.left_to_encode < 0:
            raise _RejectedError("more bytes to make than the file has")
        return text.encode("latin-1")

    def pop_to_mark(self) -> list[Any]:
        """Take the elements above the last mark, and the mark."""
        last = len(self.stack) - 1
        while self.stack[last] is not _MARK:
            last -= 1
            if last < 0:
                raise ValueError("no mark")
        taken, self.stack[last:] = self.stack[last + 1 :], []
        return taken

    def pop(self, count: int) -> list[Any]:
        """Take the `count` uppermost elements."""
        if len(self.stack) < count:
            raise ValueError("an empty stack")
        taken, self.stack[len(self.stack) - count :] = self.stack[len(self.stack) - count :], []
        if any(value is _MARK for value in taken):
            raise ValueError("a mark in the wrong place")
        return taken


def _remember(machine: _Machine, place: Any) -> None:
    machine.memory[len(machine.memory) if place is None else int(place)] = machine.stack[-1]


def _append(machine: _Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) is not list:
        raise ValueError(f"elements appended to a {type(target).__name__}")
    target.extend(values)


def _set(machine: _Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) is not dict or len(values) % 2:
        raise ValueError(f"keys set in a {type(target).__name__}")
    target.update(_keyed(values))


def _keyed(values: list[Any]) -> dict[str, Any]:
    return {_text(key): value for key, value in zip(values[::2], values[1::2], strict=True)}


def _text(value: Any) -> str:
    if not isinstance(value, str | bytes):  # a tuple of tuples of tuples … would take for ever to hash
        raise TypeError(f"a {type(value).__name__} where a text belongs")
    if len(value) > LONGEST_KEY:  # a long one could be decoded again and again
        raise ValueError(f"a text of {len(value)} characters where a name belongs")
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _named(machine: _Machine, module: Any, name: Any) -> None:
    found = _Name(_text(module), _text(name))
    if found not in _CALLS and found not in _ARRAY_CLASSES:
        shown = f"{found.module[:80]}.{found.name[:80]}".encode("ascii", "backslashreplace").decode()
        raise _RejectedError(f"a reference to {shown}, which could run code")
    machine.stack.append(found)


def _call(machine: _Machine) -> None:
    function, arguments = machine.pop(2)
    if not isinstance(function, _Name) or function not in _CALLS or type(arguments) is not tuple:
        raise _RejectedError("a call of something that is no function for arrays")
    machine.stack.append(_CALLS[function](machine, *arguments))


def _build(machine: _Machine) -> None:
    target, state = machine.stack[-2], machine.pop(1)[0]
    if isinstance(target, _Array):
        target.values[:] = [_filled(machine, *state)]
    elif target is not _BYTES:  # its state is byte order and alignment: bytes have none
        raise _RejectedError(f"a state for a {type(target).__name__}, which could run code")


def _filled(
    machine: _Machine, version: Any, shape: Any, dtype: Any, fortran: Any, content: Any
) -> np.ndarray[Any, Any]:
    """Return the array that NumPy's ``ndarray.__setstate__`` would make."""
    if version != 1 or dtype is not _BYTES or type(shape) is not tuple:
        raise ValueError("an array that is not of bytes")
    if len(shape) > MAX_DEPTH_OF_SHAPE or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise ValueError("an array of an impossible shape")
    values = machine.encode(content) if isinstance(content, str) else content
    if not isinstance(values, bytes) or len(values) != math.prod(shape):
        raise ValueError(f"an array of shape {shape} without as many bytes")
    return np.frombuffer(values, np.uint8).reshape(shape, order="F" if fortran else "C")


def _empty_array(_: _Machine, kind: Any, shape: Any, code: Any) -> _Array:  # noqa: ARG001 - NumPy fills in both later
    if not isinstance(kind, _Name) or kind not in _ARRAY_CLASSES:
        raise _RejectedError("an array of a class other than numpy.ndarray")
    return _Array()


def _byte_type(_: _Machine, code: Any, *flags: Any) -> object:  # noqa: ARG001 - align and copy change nothing
    if _text(code) not in {"u1", "|u1", "B", "uint8"}:
        raise ValueError("an array that is not of unsigned bytes")
    return _BYTES


def _encoded(machine: _Machine, text: Any, encoding: Any) -> bytes:
    """Return the bytes that Python 3 wrote as a text, having no way to say "bytes" in protocol 2."""
    if not isinstance(text, str) or _text(encoding) not in {"latin1", "latin-1"}:
        raise ValueError("bytes in an unknown encoding")
    return machine.encode(text)


_ARRAY_CLASSES = {_Name("numpy", "ndarray")}
_CALLS: dict[_Name, Callable[..., Any]] = {
    _Name("numpy.core.multiarray", "_reconstruct"): _empty_array,
    _Name("numpy._core.multiarray", "_reconstruct"): _empty_array,
    _Name("numpy", "dtype"): _byte_type,
    _Name("_codecs", "encode"): _encoded,
}
_CONSTANTS = {"MARK": _MARK, "NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TAKEN_AS_THEY_ARE = {
    "INT", "BININT", "BININT1", "BININT2", "LONG1", "STRING", "BINSTRING", "SHORT_BINSTRING",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip


def _finish(machine: _Machine, _: Any) -> None:
    (machine.result,) = machine.pop(1)
    if machine.stack:
        raise ValueError("values left over")


_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "EMPTY_DICT": lambda machine, _: machine.push_container({}),
    "EMPTY_LIST": lambda machine, _: machine.push_container([]),
    "DICT": lambda machine, _: machine.push_container(_keyed(machine.pop_to_mark())),
    "LIST": lambda machine, _: machine.push_container(machine.pop_to_mark()),
    "TUPLE": lambda machine, _: machine.push_tuple(machine.pop_to_mark()),
    "TUPLE1": lambda machine, _: machine.push_tuple(machine.pop(1)),
    "TUPLE2": lambda machine, _: machine.push_tuple(machine.pop(2)),
    "TUPLE3": lambda machine, _: machine.push_tuple(machine.pop(3)),
    "APPEND": lambda machine, _: _append(machine, machine.pop(1)),
    "APPENDS": lambda machine, _: _append(machine, machine.pop_to_mark()),
    "SETITEM": lambda machine, _: _set(machine, machine.pop(2)),
    "SETITEMS": lambda machine, _: _set(machine, machine.pop_to_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _remember),
    **dict.fromkeys(
        ("GET", "BINGET", "LONG_BINGET"), lambda machine, place: machine.stack.append(machine.memory[int(place)])
    ),
    "GLOBAL": lambda machine, both: _named(machine, *both.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: _named(machine, *machine.pop(2)),
    "REDUCE": lambda machine, _: _call(machine),
    "BUILD": lambda machine, _: _build(machine),
    "STOP": _finish,
}


def _plain(value: Any) -> Any:
    """Replace the stand-ins for arrays in a dict by their values; deeper values are left as they are."""
    if type(value) is not dict:
        return value
    return {key: v.values[0] if isinstance(v, _Array) and v.values else v for key, v in value.items()}
