"""Settings of a program, by name."""

from __future__ import annotations

import difflib
import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from distnet.errors import ArgumentError

_OWN = ("_config", "_frozen")


class Config:
    """A dict whose entries are attributes, too, and which can be frozen.

    >>> config = Config(rate=0.1)
    >>> config.steps = 5
    >>> config["steps"], config.as_dict()
    (5, {'rate': 0.1, 'steps': 5})

    Raises:
        ArgumentError: an entry is changed while it is frozen.
        AttributeError: there is no such entry.

    Source: ``keras.utils.Config``.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._config = kwargs
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """Whether it is frozen."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse changes from now on."""
        self._frozen = True

    def unfreeze(self) -> None:
        """Allow changes again."""
        self._frozen = False

    def as_dict(self) -> dict[str, Any]:
        """A dict of the entries."""
        return dict(self._config)

    def to_json(self) -> str:
        """The entries as JSON."""
        return json.dumps(self._config)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """Names and values."""
        return self._config.items()

    def pop(self, *args: Any) -> Any:
        """Take an entry away; its value."""
        self._check_not_frozen()
        return self._config.pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several entries."""
        self._check_not_frozen()
        self._config.update(*args, **kwargs)

    def get(self, keyname: str, value: Any = None) -> Any:
        """An entry's value, or ``value`` if there is none."""
        return self._config.get(keyname, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN or hasattr(type(self), name):
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __getattr__(self, name: str) -> Any:
        entries = {} if name in _OWN else self._config
        if name in entries:
            return entries[name]
        close = difflib.get_close_matches(name, entries, n=1, cutoff=0.7)
        raise AttributeError(f"Config: no entry {name!r}." + (f" Did you mean {close[0]!r}?" if close else ""))

    def __setitem__(self, key: str, item: Any) -> None:
        self._check_not_frozen()
        self._config[key] = item

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __delitem__(self, key: str) -> None:
        self._check_not_frozen()
        del self._config[key]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __contains__(self, item: object) -> bool:
        return item in self._config

    def __repr__(self) -> str:
        return f"<Config {self._config}>"

    def _check_not_frozen(self) -> None:
        if self._frozen:
            raise ArgumentError("Config: it is frozen: its entries cannot be changed. Call unfreeze() first.")
