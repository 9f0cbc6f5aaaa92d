"""Checksums that a thread goes on taking while the ranks compare what they have."""

import numpy as np

from distnet.parallel.data_checksums import DataChecksums

MEGABYTE = 1 << 20


class TwoAlike:
    """The first of two ranks that have read as much, and hold the same; what happens meanwhile is given."""

    size, rank = 2, 0

    def __init__(self, meanwhile):
        self.meanwhile, self.told = meanwhile, []

    def allreduce(self, buffer):
        self.told.append(buffer.copy())
        buffer *= 2
        self.meanwhile()


def test_what_is_read_while_the_ranks_compare_is_compared_later():
    """Otherwise this rank would go on behind parts that the other has yet to compare."""
    array = np.arange(4 * MEGABYTE // 8, dtype=np.int64)
    checksums = DataChecksums(TwoAlike(lambda: checksums.read(MEGABYTE)), [("the data", "x", array)])
    checksums.read(MEGABYTE)
    checksums.compare()
    assert checksums._compared == 1
    assert checksums._done == 2
    for _ in range(2):
        checksums.compare()
    assert not checksums.is_compared
    checksums.compare()
    assert checksums.is_compared
