"""Images and labels mixed with those of other rows of the batch."""

import numpy as np
import pytest

import distnet as keras
from distnet import layers
from distnet.errors import ArgumentError
from distnet.layers.engine.context import ForwardContext, Workspaces
from layer_run import LayerRun
from ranks_of_threads import on_ranks

X = np.random.default_rng(0).uniform(0, 255, (5, 6, 7, 3)).astype("float32")
Y = np.eye(5, dtype="float32")


@pytest.mark.parametrize("make", [lambda: layers.MixUp(0.7), lambda: layers.CutMix()])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_labels_are_mixed_as_their_images_are(make, data_format):
    keras.config.set_image_data_format(data_format)
    try:
        layer = make()
    finally:
        keras.config.set_image_data_format("channels_last")
    x = X if data_format == "channels_last" else X.transpose(0, 3, 1, 2)
    drawn = layer.get_random_transformation(x)
    order, weight = drawn["permutation_order"], drawn["mix_weight"].reshape(-1)
    assert sorted(order) == list(range(5))
    np.testing.assert_allclose(
        layer.transform_labels(Y, drawn), weight[:, None] * Y + (1 - weight[:, None]) * Y[order], rtol=1e-5, atol=1e-6
    )
    images = np.asarray(layer.transform_images(x, drawn))
    share = weight.reshape(-1, 1, 1, 1) if "batch_masks" not in drawn else 1.0 - drawn["batch_masks"]
    np.testing.assert_allclose(images, share * x + (1 - share) * x[order], rtol=1e-5, atol=1e-3)


def test_what_a_rectangle_covers_is_what_its_label_says():
    drawn = layers.CutMix().get_random_transformation(np.zeros((500, 60, 50, 1)))
    covered = drawn["batch_masks"].mean((1, 2, 3))
    np.testing.assert_allclose(covered, 1 - drawn["mix_weight"].reshape(-1), atol=0.04)
    assert 0.3 < covered.mean() < 0.7


def test_a_dict_of_arrays_and_of_placeholders():
    keras.utils.set_random_seed(1)  # by chance a call may change no row
    for layer in (layers.MixUp(seed=1), layers.CutMix(seed=1), layers.RandAugment(seed=1), layers.RandomFlip(seed=1)):
        made = layer({"images": X, "labels": Y})
        np.testing.assert_allclose(np.asarray(made["labels"]).sum(1), 1, rtol=1e-6)
        one = layer({"images": X[0], "labels": Y[0]})
        assert one["images"].shape == X[0].shape
        images, labels = keras.Input((6, 7, 3)), keras.Input((5,))
        changed = layer({"images": images, "labels": labels})
        model = keras.Model([images, labels], [changed["images"], changed["labels"]])
        again = keras.models.model_from_json(model.to_json())
        for each in (model, again):
            x, y = each.predict([X, Y], verbose=0)
            np.testing.assert_allclose(x, X, rtol=1e-6)
            np.testing.assert_array_equal(y, Y)
        x, y = model([X, Y], training=True)
        assert (np.asarray(x) != X).any()
        np.testing.assert_allclose(np.asarray(y).sum(1), 1, rtol=1e-6)


def test_what_belongs_to_no_images_or_cannot_be_moved_is_refused():
    boxes = {"boxes": np.ones((5, 1, 4)), "labels": np.ones((5, 1))}
    with pytest.raises(ArgumentError, match="key 'images'"):
        layers.MixUp()({"labels": Y})
    with pytest.raises(ArgumentError, match="no bounding_box_format"):
        layers.RandomFlip()({"images": X, "bounding_boxes": boxes})
    with pytest.raises(ArgumentError, match="cannot move"):
        layers.RandomElasticTransform(bounding_box_format="xyxy")({"images": X, "bounding_boxes": boxes})
    kept = layers.RandomHue(0.2, bounding_box_format="xyxy")({"images": X, "bounding_boxes": boxes})
    np.testing.assert_array_equal(kept["bounding_boxes"]["boxes"], boxes["boxes"])


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_a_batch_that_lies_on_one_rank_is_everybodys_call(name):
    whole = LayerRun(getattr(layers, name)(seed=4, dtype="float64"), (6, 7, 3))
    x = X[:1].astype("float64")
    (expected,) = whole.outputs(x)
    calls = []

    def program(rank, sum_over_ranks):
        def counted(array):
            calls.append(rank)
            sum_over_ranks(array)

        runs[rank].sums = {"sum_over_ranks": counted}
        first = min(rank, 1)
        return runs[rank].outputs(x[first:], first_row=first, global_rows=1)[0]

    runs = [LayerRun(getattr(layers, name)(seed=4, dtype="float64"), (6, 7, 3)) for _ in range(3)]
    parts = on_ranks(3, program)
    np.testing.assert_allclose(np.concatenate(parts), expected)
    assert sorted(calls) == [0, 1, 2]


def test_boxes_come_from_rows_of_other_ranks():
    layer = layers.MixUp(bounding_box_format="xyxy", dtype="float64")
    boxes = {"boxes": np.arange(40.0).reshape(5, 2, 4), "labels": np.arange(10.0).reshape(5, 2)}
    order = np.array([3, 4, 0, 2, 1])
    drawn = {"mix_weight": np.full(5, 0.5), "permutation_order": order}
    bounds = [0, 2, 2, 5]

    def program(rank, sum_over_ranks):
        first, end = bounds[rank : rank + 2]
        ctx = ForwardContext(True, 0, 0, first, 5, Workspaces(), sum_over_ranks=sum_over_ranks)
        return layer.change_boxes({key: part[first:end] for key, part in boxes.items()}, drawn, ctx)

    parts = on_ranks(3, program)
    for key, part in boxes.items():
        made = np.concatenate([of_rank[key] for of_rank in parts])
        np.testing.assert_array_equal(made, np.concatenate([part, part[order]], axis=1))
