"""Errors that one rank met and others raise."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from distnet.comm.carried import Carried
from distnet.errors import CommunicationError, DataError


class PlaceError(Exception):
    def __init__(self, place, number):
        super().__init__(f"{place} {number}")
        self.place, self.number = place, number


class WithoutSuperError(ValueError):
    def __init__(self, place, number):
        self.place, self.number = place, number


@dataclass
class FieldsError(LookupError):
    place: str
    number: int


class FileNameError(OSError):
    def __init__(self, path):
        super().__init__(2, "no such file", path)


class UnwillingError(RuntimeError):
    def __new__(cls, *args, password=None):
        if password != "open":
            raise TypeError("no")
        return super().__new__(cls, *args)

    def __reduce__(self):
        raise TypeError("never")


def json_error():
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    return caught.value


def on_other_ranks(error):
    return pickle.loads(pickle.dumps(Carried.of(error))).raised_on_other_ranks(1)


@pytest.mark.parametrize(
    "error",
    [
        PlaceError("batch", 3), WithoutSuperError("batch", 3), FieldsError("batch", 3), FileNameError("/a"),
        KeyError("k"), FileNotFoundError(2, "no such file", "/a"), ImportError("no", name="module"), ValueError(1, 2),
        Exception("x"), json_error(), UnicodeDecodeError("utf-8", b"a", 0, 1, "bad"), StopIteration(3),
        AssertionError(),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_an_error_is_what_it_was_whatever_its_constructor_takes(error):
    made = on_other_ranks(error)
    assert type(made) is type(error)
    assert str(made) == str(error)
    assert {key: value for key, value in vars(made).items() if key != "__notes__"} == vars(error)
    assert made.__notes__ == ["Rank 1 met this error; distnet raises it on every rank."]


def test_notes_go_with_it():
    error = PlaceError("batch", 3)
    error.add_note("In the call() of Own.")
    assert on_other_ranks(error).__notes__[0] == "In the call() of Own."


def test_a_class_within_a_function_is_found_too():
    class LocalError(PlaceError):
        pass

    assert type(on_other_ranks(LocalError("a", 1))) is LocalError


def test_an_error_of_distnet_names_the_rank_in_its_message():
    made = on_other_ranks(DataError("x: row 3", row=3))
    assert (type(made), str(made), made.row) == (DataError, "rank 1: x: row 3", 3)


def test_what_another_rank_cannot_make_becomes_the_nearest_that_it_can():
    made = on_other_ranks(UnwillingError.__new__(UnwillingError, "shut", password="open"))
    assert type(made) is RuntimeError
    assert str(made) == "UnwillingError: shut"


def test_what_cannot_be_sent_is_described():
    error = LookupError(test_what_cannot_be_sent_is_described, np.zeros(10_000), lambda: 0)
    error.held, error.kept = open, lambda: 0
    made = on_other_ranks(error)
    assert "<lambda> at" in str(made)
    assert vars(made).keys() == {"__notes__", "held"}


def test_an_error_that_ends_programs_is_none_for_others():
    made = on_other_ranks(KeyboardInterrupt())
    assert type(made) is CommunicationError
    assert "rank 1 has left this call by KeyboardInterrupt" in str(made)


@pytest.mark.parametrize("make", [ValueError, DataError, lambda text: PlaceError(text, text), KeyError])
def test_it_is_short_enough_to_be_sent_at_once(make):
    error = make("x" * 100_000)
    error.args = error.args * 8
    carried = Carried.of(error)
    assert len(pickle.dumps(carried)) < 4000
    assert "xxx" in str(carried.raised_on_other_ranks(1))
