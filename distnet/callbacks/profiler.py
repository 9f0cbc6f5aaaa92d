"""Where the time of a training goes, on every rank."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from distnet.arguments import check_integer
from distnet.callbacks.base import Callback, Logs
from distnet.callbacks.console import say
from distnet.callbacks.profile_table import table_lines
from distnet.callbacks.rank_times import RankTimes
from distnet.callbacks.trace_file import write_trace
from distnet.callbacks.waits import with_waits
from distnet.errors import ArgumentError
from distnet.paths import checked_path

_LAYERS_SAID = 20


@dataclass(eq=False)
class Profiler(Callback):
    """Times each layer forward and backward, its instructions, and what else every rank does in a step.

    At the end of ``fit`` rank 0 prints a table, unless ``verbose=0``, and writes a file for https://ui.perfetto.dev or
    chrome://tracing: one process for each rank, on one axis of time. ``fit(profile="trace.json")`` is the same as
    ``callbacks=[Profiler("trace.json")]``, ``fit(profile=True)`` as ``callbacks=[Profiler()]``. A later ``fit``
    begins anew, and replaces the file. The clocks themselves take about a microsecond for each interval.

    Args:
        filepath: the file; None for the table alone.
        steps: first and last step of the ``fit`` to show, counted from 0. A ``fit`` that ends before ten of them are
            done shows its first steps, too.

    Attributes:
        of_ranks: on rank 0, what each rank did. After an error that ended ``fit`` only what rank 0 did.

    Raises:
        ArgumentError: the steps are no such pair, or it is passed to ``evaluate`` or ``predict``.
        CheckpointError: the file cannot be written.

    Source: Horovod's timeline is the model for the trace.
    """

    filepath: str | os.PathLike[str] | None = None
    steps: tuple[int, int] = (10, 59)

    is_passive: ClassVar[bool] = True
    is_silent: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filepath is not None:
            checked_path("Profiler: filepath", self.filepath)
        if not isinstance(self.steps, tuple | list) or len(self.steps) != 2:
            raise ArgumentError(f"Profiler: steps: expected (first, last), received {self.steps!r:.100}.")
        first = check_integer("Profiler: steps: first", self.steps[0], 0)
        self.steps = first, check_integer("Profiler: steps: last", self.steps[1], first)
        self.of_ranks: Sequence[RankTimes] = ()
        self.is_at_work = False

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Refuse an evaluation that is not the validation of ``fit``."""
        self._refuse("evaluate")

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Refuse a prediction."""
        self._refuse("predict")

    def table(self, most: int | None = None, instructions: bool = False) -> str:
        """Milliseconds a step: by layer, forward and backward, the longest first; then by phase.

        Each number is the mean over ranks, without what is within other rows; ``least`` and ``most`` are those
        of ranks. Step 0, which makes plans and compiles kernels, is left out where others are shown.

        Args:
            most: layers to list; by default all.
            instructions: also list the calls that make up a layer.

        Raises:
            ArgumentError: nothing is recorded on this rank.
        """
        if not self.of_ranks:
            raise ArgumentError("Profiler: nothing is recorded. Ask on rank 0, after fit.")
        return "\n".join(table_lines(self.of_ranks, most, instructions))

    def receive(self, of_ranks: Sequence[RankTimes], is_whole: bool = True) -> None:
        """Take what the ranks did, on rank 0: write the file, and print the table if ``fit`` came to its end."""
        self.of_ranks = of_ranks = with_waits(of_ranks)
        if self.filepath is not None:
            write_trace(self.filepath, of_ranks)
        if is_whole and self.params.get("verbose"):
            say(self.table(_LAYERS_SAID))

    def _refuse(self, call: str) -> None:
        if not self.is_at_work:
            raise ArgumentError(
                f"Profiler: {call}: expected to be passed to fit, whose validation it shows, too. Remove it here."
            )


def profiler_of(profile: Any) -> list[Profiler]:
    """The callback that ``fit(profile=...)`` means: none for None and False.

    Raises:
        ArgumentError: it is no file name, True or False.
    """
    if profile is None or profile is False:
        return []
    return [Profiler() if profile is True else Profiler(checked_path("fit: profile", profile))]
