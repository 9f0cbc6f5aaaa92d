"""Keras's progress line: a bar on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from numbers import Real
from typing import Any

from distnet.callbacks.base import Callback, Logs, is_hook_of
from distnet.callbacks.console import announce_compiling, say
from distnet.kernels import compiling_notice

_WIDTH = 30
_INTERVAL_S = 0.05
_COMPILING = "compiling kernels ..."
_SLOW_S = 1.0


class ProgbarLogger(Callback):
    """Shows the progress and the logs of an epoch or an evaluation.

    ``verbose`` 1 draws a bar that fills up, or only the finished bar if standard output is no terminal; 2 writes
    one line an epoch; 0 nothing. Where no bar fills up, slow compiling of kernels is said on standard error.

    Args:
        verbose: 0, 1 or 2.

    Source: ``keras.callbacks.ProgbarLogger``; the layout is Keras 2's.
    """

    is_passive = True

    def __init__(self, verbose: int = 1) -> None:
        self.verbose = verbose
        self._line = ProgressLine(0, 0)
        self._is_fitting = False
        self._epoch: int | None = None

    @property
    def is_silent(self) -> bool:
        """Whether nothing is written, and no hook of your own stands in the place of this one's."""
        return self.verbose == 0 and type(self) is ProgbarLogger and "on_train_batch_end" not in vars(self)

    @property
    def is_silent_in_tests(self) -> bool:
        """The same of batches of evaluations and predictions, which get no line within a training."""
        has_own = any(name.startswith("on_") for name in vars(self))
        return (self.verbose == 0 or self._is_fitting) and type(self) is ProgbarLogger and not has_own

    @property
    def reads_batch_logs(self) -> bool:
        """Whether the bar is drawn while it fills up, or a hook of your own stands in its place."""
        return _is_live(self.verbose) or not is_hook_of(self, ProgbarLogger, "on_train_batch_end")

    def get_state(self) -> dict[str, Any]:
        """The current epoch, and how far it is."""
        return {"epoch": self._epoch, "steps": self._line.steps}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Begin the line of an epoch that training resumes within."""
        if state["epoch"] is not None:
            self._begin(state["epoch"], state["steps"])

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """From now on, a line is an epoch; its evaluations get none of their own."""
        self._is_fitting = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Write ``Epoch 1/10`` and begin a line."""
        self._begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Redraw the bar if it is time."""
        compiling_notice.listen(None)
        self._line.update(batch + 1, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finish the line, with the validation's logs."""
        self._line.finish(logs or {})
        self._epoch = None

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begin a line."""
        if not self._is_fitting:
            self._line = ProgressLine(self.params["steps"], self.verbose)
            self._listen()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Redraw the bar if it is time."""
        if not self._is_fitting:
            compiling_notice.listen(None)
            self._line.update(batch + 1, logs or {})

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Finish the line."""
        if not self._is_fitting:
            self._line.finish(logs or {})

    def _begin(self, epoch: int, steps: int = 0) -> None:
        if self.verbose and self.params["epochs"] > 1:
            say(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._epoch = epoch
        self._line = ProgressLine(self.params["steps"], self.verbose, steps)
        self._listen()

    def _listen(self) -> None:
        compiling_notice.listen(self._line.note_compiling if self.verbose else None)

    on_predict_begin = on_test_begin
    on_predict_batch_end = on_test_batch_end
    on_predict_end = on_test_end


class ProgressLine:
    """One line of progress over ``target`` steps.

    Args:
        target: number of steps; None if it is not known yet.
        verbose: as for ``ProgbarLogger``.
        first: number of steps done before the line began.
    """

    def __init__(self, target: int | None, verbose: int, first: int = 0) -> None:
        self.target = target
        self.verbose = verbose
        self.steps = self.first = first
        self._start = time.perf_counter()
        self._drawn = -math.inf
        self._drawn_width = 0
        self._compiling_since: float | None = None
        self._is_live = _is_live(verbose)

    def update(self, steps: int, logs: Mapping[str, float]) -> None:
        """Note that ``steps`` steps are done; redraw at most every 50 ms, and on a terminal only."""
        self.steps = steps
        now = time.perf_counter()
        if self._is_live and now - self._drawn >= _INTERVAL_S:
            self._drawn = now
            self._draw(self._text(logs, now - self._start, is_done=False))

    def note_compiling(self) -> None:
        """Say that kernels are compiled: in the place of a bar that fills up, elsewhere once it has taken a second."""
        now = time.perf_counter()
        if self._compiling_since is None:
            self._compiling_since = now
            if self._is_live:
                self._draw(_COMPILING)
        elif not self._is_live and now - self._compiling_since >= _SLOW_S:
            announce_compiling()

    def finish(self, logs: Mapping[str, float]) -> None:
        """Write the finished line."""
        if not self.verbose:
            return
        text = self._text(logs, time.perf_counter() - self._start, is_done=True)
        self._draw(text) if self._is_live else say(text, end="")
        say("")

    def _draw(self, text: str) -> None:
        say("\r" + text.ljust(self._drawn_width), end="")
        self._drawn_width = len(text)

    def _text(self, logs: Mapping[str, float], elapsed_s: float, is_done: bool) -> str:
        per_step_s = elapsed_s / max(self.steps - self.first, 1)
        target = self.steps if self.target is None and is_done else self.target
        count = f"{self.steps}/{'Unknown' if target is None else target}".rjust(2 * len(str(target)) + 1)
        parts = [count if self.verbose == 2 else f"{count} {_bar(self.steps, target)}"]
        if is_done:
            joint = " - " if self.verbose == 2 else " "
            parts.append(f"{elapsed_s:.0f}s{joint}{_duration(per_step_s)}/step")
        elif target is not None:
            parts.append(f"ETA: {_clock(per_step_s * (target - self.steps))}")
        return " - ".join((*parts, *(f"{key}: {_number(value)}" for key, value in logs.items())))


def _is_live(verbose: int) -> bool:
    return verbose == 1 and sys.stdout is not None and sys.stdout.isatty()


def _bar(steps: int, target: int | None) -> str:
    filled = 0 if not target else min(_WIDTH, _WIDTH * steps // target)
    head = "=" * filled if filled == _WIDTH else ("=" * (filled - 1) + ">" if filled else "")
    return f"[{head.ljust(_WIDTH, '.')}]"


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def _number(value: object) -> str:
    """A number, or the mean of a list of them, in Keras's digits; anything else a callback added, as it is."""
    value = sum(value) / len(value) if isinstance(value, list) and value else value
    if not isinstance(value, Real):
        return str(value)
    value = float(value)
    return f"{value:.4f}" if not abs(value) <= 1e-3 else f"{value:.4e}"
