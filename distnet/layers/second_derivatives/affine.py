"""Layers without weights whose output is an affine function of their inputs, with the random numbers of a call."""

from __future__ import annotations

from distnet.layers.core.identity import Identity
from distnet.layers.engine.followed_node import AFFINE
from distnet.layers.engine.input_layer import InputLayer
from distnet.layers.image.augmentation import RandomFlip
from distnet.layers.image.resizing import CenterCrop, RandomCrop, Resizing
from distnet.layers.image.warping import RandomRotation, RandomShear, RandomTranslation, RandomZoom
from distnet.layers.merge.arithmetic import Add, Average, Subtract
from distnet.layers.merge.concatenation import Concatenate
from distnet.layers.of_applications import CustomScaleLayer
from distnet.layers.pooling.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
)
from distnet.layers.pooling.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
from distnet.layers.pooling.window_pooling import AveragePooling1D, AveragePooling2D, AveragePooling3D
from distnet.layers.preprocessing.feature_normalization import Normalization
from distnet.layers.preprocessing.rescaling import Rescaling
from distnet.layers.regularization.dropout import Dropping
from distnet.layers.regularization.noise import ActivityRegularization, AlphaDropout, GaussianDropout, GaussianNoise
from distnet.layers.reshaping.cropping import Cropping
from distnet.layers.reshaping.padding import ZeroPadding
from distnet.layers.reshaping.shapes import Flatten, Permute, RepeatVector, Reshape
from distnet.layers.reshaping.upsampling import UpSampling

AFFINE.update(
    {
        *(ActivityRegularization, AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D, Add),
        *(AlphaDropout, Average, AveragePooling1D, AveragePooling2D, AveragePooling3D, CenterCrop, Concatenate),
        CustomScaleLayer,
        *(Cropping, Dropping, Flatten, GaussianDropout, GaussianNoise, GlobalAveragePooling1D),
        *(GlobalAveragePooling2D, GlobalAveragePooling3D, Identity, InputLayer, Normalization, Permute, RandomCrop),
        *(RandomFlip, RandomRotation, RandomShear, RandomTranslation, RandomZoom, RepeatVector, Rescaling, Reshape),
        *(Resizing, Subtract, UpSampling, ZeroPadding),
    }
)
