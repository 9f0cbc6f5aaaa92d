"""A picture of the losses and metrics that grows as training goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from distnet.callbacks.base import Callback, Logs
from distnet.errors import ArgumentError, MissingPackageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NOTEBOOKS = ("ZMQInteractiveShell", "Shell")
_FILE = "losses.png"
_TRAINING, _VALIDATION = "#1f5fa8", "#d9730d"


@dataclass(eq=False)
class PlotLosses(Callback):
    """Draws loss and metrics after every epoch, a panel each, validation beside training.

    In a notebook the picture stands below the cell and is redrawn; elsewhere it is written to a file, over
    and over, so that any viewer follows it. It can be used where ``livelossplot.PlotLossesKeras`` was.

    Args:
        filepath: of the picture; its ending says the format, without one PNG. By default ``losses.png``, and
            none in a notebook.
        figsize: inches of the whole picture; by default by the number of panels.
        max_cols: panels beside each other.
        groups: title -> keys of the logs to draw in one panel; by default one for each key and its ``val_``.

    Raises:
        MissingPackageError: matplotlib is not installed.
        ArgumentError: ``max_cols`` below 1.
    """

    filepath: str | os.PathLike[str] | None = None
    figsize: tuple[float, float] | None = None
    max_cols: int = 2
    groups: dict[str, list[str]] | None = None

    runs_last: ClassVar[bool] = True
    is_passive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if find_spec("matplotlib") is None:
            raise MissingPackageError("PlotLosses: draws with matplotlib. Install it: pip install 'distnet[plot]'.")
        if self.max_cols < 1:
            raise ArgumentError(f"PlotLosses: expected max_cols of at least 1, received {self.max_cols!r}.")
        self._points: dict[str, list[tuple[int, float]]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin a new picture."""
        self._points = {}

    def get_state(self) -> dict[str, Any]:
        """The points drawn so far."""
        return dict(self._points)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Draw the epochs before an interruption too."""
        self._points = {key: [(int(epoch), float(value)) for epoch, value in points] for key, points in state.items()}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the epoch and draw."""
        for key, value in (logs or {}).items():
            self._points.setdefault(key, []).append((epoch, float(np.mean(value))))
        figure = self.figure()
        in_notebook = _is_notebook()
        if in_notebook:
            shown = import_module("IPython.display")
            shown.clear_output(wait=True)
            shown.display(figure)
        if self.filepath is not None or not in_notebook:
            _write(figure, Path(self.filepath or _FILE))

    def figure(self) -> Figure:
        """The picture of the epochs so far."""
        from matplotlib.figure import Figure

        panels = self.groups or _panels(self._points)
        columns = max(min(self.max_cols, len(panels)), 1)
        rows = max(-(-len(panels) // columns), 1)
        figure = Figure(figsize=self.figsize or (5.5 * columns, 3.6 * rows), layout="constrained")
        for i, (title, keys) in enumerate(panels.items(), 1):
            self._draw(figure.add_subplot(rows, columns, i), title, keys)
        return figure

    def _draw(self, axes: Axes, title: str, keys: list[str]) -> None:
        from matplotlib.ticker import MaxNLocator

        drawn = [key for key in keys if self._points.get(key)]
        for key in drawn:
            epochs, values = zip(*self._points[key], strict=True)
            style: dict[str, Any] = {"marker": "o", "markersize": 3.5} if len(epochs) < 30 else {}
            if self.groups is None:
                style["color"] = _VALIDATION if key.startswith("val_") else _TRAINING
            label = key if self.groups is not None else "validation" if key.startswith("val_") else "training"
            axes.plot([epoch + 1 for epoch in epochs], values, label=label, **style)
        axes.set_title(title.replace("_", " "))
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if len(drawn) > 1:
            axes.legend(frameon=False)


def _panels(points: dict[str, list[tuple[int, float]]]) -> dict[str, list[str]]:
    """A key and its ``val_`` to each panel."""
    names = dict.fromkeys(key.removeprefix("val_") for key in points)
    return {name: [name, f"val_{name}"] for name in names}


def _write(figure: Figure, path: Path) -> None:
    """Replace the picture at once: a viewer never reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing = path.with_name(f".{path.name}.drawing")
    figure.savefig(drawing, format=path.suffix[1:] or "png", dpi=100)
    os.replace(drawing, path)


def _is_notebook() -> bool:
    """Whether the program runs in Jupyter or Colab."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and type(ipython.get_ipython()).__name__ in _NOTEBOOKS
