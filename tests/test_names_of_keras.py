"""Every public name of Keras 3.15 is there, or stands in the one table of refusals, and is refused with a reason."""

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import distnet
from distnet.absent import Absent
from distnet.errors import AbsentError

NAMES = Path(__file__).parent / "golden" / "names.json"
TABLE = Path(__file__).parents[1] / "docs" / "keras_differences.md"


def names():
    by_module = json.loads(NAMES.read_text())["names"]
    return [f"{module}.{name}".lstrip(".") for module, own in by_module.items() for name in own.split()]


def refusals():
    """The names, or patterns of names, of the table's first column."""
    text = TABLE.read_text(encoding="utf-8")
    rows = text[text.index("## Names that are refused") :].split("\n\n")[2].splitlines()[2:]
    return [name for row in rows for name in row.split("|")[1].replace("`", "").replace(",", " ").split()]


def is_absent(name):
    """Whether a name is refused; an AttributeError where it is neither there nor refused."""
    value = distnet
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AbsentError:
            return True
        if isinstance(value, Absent):
            return True
    return False


@pytest.fixture(scope="module")
def absent():
    return [name for name in names() if is_absent(name)]


@pytest.mark.slow
def test_every_name_of_keras_is_there_or_in_the_table_of_refusals(absent):
    assert len(names()) > 1400
    table = refusals()
    assert [name for name in absent if not any(fnmatchcase(name, pattern) for pattern in table)] == []


def test_the_table_of_refusals_names_nothing_that_is_there(absent):
    for pattern in refusals():
        of_pattern = [name for name in names() if fnmatchcase(name, pattern)]
        assert of_pattern, f"{pattern} is no name of Keras"
        assert [name for name in of_pattern if name not in absent] == [], f"{pattern} is there"


def use(name):
    value = distnet
    for part in name.split("."):
        value = getattr(value, part)
    value()


def test_what_is_refused_says_why_when_it_is_used(absent):
    for name in absent:
        with pytest.raises(AbsentError, match=r"keras\.[\w.]+ is not in distnet: .{20}"):
            use(name)
