"""Variables that every rank makes, each with a number by which the ranks know it."""

from __future__ import annotations

from itertools import count
from weakref import WeakValueDictionary

from distnet.assignments import is_noting
from distnet.variables import Variable

_numbers = count()
_numbered: WeakValueDictionary[int, Variable] = WeakValueDictionary()


def numbered(variable: Variable) -> Variable:
    """Number a variable that every rank makes, in the same order; one that a rank makes alone gets no number."""
    if not is_noting():
        variable.number = next(_numbers)
        _numbered[variable.number] = variable
    return variable


def known_by(number: int) -> Variable | None:
    """The variable of this number, if it still exists."""
    return _numbered.get(number)
