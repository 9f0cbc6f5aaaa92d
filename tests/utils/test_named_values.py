"""Settings by name, as attributes and as entries."""

import pytest

from distnet.utils import Config


def test_entries_are_attributes():
    config = Config(rate=0.1)
    config.steps = 5
    config["seed"] = 3
    config.update(b=1)
    assert (config.seed, config["steps"], config.get("none", 7), config.pop("b")) == (3, 5, 7, 1)
    assert config.as_dict() == dict(config.items()) == {"rate": 0.1, "steps": 5, "seed": 3}
    assert list(config) == ["rate", "seed", "steps"]
    assert (len(config), "seed" in config, list(config.keys())[0], list(config.values())[0]) == (3, True, "rate", 0.1)
    del config["seed"]
    assert config.to_json() == '{"rate": 0.1, "steps": 5}'
    assert repr(config) == "<Config {'rate': 0.1, 'steps': 5}>"


def test_a_frozen_one_is_not_changed():
    config = Config(rate=0.1)
    config.freeze()
    assert config.frozen
    for change in (lambda: setattr(config, "rate", 2), lambda: config.pop("rate"), lambda: config.update(a=1)):
        with pytest.raises(ValueError, match="it is frozen"):
            change()
    config.unfreeze()
    config.rate = 2
    assert config.rate == 2


def test_an_entry_that_is_not_there_is_named():
    with pytest.raises(AttributeError, match="no entry 'rat'. Did you mean 'rate'"):
        _ = Config(rate=1).rat
