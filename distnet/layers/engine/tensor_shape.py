"""Shapes of placeholders."""

from __future__ import annotations

from typing import Any


class TensorShape(tuple[int | None, ...]):
    """A shape, which TensorFlow's users turn into a list.

    >>> TensorShape((None, 4, 2))[1:].as_list()
    [4, 2]
    """

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        return TensorShape(part) if isinstance(index, slice) else part

    @property
    def rank(self) -> int:
        """Number of axes.

        Source: ``tensorflow.TensorShape.rank``; ``ndims`` is its older name.
        """
        return len(self)

    ndims = rank

    def as_list(self) -> list[int | None]:
        """The extents as a list.

        Source: ``tensorflow.TensorShape.as_list``.
        """
        return list(self)
