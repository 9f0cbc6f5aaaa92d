"""A plot of the losses and metrics that grows as training goes on."""

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

from distnet.arguments import whole_number
from distnet.callbacks.base import Callback, Logs
from distnet.errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NOTEBOOKS = ("ZMQInteractiveShell", "Shell")
_FILE = "losses.png"
_TRAINING, _VALIDATION = "#1f5fa8", "#d9730d"


@dataclass(eq=False)
class PlotLosses(Callback):
    """Plots the loss and each metric after every epoch, one panel each, validation beside training.

    In a notebook the plot is redrawn below the cell; elsewhere it is written to the same file again and again,
    for any viewer to follow. It replaces ``livelossplot.PlotLossesKeras``.

    Args:
        filepath: the file; its extension names the format, PNG without one. By default ``losses.png``; no file in
            a notebook.
        figsize: width and height of the whole plot in inches; by default it depends on the number of panels.
        max_cols: panels in one row.
        groups: title -> keys of the logs to plot in one panel; by default one panel for each key and its ``val_``.

    Raises:
        MissingPackageError: matplotlib is not installed.
        ArgumentError: ``max_cols`` is below 1.
    """

    filepath: str | os.PathLike[str] | None = None
    figsize: tuple[float, float] | None = None
    max_cols: int = whole_number(2, least=1)
    groups: dict[str, list[str]] | None = None

    runs_last: ClassVar[bool] = True
    is_passive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if find_spec("matplotlib") is None:
            raise MissingPackageError("PlotLosses: draws with matplotlib. Install it: pip install 'distnet[plot]'.")
        self._points: dict[str, list[tuple[int, float]]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin a new plot."""
        self._points = {}

    def get_state(self) -> dict[str, Any]:
        """The points plotted so far."""
        return dict(self._points)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Plot the epochs before the interruption, too."""
        self._points = {key: [(int(epoch), float(value)) for epoch, value in points] for key, points in state.items()}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the epoch and redraw."""
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
        """The plot of the epochs so far."""
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
    """One panel for each key and its ``val_``."""
    names = dict.fromkeys(key.removeprefix("val_") for key in points)
    return {name: [name, f"val_{name}"] for name in names}


def _write(figure: Figure, path: Path) -> None:
    """Replace the file at once: a viewer never reads half a plot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing = path.with_name(f".{path.name}.drawing")
    figure.savefig(drawing, format=path.suffix[1:] or "png", dpi=100)
    os.replace(drawing, path)


def _is_notebook() -> bool:
    """Whether the program runs in Jupyter or Colab."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and type(ipython.get_ipython()).__name__ in _NOTEBOOKS
