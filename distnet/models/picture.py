"""A pydot picture that says what to install where Graphviz is missing."""

from __future__ import annotations

from typing import Any

import pydot

from distnet.errors import ArgumentError, MissingPackageError


class Picture(pydot.Dot):  # type: ignore[misc, unused-ignore]
    """A graph in Graphviz's language; ``create(prog="dot", format="svg")`` lays it out and gives the file's bytes."""

    def create(self, *args: Any, **kwargs: Any) -> Any:
        """The picture's bytes.

        Raises:
            MissingPackageError: Graphviz's program is not installed.
            ArgumentError: Graphviz fails; its own message is written to standard output.
        """
        try:
            return super().create(*args, **kwargs)
        except FileNotFoundError as error:
            raise MissingPackageError(
                "a model's picture is laid out by Graphviz, whose program 'dot' is not in PATH. Install it: apt-get "
                "install graphviz, brew install graphviz, or conda install graphviz."
            ) from error
        except AssertionError as error:
            raise ArgumentError(
                f"Graphviz could not draw the model: {error}. Is the format one that it writes? Versions of it fail at "
                "splines='ortho': use 'spline' or 'polyline'."
            ) from error
