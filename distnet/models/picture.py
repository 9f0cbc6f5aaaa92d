"""A pydot picture that is drawn without Graphviz if its program is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pydot

from distnet.errors import ArgumentError, MissingPackageError


class Picture(pydot.Dot):  # type: ignore[misc, unused-ignore]
    """A graph in Graphviz's language; ``create(prog="dot", format="svg")`` lays it out and gives the file's bytes.

    Args:
        own: draws SVG and PNG where Graphviz's program is not installed.
        options: of the graph.
    """

    def __init__(self, own: Callable[[str], bytes] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.own = own

    def create(self, *args: Any, **kwargs: Any) -> Any:
        """The picture's bytes.

        Raises:
            MissingPackageError: Graphviz's program is not installed, and the format is neither SVG nor PNG.
            ArgumentError: Graphviz fails; its own message is written to standard output.
        """
        try:
            return super().create(*args, **kwargs)
        except FileNotFoundError as error:
            kind = kwargs.get("format", args[1] if len(args) > 1 else "ps")
            if self.own is not None and kind in ("png", "svg"):
                return self.own(kind)
            raise MissingPackageError(
                "formats other than svg and png are drawn by Graphviz, whose program 'dot' is not in PATH. Install it: "
                "apt-get install graphviz, brew install graphviz, or conda install graphviz."
            ) from error
        except AssertionError as error:
            raise ArgumentError(
                f"Graphviz could not draw the model: {error}. Is the format one that it writes? Versions of it fail at "
                "splines='ortho': use 'spline' or 'polyline'."
            ) from error
