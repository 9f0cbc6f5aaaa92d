"""h5py, imported when a file is first opened or written: programs that do neither need not hold its 11 MB.

Whoever uses it takes it from here; to types it is the package itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import h5py as h5py
else:

    class _Late:
        """The package, by its attributes."""

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("h5py"), name)

    h5py = _Late()
