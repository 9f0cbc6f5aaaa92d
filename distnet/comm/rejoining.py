"""How ranks go on together after an error that parted them.

A rank that meets an error leaves its call at once. The others notice when they wait for it: each leaves the call, too,
in a collective that can neither complete nor be cancelled. So before the next collective every rank tells how many it
took part in; a rank that is behind is told which ones it missed, and takes part in them with nothing to give. Then
all collectives are complete, and all ranks stand at the same place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from distnet.comm.collectives import Collective
from distnet.comm.notices import Missed, Position
from distnet.comm.watch import Waiting, Watch
from distnet.errors import CommunicationError

_STEP_S = 0.01


class Rejoining:
    """One round: the ranks' positions, and what follows from them.

    Args:
        watch: carries the notices.
        round_: number of the round.
        number: of the last collective of this rank that counts.
        has_met: whether this rank met an error of its own.
        local_ranks: of all ranks; one with the same is on this rank's side of what nodes do with each other.
        work: lets MPI work at collectives of this rank's that others may still wait in.

    Attributes:
        met_by: the rank whose error came first; known once all positions are.
        number: of the last collective of any rank; known then.
    """

    def __init__(
        self,
        watch: Watch,
        round_: int,
        number: int,
        has_met: bool,
        local_ranks: Sequence[int],
        work: Callable[[], None],
    ) -> None:
        self.watch, self.round, self.local_ranks, self.work = watch, round_, local_ranks, work
        self.mine = Position(watch.rank, round_, number, has_met)
        self.number, self.met_by = number, watch.rank
        watch.tell(self.mine)

    def is_known(self, waiting: Waiting, kept: Sequence[Collective]) -> bool:
        """Whether all ranks have told where they stand; those behind are then told what they missed.

        Args:
            kept: this rank's last collectives, up to ``number``.

        Raises:
            CommunicationError: a rank's program has ended, or a rank is too far behind.
        """
        others = self.watch.positions(waiting)
        if others is None:
            return False
        all_ranks = sorted([*others, self.mine], key=lambda position: position.rank)
        self.number = max(position.number for position in all_ranks)
        met = [position for position in all_ranks if position.has_met] or all_ranks
        self.met_by = min(met, key=lambda position: (position.number, position.rank)).rank
        ahead = [position.rank for position in all_ranks if position.number == self.number]
        for position in all_ranks:
            behind = self.number - position.number
            if behind and self._teller(ahead, position.rank) == self.watch.rank:
                if behind > len(kept):
                    raise CommunicationError(
                        f"rank {position.rank} is {behind} collectives behind after an error: the job cannot go on."
                    )
                self.watch.tell_one(Missed(self.round, tuple(kept[len(kept) - behind :])), position.rank)
        return True

    def _teller(self, ahead: Sequence[int], behind: int) -> int:
        return min(ahead, key=lambda rank: (self.local_ranks[rank] != self.local_ranks[behind], rank))

    def wait_until_known(self, waiting: Waiting, kept: Sequence[Collective]) -> None:
        """Return once ``is_known``."""
        while not self.is_known(waiting, kept):
            self.work()
            time.sleep(_STEP_S)

    def missed(self) -> tuple[Collective, ...]:
        """What this rank did not take part in, once all positions are known."""
        if self.number == self.mine.number:
            return ()
        while (told := self.watch.missed(self.round)) is None:
            self.work()
            time.sleep(_STEP_S)
        return told
