"""Policies of one dtype are taken; others say why they are not."""

import json

import numpy as np
import pytest

import distnet
from distnet import dtype_policies, layers, mixed_precision
from distnet.errors import AbsentError


@pytest.fixture(autouse=True)
def float32_again():
    yield
    distnet.config.set_floatx("float32")


@pytest.mark.parametrize("policy", ["float64", mixed_precision.Policy("float64"), distnet.DTypePolicy("float64")])
def test_a_global_policy_of_one_dtype_is_that_of_new_layers(policy):
    mixed_precision.set_global_policy(policy)
    assert mixed_precision.global_policy().name == mixed_precision.dtype_policy().compute_dtype == "float64"
    layer = layers.Dense(2)
    assert np.asarray(layer(np.ones((1, 3)))).dtype == np.float64
    assert layer.dtype == distnet.config.floatx() == "float64"


def test_a_layer_takes_a_policy():
    layer = layers.Dense(2, dtype=distnet.DTypePolicy("float64"))
    assert np.asarray(layer(np.ones((1, 3)))).dtype == np.float64
    config = json.loads(json.dumps(layer.get_config()))
    assert (
        layers.Dense.from_config({**config, "dtype": dtype_policies.serialize(distnet.DTypePolicy("float64"))}).dtype
        == "float64"
    )


def test_policies_come_from_names_and_configurations():
    policy = dtype_policies.get("float64")
    assert dtype_policies.get(None).name == "float32"
    assert dtype_policies.get(policy) is policy
    assert dtype_policies.get(dtype_policies.serialize(policy)) == policy
    assert dtype_policies.deserialize(dtype_policies.serialize(policy)) == policy
    assert distnet.DTypePolicy.from_config(policy.get_config()) == policy != dtype_policies.get("float32")
    assert len({policy, dtype_policies.FloatDTypePolicy("float64")}) == 1
    assert repr(policy) == '<DTypePolicy "float64">'
    assert policy.variable_dtype == "float64"


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_mixed_and_half_precision_is_refused_with_the_reason(name):
    for use in (distnet.DTypePolicy, mixed_precision.Policy, dtype_policies.get, mixed_precision.set_global_policy):
        with pytest.raises(AbsentError, match=f"{name}.*no mixed precision"):
            use(name)


def test_what_is_no_policy_is_refused():
    with pytest.raises(ValueError, match="expected a name, a configuration or a policy, received 3"):
        dtype_policies.get(3)
    with pytest.raises(ValueError, match="expected the name of a dtype"):
        distnet.DTypePolicy(32)
    with pytest.raises(ValueError, match="expected a DTypePolicy, received"):
        dtype_policies.deserialize({"class_name": "Dense", "config": {}})
