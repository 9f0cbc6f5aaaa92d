"""A profile as a table: milliseconds a step by layer and phase, and which ranks took least and most."""

from __future__ import annotations

from collections.abc import Sequence

from distnet.callbacks.costs import BETWEEN, LOOP, PHASES, Costs, Owner, costs_of
from distnet.callbacks.rank_times import RankTimes, said_steps
from distnet.timeline import BACKWARD, FORWARD


def table_lines(of_ranks: Sequence[RankTimes], most: int | None, has_instructions: bool = False) -> list[str]:
    """The lines of the table, which leaves out step 0 where there are others.

    Args:
        of_ranks: of the ranks.
        most: layers to list, the longest first; None for all.
        has_instructions: whether to list each layer's instructions.
    """
    first_steps = [of_rank.first_step for of_rank in of_ranks]
    of_ranks = [
        of_rank if step is None else of_rank.after(step) for of_rank, step in zip(of_ranks, first_steps, strict=True)
    ]
    ranks = [costs_of(of_rank) for of_rank in of_ranks]
    table = _Table(of_ranks, ranks)
    layers = sorted(table.layers, key=lambda row: -table.mean(row))
    lines = [f"Profile of {said_steps(of_ranks)}, ranks: {len(ranks)}, ms a step: {table.whole:.3f}", table.head()]
    for row in layers[:most]:
        lines.append(table.line(row, row, True))
        if has_instructions:
            lines += table.instructions(row)
    if most is not None and len(layers) > most:
        lines.append(table.line(f"({len(layers) - most} other layers)", layers[most:], True))
    lines += [table.line(row, row, row == BETWEEN) for row in (BETWEEN, *PHASES.values(), LOOP) if row in table.rows]
    if any(costs.evaluation_ms for costs in ranks):
        in_all = sum(costs.evaluation_ms for costs in ranks) / len(ranks)
        lines.append(f"Validation, which is no part of the steps: {in_all:.1f} ms in all")
    first_ms = [(step.end_ns - step.begin_ns) / 1e6 for step in first_steps if step is not None]
    if first_ms:
        mean = sum(first_ms) / len(first_ms)
        lines.append(f"Step 0, which makes plans and compiles or loads kernels, is left out: {mean:.1f} ms")
    largest = max(of_ranks, key=lambda of_rank: of_rank.memory.total)
    if largest.memory.total:
        whose = f" of rank {largest.rank}, which has the most" if len(of_ranks) > 1 else ""
        lines.append(f"Memory of the model's arrays{whose}: {largest.memory}")
    return lines


class _Table:
    def __init__(self, of_ranks: Sequence[RankTimes], ranks: Sequence[Costs]) -> None:
        self.numbers = [of_rank.rank for of_rank in of_ranks]
        self.ranks = ranks
        self.rows = set().union(*(costs.rows for costs in ranks))
        self.layers = self.rows - {BETWEEN, LOOP, *PHASES.values()}
        self.whole = sum(costs.step_ms for costs in ranks) / len(ranks)
        self.width = min(max(len(row) for row in (*self.rows, "loss and metrics", "(10 other layers)")), 40)

    def mean(self, row: str, category: str | None = None) -> float:
        """Milliseconds a step, over the ranks."""
        return sum(costs.ms(row, category) for costs in self.ranks) / len(self.ranks)

    def head(self) -> str:
        ends = "   least (rank)    most (rank)" if len(self.ranks) > 1 else ""
        return f"{'':{self.width}}    forward   backward        all   share{ends}"

    def line(self, name: str, rows: str | Sequence[str], has_directions: bool) -> str:
        """One line, of one row or of several together."""
        together = [rows] if isinstance(rows, str) else rows
        each = [sum(costs.ms(row) for row in together) for costs in self.ranks]
        cells = ["", ""]
        if has_directions:
            cells = [f"{sum(self.mean(row, way) for row in together):.3f}" for way in (FORWARD, BACKWARD)]
        mean = sum(each) / len(each)
        text = f"{_short(name, self.width):{self.width}} {cells[0]:>10} {cells[1]:>10} {mean:10.3f} "
        text += f"{mean / (self.whole or 1):7.1%}"
        if len(each) > 1:
            least, most = min(range(len(each)), key=each.__getitem__), max(range(len(each)), key=each.__getitem__)
            text += "".join(f"{f'{each[i]:.3f} ({self.numbers[i]})':>15}" for i in (least, most))
        return text

    def instructions(self, row: str) -> list[str]:
        """The lines of a layer's instructions."""
        per_step = [max(costs.steps, 1) * 1e6 * len(self.ranks) for costs in self.ranks]
        total: dict[tuple[str, str], float] = {}
        for costs, divisor in zip(self.ranks, per_step, strict=True):
            for (owner, name), ns in costs.instructions.items():
                if owner == Owner(row, owner.category):
                    total[name, owner.category] = total.get((name, owner.category), 0.0) + ns / divisor
        lines = []
        for name in dict.fromkeys(name for name, _ in total):
            ways = [total.get((name, way), 0.0) for way in (FORWARD, BACKWARD)]
            cells = " ".join(f"{ms:10.3f}" for ms in (*ways, sum(ways)))
            lines.append(f"{_short('  ' + name, self.width):{self.width}} {cells}")
        return lines


def _short(name: str, width: int) -> str:
    """The name's end, where it is too long: that tells layers apart."""
    return name if len(name) <= width else f"...{name[3 - width :]}"
