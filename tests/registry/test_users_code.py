"""What is written of users' functions, for ranks to compare: what they compute, and nothing that differs by chance."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time

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
