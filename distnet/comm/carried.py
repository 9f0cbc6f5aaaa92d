"""Errors on their way between ranks: what one rank met is raised on the others as what it is.

>>> class LostError(Exception):
...     def __init__(self, place, number):
...         super().__init__(f"{place} {number}")
...         self.place = place
>>> error = Carried.of(LostError("batch", 3)).raised_on_other_ranks(1)
>>> type(error).__name__, str(error), error.place
('LostError', 'batch 3', 'batch')
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from distnet.errors import CommunicationError, DistnetError

_MOST_CHARACTERS = 1000
"""Of a text in a notice: a longer one might not be sent unless its sender waits, and its sender may be ending."""
_MOST_BYTES = 400
"""Of anything else that an error holds."""
_MOST_HELD = 8
_MOST_BYTES_OF_ALL = 3000


@dataclass(frozen=True)
class Carried:
    """An error in a form in which it can be sent, whatever it holds, and whatever its constructor takes.

    Args:
        kinds: module and name of its class and of the classes that this derives from, up to ``Exception``; none for
            errors that end programs, as ``KeyboardInterrupt`` does, unless they end those of all ranks.
        arguments: its ``args``; texts are cut, and what cannot be sent is described.
        attributes: what else it holds, as far as that can be sent.
        told: its class and its message.
    """

    kinds: tuple[tuple[str, str], ...]
    arguments: tuple[Any, ...]
    attributes: dict[str, Any]
    told: str

    @classmethod
    def of(cls, error: BaseException, last: type[BaseException] = Exception) -> Carried:
        """The error as it is now.

        Args:
            last: the class up to which an error that ends programs is told; ``BaseException`` where it ends them all.
        """
        told = f"{type(error).__name__}: {error}".removesuffix(": ")[:_MOST_CHARACTERS]
        last = Exception if isinstance(error, Exception) else last
        kinds = [(k.__module__, k.__qualname__) for k in type(error).__mro__ if issubclass(k, last)]
        held = [(key, value) for key, value in vars(error).items() if _is_sent(value)]
        arguments = tuple(map(_sent, _arguments(error)[:_MOST_HELD]))
        made = cls(tuple(kinds), arguments, dict(held[:_MOST_HELD]), told)
        return (
            made if len(pickle.dumps(made)) <= _MOST_BYTES_OF_ALL else cls(tuple(kinds), (_sent(str(error)),), {}, told)
        )

    def raised_on_other_ranks(self, rank: int) -> BaseException:
        """The error to raise here, which says that ``rank`` met it.

        A class that this rank lacks is replaced by the nearest one that it derives from.
        """
        for module, name in self.kinds[: max(1, len(self.kinds) - 1)]:
            kind = _class_named(module, name)
            made = None if kind is None else self._made(kind, rank)
            if made is not None:
                return made
        return CommunicationError(f"rank {rank} has left this call by {self.told}")

    def _made(self, kind: type[BaseException], rank: int) -> BaseException | None:
        """The error as one of ``kind``; None if its class refuses that."""
        is_own = (kind.__module__, kind.__qualname__) == self.kinds[0]
        arguments = self.arguments if is_own else (self.told,)
        is_of_distnet = issubclass(kind, DistnetError) and kind.__module__.startswith("distnet.")
        if is_of_distnet and arguments:
            arguments = (f"rank {rank}: {arguments[0]}", *arguments[1:])
        try:
            made = kind.__new__(kind, *arguments)
            _builtin_constructor(kind)(made, *arguments)
            vars(made).update(self.attributes if is_own else {})
        except Exception:  # a class of the user's own may do anything in its __new__
            return None
        if not is_of_distnet:
            made.add_note(f"Rank {rank} met this error; distnet raises it on every rank.")
        return made


def _arguments(error: BaseException) -> tuple[Any, ...]:
    """What it holds as ``args``; an ``OSError`` keeps its file's name apart from these."""
    if isinstance(error, OSError) and error.filename is not None and len(error.args) == 2:
        return (*error.args, error.filename)
    return error.args


def _builtin_constructor(kind: type[BaseException]) -> Any:
    """The nearest ``__init__`` that is no user's: it sets what Python's own errors hold, and takes ``args``."""
    return next(
        vars(k)["__init__"] for k in kind.__mro__ if not isinstance(vars(k).get("__init__", _of_user), FunctionType)
    )


def _of_user() -> None:
    """Stands for a constructor written in Python."""


def _sent(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _MOST_CHARACTERS else f"{value[:_MOST_CHARACTERS]} ..."
    return value if _is_sent(value) else f"{value!r:.200}"


def _is_sent(value: Any) -> bool:
    """Whether another rank can be sent the value, and reads it as one of the same class."""
    with contextlib.suppress(Exception):  # a class of the user's own may do anything when it is pickled
        data = pickle.dumps(value)
        return len(data) <= _MOST_BYTES and type(pickle.loads(data)) is type(value)  # noqa: S301 - written here
    return False


def _class_named(module: str, name: str) -> type[BaseException] | None:
    """The latest class of errors of this name that this process made, wherever: also within a function."""
    return next((k for k in _classes() if (k.__module__, k.__qualname__) == (module, name)), None)


def _classes() -> Iterator[type[BaseException]]:
    """All classes of errors; of those made alike in one place, the latest first."""
    waiting: list[type[BaseException]] = [BaseException]
    seen: set[type[BaseException]] = set()
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen.add(kind)
            yield kind
            waiting += kind.__subclasses__()
