"""What walks through a model's layers tell, kept until something is set in a layer that it may depend on.

A walk looks at every attribute of every layer, which takes longer than a step of a small model. It is kept for models
whose layers are all of distnet's own classes: what they are is what was set in them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar, cast

from distnet.assignments import PLAIN, parts, settings
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.tracking import NOT_WALKED

T = TypeVar("T")

_CONTAINERS = (list, tuple, set, Mapping)
_UNWATCHED = NOT_WALKED - {"_variables"}


class Walks:
    """What walks through the layers of one model told.

    A model's copies and pickles get an empty one.
    """

    def __init__(self) -> None:
        self._seen = _Seen((-1, -1), True, (), ())

    def once(self, owner: Any, what: str, walk: Callable[[], T]) -> T:
        """What ``walk`` tells, which need not be asked again while nothing has changed; nobody may change it.

        Args:
            owner: the model.
            what: is told; by this name it is kept.
        """
        seen = self._present(owner)
        return seen.once(what, walk) if seen.is_kept else walk()

    def if_kept(self, owner: Any, what: str, walk: Callable[[], T]) -> T | None:
        """The same; None for a model that would be asked each time."""
        seen = self._present(owner)
        return seen.once(what, walk) if seen.is_kept else None

    def forget_penalties(self, owner: Any) -> None:
        """Forget what the activities of calls by hand cost, in all layers within."""
        seen = self._present(owner)
        for layer in seen.layers if seen.is_kept else _layers_within(owner):
            layer.activity_penalties.clear()

    def _present(self, owner: Any) -> _Seen:
        """What was seen of the owner as it is now."""
        seen = self._seen
        if not seen.holds():
            self._seen = seen = _Seen.of(owner)
        return seen

    def __reduce__(self) -> tuple[type[Walks], tuple[()]]:
        return Walks, ()


class _Seen:
    """What one look at all layers found.

    Args:
        counts: how often anything had been set then.
        is_kept: whether what walks tell may be kept.
        layers: all within.
        watched: containers in attributes, which change without being set: views of their items.
    """

    def __init__(
        self,
        counts: tuple[int, int],
        is_kept: bool,
        layers: Sequence[AbstractLayer],
        watched: Sequence[Collection[Any]],
    ) -> None:
        self.counts, self.is_kept, self.layers, self._watched = counts, is_kept, layers, watched
        self._items = [*chain.from_iterable(watched)]  # kept, so that no later object has the identity of one of these
        self._identities = _identities(watched)
        self._told: dict[str, Any] = {}

    @classmethod
    def of(cls, owner: Any) -> _Seen:
        """Look at a model."""
        counts, layers, watched = _counts(), [*_layers_within(owner)], dict[int, Collection[Any]]()
        for layer in (owner, *layers):
            for name, value in vars(layer).items():
                if type(value) not in PLAIN and name not in _UNWATCHED:
                    _watch(value, watched)
        is_kept = owner.is_graph and all(type(layer).__module__.startswith("distnet.") for layer in (owner, *layers))
        return cls(counts, is_kept, layers, [*watched.values()])

    def once(self, what: str, walk: Callable[[], T]) -> T:
        """What a walk tells, or told."""
        if what not in self._told:
            self._told[what] = walk()
        return cast(T, self._told[what])

    def holds(self) -> bool:
        """Whether all is as it was."""
        return self.counts == _counts() and self._identities == _identities(self._watched)


def _counts() -> tuple[int, int]:
    return settings(), parts()


def _layers_within(owner: Any) -> Iterator[AbstractLayer]:
    waiting, known = [owner], {id(owner)}
    while waiting:
        for _, inner in waiting.pop().inner_layers():
            if id(inner) not in known:
                known.add(id(inner))
                waiting.append(inner)
                yield inner


def _identities(watched: Sequence[Collection[Any]]) -> tuple[list[int], list[int]]:
    """The lengths of containers, and the identities of what is in them."""
    return [*map(len, watched)], [*map(id, chain.from_iterable(watched))]


def _watch(value: Any, watched: dict[int, Collection[Any]]) -> None:
    """Add the containers that a value is, or holds."""
    if not isinstance(value, _CONTAINERS) or id(value) in watched:
        return
    items = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, tuple):
        watched[id(value)] = items
    for item in items:
        if type(item) not in PLAIN:
            _watch(item, watched)
