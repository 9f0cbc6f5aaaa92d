"""Arguments that Keras refuses are refused here too, by name, when the object is made."""

import numpy as np
import pytest

from distnet import initializers, layers, losses, metrics
from distnet.errors import ArgumentError


@pytest.mark.parametrize(
    ("make", "what"),
    [
        *[
            (lambda make=make: make(seed=-1), "seed")
            for make in (
                lambda seed: layers.Dropout(0.2, seed=seed),
                lambda seed: layers.AlphaDropout(0.2, seed=seed),
                lambda seed: layers.SpatialDropout1D(0.2, seed=seed),
                lambda seed: layers.GaussianNoise(0.2, seed=seed),
                lambda seed: layers.LSTM(3, seed=seed),
                lambda seed: layers.RandomFlip(seed=seed),
                lambda seed: layers.RandomCrop(4, 4, seed=seed),
                lambda seed: layers.RandomZoom(0.1, seed=seed),
            )
        ],
        (lambda: layers.Dropout(0.2, noise_shape=2), "noise_shape"),
        (lambda: layers.LSTM(3, use_cudnn="bad"), "use_cudnn"),
        (lambda: layers.GRU(3, use_cudnn=None), "use_cudnn"),
        (lambda: layers.MultiHeadAttention(2, 3, value_dim=0), "value_dim"),
        (lambda: layers.Reshape(-1), "target_shape"),
        (lambda: metrics.AUC(curve=3), "curve"),
        (lambda: metrics.AUC(summation_method=None), "summation_method"),
        (lambda: metrics.AUC(thresholds="bad"), "thresholds"),
        (lambda: metrics.AUC(thresholds=0.5), "thresholds"),
        (lambda: metrics.AUC(label_weights="bad"), "label_weights"),
        (lambda: metrics.Precision(thresholds="bad"), "thresholds"),
        (lambda: metrics.IoU(num_classes=2, target_class_ids=[]), "target_class_ids"),
        (lambda: metrics.BinaryIoU(target_class_ids={}), "target_class_ids"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.5), "q"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=np.nan), "q"),
        (lambda: initializers.VarianceScaling(mode=1), "mode"),
        (lambda: initializers.VarianceScaling(distribution=None), "distribution"),
    ],
)
def test_a_wrong_argument_is_named(make, what):
    with pytest.raises(ArgumentError, match=what):
        make()
