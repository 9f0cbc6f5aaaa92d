"""Which differences between ranks are meant: a rank's own number, and that of its process."""

import pytest

from distnet.parallel.differences import first_difference

PROCESSES = [(11, 1), (12, 1), (7, 6)]


@pytest.mark.parametrize("numbers", [[11, 12, 7], [1, 1, 6], [11, 11, 11], [1, 1, 1]])
def test_the_number_of_each_ranks_own_process_is_no_difference_nor_one_that_is_equal_to_it_by_chance(numbers):
    assert first_difference([{"read": {"n": number}} for number in numbers], PROCESSES) is None


@pytest.mark.parametrize("numbers", [[11, 12, 8], [1, 12, 7], [12, 11, 7], [True, True, 6]])
def test_other_numbers_are_whatever_some_ranks_processes_are(numbers):
    assert first_difference([{"units": number} for number in numbers], PROCESSES) == ("units", numbers)
