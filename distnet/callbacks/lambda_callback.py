"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distnet.callbacks.base import Callback
from distnet.errors import ArgumentError


class LambdaCallback(Callback):
    """Calls the given functions at the hooks of the same names.

    Args:
        hooks: for example ``on_epoch_end=lambda epoch, logs: ...``; any hook of ``Callback``.

    Raises:
        ArgumentError: a name that is no hook.

    Source: ``keras.callbacks.LambdaCallback``.
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                known = sorted(hook for hook in dir(Callback) if hook.startswith("on_"))
                raise ArgumentError(f"LambdaCallback: no hook is named {name!r}. Expected some of {known}.")
            if function is not None and not callable(function):
                raise ArgumentError(f"LambdaCallback: {name}: expected a function, received {function!r}.")
            if function is not None:
                setattr(self, name, function)
