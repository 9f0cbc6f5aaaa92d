"""What is written of users' functions, for ranks to compare: what they compute, and nothing that differs by chance."""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import fractions
import json
import operator
import os
import platform
import tempfile
import threading
import time

import numpy as np
import pandas as pd
import pytest

from distnet.registry.users_code import described

FACTOR = 2.0
BEGAN, FOLDER, PROCESS, NODE = time.time(), tempfile.gettempdir(), os.getpid(), platform.node()


def plain(y_true, y_pred):
    return (y_true - y_pred) * FACTOR


def other_factor(y_true, y_pred):
    return (y_true - y_pred) * 3.0


def logging(y_true, y_pred):
    print(time.time() - BEGAN, FOLDER, PROCESS, NODE)
    return (y_true - y_pred) * FACTOR


class Scaled:
    def __init__(self, factor):
        self.factor, self.created, self.folder = factor, time.time(), tempfile.gettempdir()

    def __call__(self, y_true, y_pred):
        print(time.time() - self.created, self.folder)
        return (y_true - y_pred) * self.factor


def written(value) -> str:
    return json.dumps(described(value, lambda of_distnet: None), sort_keys=True)


def test_constants_and_globals_are_written(monkeypatch):
    before = written(plain)
    assert before != written(other_factor)
    monkeypatch.setitem(plain.__globals__, "FACTOR", 2.5)
    assert written(plain) != before


@pytest.mark.parametrize(("name", "other"), [("BEGAN", time.time), ("FOLDER", os.getcwd), ("NODE", os.getcwd)])
def test_moments_and_paths_are_not(monkeypatch, name, other):
    before = written(logging)
    monkeypatch.setitem(logging.__globals__, name, other())
    assert written(logging) == before


@pytest.mark.parametrize(("name", "other"), [("BEGAN", 3.0), ("FOLDER", "relu"), ("PROCESS", -1), ("NODE", "mean")])
def test_other_values_in_their_place_are(monkeypatch, name, other):
    before = written(logging)
    monkeypatch.setitem(logging.__globals__, name, other)
    assert written(logging) != before


def test_attributes_of_objects():
    one, later = Scaled(2.0), Scaled(2.0)
    assert written(one) == written(later)
    assert written(one) != written(Scaled(2.5))


class Reading:
    """Reads one list, and changes others: its own, and those of its call."""

    def __init__(self, last):
        self.factors, self.seen = [1.0, last], [last]

    def __call__(self, x, shape=()):
        parts, seen = [], self.seen
        for factor in self.factors:
            parts.append(x * factor)
        seen.extend(parts)
        return parts, (), shape


def test_lists_that_are_read_are_written_and_those_that_are_changed_are_not():
    attributes = [described(Reading(last), str)["attributes"] for last in (1.0, 2.0)]
    assert attributes == [{"factors": [1.0, 1.0]}, {"factors": [1.0, 2.0]}]


class Held:
    """Only a loss reads its factor, by a function of its own."""

    def __init__(self, factor):
        self.factor, self.unread = factor, object()


HELD: dict[str, object] = {}


def factor_of(held):
    return held.factor


def by_object(y_true, y_pred):
    return (y_true - y_pred) * factor_of(HELD["object"])


def by_value(y_true, y_pred):
    return (y_true - y_pred) * HELD["value"]


@pytest.mark.parametrize("holder", [Held, lambda factor: argparse.Namespace(factor=factor, unread=object())])
def test_attributes_that_any_of_the_code_names_are_written_of_what_it_reads(monkeypatch, holder):
    texts = []
    for factor in (1.0, 1.0, 2.0):
        monkeypatch.setitem(HELD, "object", holder(factor))
        texts.append(written(by_object))
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    "make",
    [complex, fractions.Fraction, decimal.Decimal, lambda n: range(int(n)), lambda n: collections.deque([n]),
     lambda n: np.poly1d([n]), lambda n: np.array([n, "a"], object), lambda n: {"a": n}.get, operator.itemgetter,
     lambda n: dict.fromkeys(range(99), 1.0) | {90: n}, lambda n: {plain: n}],
)  # fmt: skip
def test_objects_of_libraries_are_written_by_what_they_hold(monkeypatch, make):
    texts = []
    for number in (1.0, 1.0, 2.0):
        monkeypatch.setitem(HELD, "value", make(number))
        texts.append(written(by_value))
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("moment", [datetime.datetime.min, datetime.datetime(1700, 1, 1), pd.NaT])
def test_moments_that_no_clock_shows_are_written(monkeypatch, moment):
    texts = []
    for value in (moment, moment, datetime.datetime(1700, 1, 2)):
        monkeypatch.setitem(HELD, "value", value)
        texts.append(written(by_value))
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("make", [threading.Lock, object, datetime.datetime.now, lambda: iter([time.time()])])
def test_what_differs_by_chance_is_not_written(monkeypatch, make):
    texts = []
    for value in (make(), make()):
        monkeypatch.setitem(HELD, "value", value)
        texts.append(written(by_value))
    assert texts[0] == texts[1]
