"""Nested structures: lists, tuples, named tuples, deques and dicts of anything, as ``keras.tree`` treats them.

A dict's entries come in the order of its keys where they can be sorted, an ``OrderedDict``'s in its own. Instances of
other classes, None among them, are leaves.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from distnet.errors import ArgumentError

_MAPPINGS = (dict, OrderedDict, defaultdict)
_OTHER = "the structures are not nested in the same way"


class MAP_TO_NONE:  # noqa: N801
    """What a function given to ``traverse`` returns where None shall stand."""


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple, a named tuple, a deque or a dict.

    Source: ``keras.tree.is_nested``.
    """
    kind = type(structure)
    return kind in (list, tuple, deque, *_MAPPINGS) or _is_record(kind)


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order.

    >>> flatten([{"b": 1, "a": 2}, (3, [None])])
    [2, 1, 3, None]

    Source: ``keras.tree.flatten``.
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves with their paths, which are tuples of places and keys.

    >>> flatten_with_path([{"foo": 42}])
    [((0, 'foo'), 42)]

    Source: ``keras.tree.flatten_with_path``.
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((place, *path), leaf) for place, child in _entries(structure) for path, leaf in flatten_with_path(child)]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """A structure of what ``func`` gives for the leaves of one structure, or of several of one layout.

    Args:
        func: takes as many leaves as there are structures.
        structures: nested alike.
        none_is_leaf: whether ``func`` is called for None, too; else None stays None.

    Raises:
        ArgumentError: ``func`` cannot be called, there is no structure, or their layouts differ.

    Source: ``keras.tree.map_structure``.
    """
    _check("map_structure", func, structures)
    return _mapped("map_structure", func, structures[0], structures, none_is_leaf, is_whole=True)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """As ``map_structure``, for parts of the structures that stand where ``shallow_structure`` has leaves.

    >>> map_structure_up_to([0, [0, 0]], str, [[1, 1], [2, 2]])
    ['[1, 1]', ['2', '2']]

    Raises:
        ArgumentError: see ``map_structure``; or one of them is shallower.

    Source: ``keras.tree.map_structure_up_to``.
    """
    _check("map_structure_up_to", func, structures)
    return _mapped("map_structure_up_to", func, shallow_structure, structures, True, is_whole=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """As ``map_structure`` of one structure, where a list or tuple of integers and Nones is a leaf: a shape.

    Source: ``keras.tree.map_shape_structure``.
    """
    if isinstance(structure, list | tuple) and all(entry is None or isinstance(entry, int) for entry in structure):
        return func(structure)
    if not is_nested(structure):
        return func(structure)
    return _rebuilt(structure, [map_shape_structure(func, child) for _, child in _entries(structure)])


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """A structure whose parts are replaced by what ``func`` gives for them, unless that is None.

    Args:
        func: takes a part, with its parts; gives ``MAP_TO_NONE`` to put None in its place.
        structure: any.
        top_down: whether a part comes before its own parts, which are left alone where it is replaced.

    Source: ``keras.tree.traverse``.
    """
    _check("traverse", func, (structure,))
    if top_down:
        given = func(structure)
        whole = _with_children_traversed(func, structure, top_down) if given is None else given
    else:
        whole = _with_children_traversed(func, structure, top_down)
        given = func(whole)
    if given is None:
        return whole
    return None if given is MAP_TO_NONE else given


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The structure, with leaves taken from a sequence.

    >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
    {'b': 3, 'a': (1, 2)}

    Raises:
        ArgumentError: there are more or fewer of them than leaves.

    Source: ``keras.tree.pack_sequence_as``.
    """
    leaves, wanted = list(flat_sequence), len(flatten(structure))
    if len(leaves) != wanted:
        raise ArgumentError(
            f"pack_sequence_as: expected {wanted} entries, as the structure has, received {len(leaves)}."
        )
    each = iter(leaves)
    return map_structure(lambda _: next(each), structure)


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists.

    Source: ``keras.tree.lists_to_tuples``.
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Fail unless two structures are nested in the same way: by the same classes, where dicts of all kinds are one.

    Args:
        a, b: any.
        check_types: has no effect.

    Raises:
        ArgumentError: they are not.

    Source: ``keras.tree.assert_same_structure``.
    """
    if check_types is not None:
        warnings.warn("check_types has no effect: see assert_same_paths for a looser check.", stacklevel=2)
    _mapped("assert_same_structure", lambda *_: None, a, (a, b), True, is_whole=True)


def assert_same_paths(a: Any, b: Any) -> None:
    """Fail unless the leaves of two structures have the same paths, whatever the classes between.

    Raises:
        ArgumentError: the message shows the paths that one of them lacks.

    Source: ``keras.tree.assert_same_paths``.
    """
    paths, others = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if paths != others:
        raise ArgumentError(
            f"assert_same_paths: expected the same paths in both structures; only the first has {paths - others}, "
            f"only the second {others - paths}."
        )


def _is_record(kind: type) -> bool:
    """Whether it is a class of named tuples, or such a class of Python's own as ``time.struct_time``."""
    return issubclass(kind, tuple) and (hasattr(kind, "_fields") or hasattr(kind, "n_sequence_fields"))


def _entries(structure: Any) -> list[tuple[Any, Any]]:
    """Places or keys, and what is there, in order."""
    if type(structure) not in _MAPPINGS:
        return list(enumerate(structure))
    return [(key, structure[key]) for key in _keys(structure)]


def _keys(mapping: Any) -> list[Any]:
    if type(mapping) is OrderedDict:
        return list(mapping)
    try:
        return sorted(mapping)
    except TypeError:  # keys that cannot be compared
        return list(mapping)


def _rebuilt(structure: Any, children: Sequence[Any]) -> Any:
    """A structure of the same class, with other children in the order of ``_entries``."""
    kind: Any = type(structure)
    if kind in _MAPPINGS:
        by_key = dict(zip(_keys(structure), children, strict=True))
        entries: list[tuple[Any, Any]] = [(key, by_key[key]) for key in structure]
        return defaultdict(structure.default_factory, entries) if kind is defaultdict else kind(entries)
    if kind is deque:
        return deque(children, structure.maxlen)
    return kind(*children) if hasattr(kind, "_fields") else kind(children)


def _mapped(
    where: str, func: Callable[..., Any], first: Any, structures: Sequence[Any], none_is_leaf: bool, is_whole: bool
) -> Any:
    """What ``map_structure`` gives, laid out as ``first``.

    Args:
        is_whole: whether the structures must end where ``first`` does.
    """
    if not is_nested(first):
        nones = [] if none_is_leaf else [structure is None for structure in structures]
        if (is_whole and any(map(is_nested, structures))) or (any(nones) and not all(nones)):
            raise ArgumentError(f"{where}: {_OTHER}: one has a leaf where another one does not end, or has None.")
        return None if any(nones) else func(*structures)
    for other in structures:
        _check_alike(where, first, other)
    children = [
        _mapped(where, func, child, [other[place] for other in structures], none_is_leaf, is_whole)
        for place, child in _entries(first)
    ]
    return _rebuilt(first, children)


def _check_alike(where: str, a: Any, b: Any) -> None:
    """Fail unless both are of one kind, with as many entries or the same keys."""
    if type(a) in _MAPPINGS and type(b) in _MAPPINGS:
        if a.keys() != b.keys():
            raise ArgumentError(f"{where}: {_OTHER}: one has the keys {list(a)}, the other {list(b)}.")
    elif type(a) is not type(b):
        raise ArgumentError(f"{where}: {_OTHER}: one has {type(a).__name__} where the other has {type(b).__name__}.")
    elif len(a) != len(b):
        raise ArgumentError(f"{where}: {_OTHER}: one has {len(a)} entries where the other has {len(b)}.")


def _with_children_traversed(func: Callable[[Any], Any], structure: Any, top_down: bool) -> Any:
    if not is_nested(structure):
        return structure
    return _rebuilt(structure, [traverse(func, child, top_down) for _, child in _entries(structure)])


def _check(where: str, func: object, structures: Sequence[Any]) -> None:
    if not callable(func):
        raise ArgumentError(f"{where}: expected a function, received {func!r}.")
    if not structures:
        raise ArgumentError(f"{where}: expected a function and a structure, received the function alone.")
