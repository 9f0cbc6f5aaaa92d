"""A model's own inputs and outputs, from which scripts make other models."""

import numpy as np

import distnet as keras

X = np.random.default_rng(0).normal(size=(5, 4))


def test_a_model_ends_where_it_was_made_to_although_it_is_called_elsewhere():
    base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2)])
    outer = keras.Input((4,))
    model = keras.Model(outer, keras.layers.Dense(1)(base(outer)))
    features = keras.Model(inputs=base.input, outputs=base.get_layer("hidden").output)
    assert features.predict(X, verbose=0).shape == (5, 3)
    assert (base.input, base.output) == (base.inputs[0], base.outputs[0])
    np.testing.assert_array_equal(
        keras.Model(model.input, model.output).predict(X, verbose=0), model.predict(X, verbose=0)
    )
    longer = keras.Model(model.input, keras.layers.Dense(7)(model.output))
    assert longer.output_shape == (None, 7)


def test_several_ends_are_lists_or_the_dicts_that_were_given():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    outputs = [keras.layers.Dense(1)(a), keras.layers.add([a, b])]
    listed = keras.Model([a, b], outputs)
    assert (listed.input, listed.output) == ([a, b], outputs)
    named = keras.Model({"a": a, "b": b}, {"first": outputs[0], "sum": outputs[1]})
    assert named.input == {"a": a, "b": b}
    assert named.output == {"first": outputs[0], "sum": outputs[1]}
    found, expected = named.predict({"a": X, "b": X}, verbose=0), listed.predict([X, X], verbose=0)
    assert list(found) == ["first", "sum"]
    for one, other in zip(found.values(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_model_reads_the_configuration_of_a_functional_model():
    entry = keras.Input((4,))
    model = keras.Model(entry, keras.layers.Dense(2)(entry), name="small")
    made = keras.Model.from_config(model.get_config())
    assert made.get_config() == model.get_config()
    made.set_weights(model.get_weights())
    np.testing.assert_array_equal(made.predict(X, verbose=0), model.predict(X, verbose=0))


def test_numpy_reads_weights():
    layer = keras.layers.Dense(2)
    layer(keras.Input((4,)))
    np.testing.assert_array_equal(np.asarray(layer.kernel), layer.get_weights()[0])
    assert np.array(layer.kernel, "float64").dtype == "float64"
    assert np.abs(layer.bias).sum() == 0


def test_layers_are_numbered_from_a_dict_s_outputs_in_the_order_of_their_keys():
    """As Keras does: a file's weights have this order, so Keras's file and ours would not fit otherwise."""
    entry = keras.Input((4,), name="entry")
    outputs = {name: keras.layers.Dense(2, name=name)(entry) for name in ("second", "first")}
    model = keras.Model(entry, outputs)
    assert [layer.name for layer in model.layers] == ["entry", "first", "second"]
    assert model.output_names == ["first", "second"]
    again = keras.models.model_from_json(model.to_json())
    assert [layer.name for layer in again.layers] == ["entry", "first", "second"]
    assert list(again.predict(np.zeros((2, 4)), verbose=0)) == ["second", "first"]
