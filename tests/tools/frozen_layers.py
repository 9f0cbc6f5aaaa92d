"""What a model trains of layers that hold layers, frozen in several ways: the same question to distnet and to Keras."""

SEQUENCES, ROWS = (4, 3), (3,)


def holders_of(keras):
    """Layers of one's own that hold layers, by name."""
    layers = keras.layers

    class Within(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.layer = layers.Dense(3)
            self.scale = self.add_weight(shape=(3,), initializer="ones", name="scale")

        def call(self, x):
            return self.layer(x) * self.scale

    class Later(layers.Layer):
        def build(self, input_shape):
            self.layer = layers.Dense(3)
            self.layer.build(input_shape)
            self.scale = self.add_weight(shape=(3,), initializer="ones", name="scale")

        def call(self, x):
            return self.layer(x) * self.scale

    class Nested(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.parts = [Within(), layers.Dense(3, trainable=False)]
            self.layer = self.parts[0]

        def call(self, x):
            return self.parts[1](self.parts[0](x))

    class Subclassed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.layer, self.head = layers.Dense(3), layers.Dense(3)

        def call(self, x):
            return self.head(self.layer(x))

    return {cls.__name__: cls for cls in (Within, Later, Nested, Subclassed)}


def kinds_of(keras, own):
    """Name -> the shape of a row, a function that makes the layer, and the attribute of a layer within."""
    layers = keras.layers
    stacked, both_ways = layers.StackedRNNCells, layers.Bidirectional

    def functional(**options):
        entry = keras.Input(ROWS)
        return keras.Model(entry, layers.Dense(3, name="last")(layers.Dense(3)(entry)), **options)

    def sequential(**options):
        return keras.Sequential([layers.Dense(3), layers.Dense(3, name="last")], **options)

    return {
        "cell": (SEQUENCES, lambda **k: layers.RNN(layers.GRUCell(2), **k), "cell"),
        "cells": (SEQUENCES, lambda **k: layers.RNN([layers.GRUCell(2), layers.LSTMCell(2)], **k), "cell"),
        "stack": (SEQUENCES, lambda **k: layers.RNN(stacked([layers.GRUCell(2), layers.LSTMCell(2)], **k)), "cell"),
        "frozen cell": (SEQUENCES, lambda **k: layers.RNN(layers.SimpleRNNCell(2, **k)), "cell"),
        "LSTM": (SEQUENCES, lambda **k: layers.LSTM(2, **k), None),
        "both ways": (SEQUENCES, lambda **k: both_ways(layers.LSTM(2), **k), "backward_layer"),
        "cells both ways": (SEQUENCES, lambda **k: both_ways(layers.RNN(layers.GRUCell(2), **k)), "backward_layer"),
        "over time": (SEQUENCES, lambda **k: layers.TimeDistributed(layers.BatchNormalization(), **k), "layer"),
        "spectral": (ROWS, lambda **k: layers.SpectralNormalization(layers.Dense(3), **k), "layer"),
        "sequential": (ROWS, sequential, "last"),
        "functional": (ROWS, functional, "last"),
        **{name: (ROWS, cls, "layer") for name, cls in own.items()},
    }


def frozen(keras):
    """{(kind, how it was frozen): which weights are trained, of the layer alone and of a model around it}."""
    own, answers = holders_of(keras), {}
    for kind, (shape, make, within) in kinds_of(keras, own).items():

        def around(layer, shape=shape):
            model = keras.Sequential([keras.Input(shape), layer, keras.layers.Dense(1)])
            return layer, model

        def afterwards(around=around, make=make):
            layer, model = around(make())
            layer.trainable = False
            return layer, model

        layer = make()
        layer.trainable = False
        answers[kind, "before it is built"] = _flags(*around(layer))
        layer, model = around(make(trainable=False))
        answers[kind, "by the constructor"] = _flags(layer, model)
        answers[kind, "by the constructor, cloned"] = _clone_flags(keras, own, model)
        layer.trainable = True
        answers[kind, "by the constructor, thawed"] = _flags(layer, model)
        layer, model = afterwards()
        answers[kind, "afterwards"] = _flags(layer, model)
        answers[kind, "afterwards, cloned"] = _clone_flags(keras, own, model)
        if within is not None:
            inner = layer.get_layer(within) if within == "last" else getattr(layer, within)
            inner.trainable = True
            answers[kind, "afterwards, a layer within thawed"] = _flags(layer, model)
        model.trainable = False
        model.layers[-1].trainable = True
        answers[kind, "as a whole, a layer within thawed"] = _flags(layer, model)
    return answers


def _clone_flags(keras, own, model):
    with keras.utils.custom_object_scope(own):
        clone = keras.models.clone_model(model)
    return _flags(clone.layers[0], clone)


def _flags(*layers):
    trained = [{id(v) for v in layer.trainable_weights} for layer in layers]
    return [[id(v) in ids for v in layer.weights] for layer, ids in zip(layers, trained, strict=True)]
