"""Every application has the layers that it has in Keras: names, order, shapes, and the number of weights."""

import json
import sys
import warnings
from pathlib import Path

import pytest

import distnet
from application_cases import FAMILIES, digest, layout_cases
from distnet import allocation, applications

GOLDEN = Path(__file__).parent / "golden" / "applications.json"
CASES = json.loads(GOLDEN.read_text())
SMALL = ("MobileNet", "MobileNetV2", "MobileNetV3Small")


def test_the_golden_file_has_every_application_and_case():
    made = {name for name in dir(applications) if name[0].isupper()}
    assert made == {name for name, _, _ in CASES} == {*FAMILIES, *(name for own in FAMILIES.values() for name in own)}
    wanted = [[name, json.loads(json.dumps(options))] for name, options in layout_cases()]
    assert [[name, options] for name, options, _ in CASES] == wanted


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        pytest.param(*case, id=f"{case[0]}-{i}", marks=() if case[0] in SMALL else pytest.mark.slow)
        for i, case in enumerate(CASES)
    ],
)
def test_a_network_has_keras_s_layers(name, options, expected):
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    distnet.utils.clear_session()
    with allocation.awaiting(sys.maxsize), warnings.catch_warnings():  # no numbers need be drawn
        model = getattr(applications, name)(weights=None, **given)
    assert digest(model) == expected
