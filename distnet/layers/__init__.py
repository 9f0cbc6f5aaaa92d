"""Keras's layers. Each is imported when it is first named, by a program, a file or a configuration."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from distnet.absent import because, names_elsewhere
from distnet.late_rooms import announce, homes, late_names
from distnet.layers import operations as operations
from distnet.layers.activation import layer_activation as layer_activation
from distnet.layers.engine import user_call as user_call
from distnet.layers.engine.base import LAYERS as LAYERS
from distnet.layers.engine.base import Layer as Layer
from distnet.layers.engine.followed_node import SECOND_DERIVATIVES
from distnet.layers.engine.input_layer import Input as Input
from distnet.layers.engine.input_layer import InputLayer as InputLayer
from distnet.layers.engine.input_spec import InputSpec as InputSpec
from distnet.old_paths import old_paths
from distnet.registry import functions_of

if TYPE_CHECKING:
    from distnet.layers import merge as merge
    from distnet.layers.activation.activation import Activation as Activation
    from distnet.layers.activation.advanced_activations import ELU as ELU
    from distnet.layers.activation.advanced_activations import LeakyReLU as LeakyReLU
    from distnet.layers.activation.advanced_activations import PReLU as PReLU
    from distnet.layers.activation.advanced_activations import ReLU as ReLU
    from distnet.layers.activation.advanced_activations import Softmax as Softmax
    from distnet.layers.activation.advanced_activations import ThresholdedReLU as ThresholdedReLU
    from distnet.layers.attention.group_query_attention import GroupedQueryAttention as GroupedQueryAttention
    from distnet.layers.attention.group_query_attention import GroupQueryAttention as GroupQueryAttention
    from distnet.layers.attention.multi_head_attention import MultiHeadAttention as MultiHeadAttention
    from distnet.layers.attention.scored_attention import AdditiveAttention as AdditiveAttention
    from distnet.layers.attention.scored_attention import Attention as Attention
    from distnet.layers.convolutional.convolution import Conv1D as Conv1D
    from distnet.layers.convolutional.convolution import Conv2D as Conv2D
    from distnet.layers.convolutional.convolution import Conv3D as Conv3D
    from distnet.layers.convolutional.depthwise_convolution import DepthwiseConv1D as DepthwiseConv1D
    from distnet.layers.convolutional.depthwise_convolution import DepthwiseConv2D as DepthwiseConv2D
    from distnet.layers.convolutional.locally_connected import LocallyConnected1D as LocallyConnected1D
    from distnet.layers.convolutional.locally_connected import LocallyConnected2D as LocallyConnected2D
    from distnet.layers.convolutional.separable_convolution import SeparableConv1D as SeparableConv1D
    from distnet.layers.convolutional.separable_convolution import SeparableConv2D as SeparableConv2D
    from distnet.layers.convolutional.separable_convolution import SeparableConvolution1D as SeparableConvolution1D
    from distnet.layers.convolutional.transposed_convolution import Conv1DTranspose as Conv1DTranspose
    from distnet.layers.convolutional.transposed_convolution import Conv2DTranspose as Conv2DTranspose
    from distnet.layers.convolutional.transposed_convolution import Conv3DTranspose as Conv3DTranspose
    from distnet.layers.convolutional.transposed_convolution import Convolution1DTranspose as Convolution1DTranspose
    from distnet.layers.convolutional.transposed_convolution import Convolution2DTranspose as Convolution2DTranspose
    from distnet.layers.convolutional.transposed_convolution import Convolution3DTranspose as Convolution3DTranspose
    from distnet.layers.core.dense import Dense as Dense
    from distnet.layers.core.einsum_dense import EinsumDense as EinsumDense
    from distnet.layers.core.embedding import Embedding as Embedding
    from distnet.layers.core.identity import Identity as Identity
    from distnet.layers.core.lambda_layer import Lambda as Lambda
    from distnet.layers.core.masking import Masking as Masking
    from distnet.layers.core.pipeline import Pipeline as Pipeline
    from distnet.layers.core.reversible_embedding import ReversibleEmbedding as ReversibleEmbedding
    from distnet.layers.image.augmentation import RandomBrightness as RandomBrightness
    from distnet.layers.image.augmentation import RandomContrast as RandomContrast
    from distnet.layers.image.augmentation import RandomFlip as RandomFlip
    from distnet.layers.image.augmentation_policies import AugMix as AugMix
    from distnet.layers.image.augmentation_policies import RandAugment as RandAugment
    from distnet.layers.image.blurring import RandomGaussianBlur as RandomGaussianBlur
    from distnet.layers.image.blurring import RandomSharpness as RandomSharpness
    from distnet.layers.image.box_counts import MaxNumBoundingBoxes as MaxNumBoundingBoxes
    from distnet.layers.image.color_jitter import RandomColorJitter as RandomColorJitter
    from distnet.layers.image.colour_changes import RandomColorDegeneration as RandomColorDegeneration
    from distnet.layers.image.colour_changes import RandomGrayscale as RandomGrayscale
    from distnet.layers.image.colour_changes import RandomHue as RandomHue
    from distnet.layers.image.colour_changes import RandomInvert as RandomInvert
    from distnet.layers.image.colour_changes import RandomSaturation as RandomSaturation
    from distnet.layers.image.distortions import RandomElasticTransform as RandomElasticTransform
    from distnet.layers.image.distortions import RandomPerspective as RandomPerspective
    from distnet.layers.image.erasing import RandomErasing as RandomErasing
    from distnet.layers.image.histogram_equalization import (
        ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization,
    )
    from distnet.layers.image.histogram_equalization import Equalization as Equalization
    from distnet.layers.image.mixing_rows import CutMix as CutMix
    from distnet.layers.image.mixing_rows import MixUp as MixUp
    from distnet.layers.image.resizing import CenterCrop as CenterCrop
    from distnet.layers.image.resizing import RandomCrop as RandomCrop
    from distnet.layers.image.resizing import Resizing as Resizing
    from distnet.layers.image.tone_changes import AutoContrast as AutoContrast
    from distnet.layers.image.tone_changes import RandomPosterization as RandomPosterization
    from distnet.layers.image.tone_changes import Solarization as Solarization
    from distnet.layers.image.warping import RandomRotation as RandomRotation
    from distnet.layers.image.warping import RandomShear as RandomShear
    from distnet.layers.image.warping import RandomTranslation as RandomTranslation
    from distnet.layers.image.warping import RandomZoom as RandomZoom
    from distnet.layers.merge.arithmetic import Add as Add
    from distnet.layers.merge.arithmetic import Average as Average
    from distnet.layers.merge.arithmetic import Multiply as Multiply
    from distnet.layers.merge.arithmetic import Subtract as Subtract
    from distnet.layers.merge.arithmetic import add as add
    from distnet.layers.merge.arithmetic import average as average
    from distnet.layers.merge.arithmetic import multiply as multiply
    from distnet.layers.merge.arithmetic import subtract as subtract
    from distnet.layers.merge.concatenation import Concatenate as Concatenate
    from distnet.layers.merge.concatenation import concatenate as concatenate
    from distnet.layers.merge.extremes import Maximum as Maximum
    from distnet.layers.merge.extremes import Minimum as Minimum
    from distnet.layers.merge.extremes import maximum as maximum
    from distnet.layers.merge.extremes import minimum as minimum
    from distnet.layers.merge.of_keras_1 import Merge as Merge
    from distnet.layers.merge.products import Dot as Dot
    from distnet.layers.merge.products import dot as dot
    from distnet.layers.normalization.batch_normalization import BatchNormalization as BatchNormalization
    from distnet.layers.normalization.group_normalization import GroupNormalization as GroupNormalization
    from distnet.layers.normalization.layer_normalization import LayerNormalization as LayerNormalization
    from distnet.layers.normalization.rms_normalization import RMSNormalization as RMSNormalization
    from distnet.layers.normalization.unit_normalization import UnitNormalization as UnitNormalization
    from distnet.layers.old_classes import AtrousConvolution1D as AtrousConvolution1D
    from distnet.layers.old_classes import AtrousConvolution2D as AtrousConvolution2D
    from distnet.layers.old_classes import Convolution1D as Convolution1D
    from distnet.layers.old_classes import Convolution2D as Convolution2D
    from distnet.layers.old_classes import Convolution3D as Convolution3D
    from distnet.layers.old_classes import Deconvolution2D as Deconvolution2D
    from distnet.layers.old_classes import SeparableConvolution2D as SeparableConvolution2D
    from distnet.layers.old_classes import TimeDistributedDense as TimeDistributedDense
    from distnet.layers.pooling.adaptive_pooling import AdaptiveAveragePooling1D as AdaptiveAveragePooling1D
    from distnet.layers.pooling.adaptive_pooling import AdaptiveAveragePooling2D as AdaptiveAveragePooling2D
    from distnet.layers.pooling.adaptive_pooling import AdaptiveAveragePooling3D as AdaptiveAveragePooling3D
    from distnet.layers.pooling.adaptive_pooling import AdaptiveMaxPooling1D as AdaptiveMaxPooling1D
    from distnet.layers.pooling.adaptive_pooling import AdaptiveMaxPooling2D as AdaptiveMaxPooling2D
    from distnet.layers.pooling.adaptive_pooling import AdaptiveMaxPooling3D as AdaptiveMaxPooling3D
    from distnet.layers.pooling.global_pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
    from distnet.layers.pooling.global_pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
    from distnet.layers.pooling.global_pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
    from distnet.layers.pooling.global_pooling import GlobalAvgPool1D as GlobalAvgPool1D
    from distnet.layers.pooling.global_pooling import GlobalAvgPool2D as GlobalAvgPool2D
    from distnet.layers.pooling.global_pooling import GlobalAvgPool3D as GlobalAvgPool3D
    from distnet.layers.pooling.global_pooling import GlobalMaxPool1D as GlobalMaxPool1D
    from distnet.layers.pooling.global_pooling import GlobalMaxPool2D as GlobalMaxPool2D
    from distnet.layers.pooling.global_pooling import GlobalMaxPool3D as GlobalMaxPool3D
    from distnet.layers.pooling.global_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
    from distnet.layers.pooling.global_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
    from distnet.layers.pooling.global_pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
    from distnet.layers.pooling.window_pooling import AveragePooling1D as AveragePooling1D
    from distnet.layers.pooling.window_pooling import AveragePooling2D as AveragePooling2D
    from distnet.layers.pooling.window_pooling import AveragePooling3D as AveragePooling3D
    from distnet.layers.pooling.window_pooling import AvgPool1D as AvgPool1D
    from distnet.layers.pooling.window_pooling import AvgPool2D as AvgPool2D
    from distnet.layers.pooling.window_pooling import AvgPool3D as AvgPool3D
    from distnet.layers.pooling.window_pooling import MaxPool1D as MaxPool1D
    from distnet.layers.pooling.window_pooling import MaxPool2D as MaxPool2D
    from distnet.layers.pooling.window_pooling import MaxPool3D as MaxPool3D
    from distnet.layers.pooling.window_pooling import MaxPooling1D as MaxPooling1D
    from distnet.layers.pooling.window_pooling import MaxPooling2D as MaxPooling2D
    from distnet.layers.pooling.window_pooling import MaxPooling3D as MaxPooling3D
    from distnet.layers.preprocessing.category_encoding import CategoryEncoding as CategoryEncoding
    from distnet.layers.preprocessing.discretization import Discretization as Discretization
    from distnet.layers.preprocessing.feature_normalization import Normalization as Normalization
    from distnet.layers.preprocessing.hashed_crossing import HashedCrossing as HashedCrossing
    from distnet.layers.preprocessing.hashing import Hashing as Hashing
    from distnet.layers.preprocessing.integer_lookup import IntegerLookup as IntegerLookup
    from distnet.layers.preprocessing.mel_spectrogram import MelSpectrogram as MelSpectrogram
    from distnet.layers.preprocessing.rescaling import Rescaling as Rescaling
    from distnet.layers.preprocessing.stft_spectrogram import STFTSpectrogram as STFTSpectrogram
    from distnet.layers.preprocessing.string_lookup import StringLookup as StringLookup
    from distnet.layers.preprocessing.text_vectorization import TextVectorization as TextVectorization
    from distnet.layers.recurrent.cells import GRUCell as GRUCell
    from distnet.layers.recurrent.cells import LSTMCell as LSTMCell
    from distnet.layers.recurrent.cells import SimpleRNNCell as SimpleRNNCell
    from distnet.layers.recurrent.conv_lstm import ConvLSTM1D as ConvLSTM1D
    from distnet.layers.recurrent.conv_lstm import ConvLSTM2D as ConvLSTM2D
    from distnet.layers.recurrent.conv_lstm import ConvLSTM3D as ConvLSTM3D
    from distnet.layers.recurrent.gru import GRU as GRU
    from distnet.layers.recurrent.gru import CuDNNGRU as CuDNNGRU
    from distnet.layers.recurrent.lstm import LSTM as LSTM
    from distnet.layers.recurrent.lstm import CuDNNLSTM as CuDNNLSTM
    from distnet.layers.recurrent.rnn import RNN as RNN
    from distnet.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN
    from distnet.layers.recurrent.stacked_rnn_cells import StackedRNNCells as StackedRNNCells
    from distnet.layers.regularization.dropout import Dropout as Dropout
    from distnet.layers.regularization.dropout import SpatialDropout1D as SpatialDropout1D
    from distnet.layers.regularization.dropout import SpatialDropout2D as SpatialDropout2D
    from distnet.layers.regularization.dropout import SpatialDropout3D as SpatialDropout3D
    from distnet.layers.regularization.noise import ActivityRegularization as ActivityRegularization
    from distnet.layers.regularization.noise import AlphaDropout as AlphaDropout
    from distnet.layers.regularization.noise import GaussianDropout as GaussianDropout
    from distnet.layers.regularization.noise import GaussianNoise as GaussianNoise
    from distnet.layers.reshaping.cropping import Cropping1D as Cropping1D
    from distnet.layers.reshaping.cropping import Cropping2D as Cropping2D
    from distnet.layers.reshaping.cropping import Cropping3D as Cropping3D
    from distnet.layers.reshaping.padding import ZeroPadding1D as ZeroPadding1D
    from distnet.layers.reshaping.padding import ZeroPadding2D as ZeroPadding2D
    from distnet.layers.reshaping.padding import ZeroPadding3D as ZeroPadding3D
    from distnet.layers.reshaping.shapes import Flatten as Flatten
    from distnet.layers.reshaping.shapes import Permute as Permute
    from distnet.layers.reshaping.shapes import RepeatVector as RepeatVector
    from distnet.layers.reshaping.shapes import Reshape as Reshape
    from distnet.layers.reshaping.upsampling import UpSampling1D as UpSampling1D
    from distnet.layers.reshaping.upsampling import UpSampling2D as UpSampling2D
    from distnet.layers.reshaping.upsampling import UpSampling3D as UpSampling3D
    from distnet.layers.wrappers.bidirectional import Bidirectional as Bidirectional
    from distnet.layers.wrappers.spectral_normalization import SpectralNormalization as SpectralNormalization
    from distnet.layers.wrappers.time_distributed import TimeDistributed as TimeDistributed

_HOMES = homes(
    __name__,
    {
        "activation.activation": "Activation",
        "activation.advanced_activations": "ELU LeakyReLU PReLU ReLU Softmax ThresholdedReLU",
        "attention.group_query_attention": "GroupedQueryAttention GroupQueryAttention",
        "attention.multi_head_attention": "MultiHeadAttention",
        "attention.scored_attention": "AdditiveAttention Attention",
        "convolutional.convolution": "Conv1D Conv2D Conv3D",
        "convolutional.depthwise_convolution": "DepthwiseConv1D DepthwiseConv2D",
        "convolutional.locally_connected": "LocallyConnected1D LocallyConnected2D",
        "convolutional.separable_convolution": "SeparableConv1D SeparableConv2D SeparableConvolution1D",
        "convolutional.transposed_convolution": (
            "Conv1DTranspose Conv2DTranspose Conv3DTranspose Convolution1DTranspose Convolution2DTranspose "
            "Convolution3DTranspose"
        ),
        "core.dense": "Dense",
        "core.einsum_dense": "EinsumDense",
        "core.embedding": "Embedding",
        "core.identity": "Identity",
        "core.lambda_layer": "Lambda",
        "core.masking": "Masking",
        "core.pipeline": "Pipeline",
        "core.reversible_embedding": "ReversibleEmbedding",
        "engine.base": "LAYERS Layer",
        "engine.input_layer": "Input InputLayer",
        "engine.input_spec": "InputSpec",
        "image.augmentation": "RandomBrightness RandomContrast RandomFlip",
        "image.augmentation_policies": "AugMix RandAugment",
        "image.blurring": "RandomGaussianBlur RandomSharpness",
        "image.box_counts": "MaxNumBoundingBoxes",
        "image.color_jitter": "RandomColorJitter",
        "image.colour_changes": "RandomColorDegeneration RandomGrayscale RandomHue RandomInvert RandomSaturation",
        "image.distortions": "RandomElasticTransform RandomPerspective",
        "image.erasing": "RandomErasing",
        "image.histogram_equalization": "ContrastLimitedAdaptiveHistogramEqualization Equalization",
        "image.mixing_rows": "CutMix MixUp",
        "image.resizing": "CenterCrop RandomCrop Resizing",
        "image.tone_changes": "AutoContrast RandomPosterization Solarization",
        "image.warping": "RandomRotation RandomShear RandomTranslation RandomZoom",
        "merge.arithmetic": "Add Average Multiply Subtract add average multiply subtract",
        "merge.concatenation": "Concatenate concatenate",
        "merge.extremes": "Maximum Minimum maximum minimum",
        "merge.of_keras_1": "Merge",
        "merge.products": "Dot dot",
        "normalization.batch_normalization": "BatchNormalization",
        "normalization.group_normalization": "GroupNormalization",
        "normalization.layer_normalization": "LayerNormalization",
        "normalization.rms_normalization": "RMSNormalization",
        "normalization.unit_normalization": "UnitNormalization",
        "old_classes": (
            "AtrousConvolution1D AtrousConvolution2D Convolution1D Convolution2D Convolution3D Deconvolution2D "
            "SeparableConvolution2D TimeDistributedDense"
        ),
        "pooling.adaptive_pooling": (
            "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
            "AdaptiveMaxPooling2D AdaptiveMaxPooling3D"
        ),
        "pooling.global_pooling": (
            "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D "
            "GlobalMaxPooling2D GlobalMaxPooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D "
            "GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D"
        ),
        "pooling.window_pooling": (
            "AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D "
            "AvgPool1D AvgPool2D AvgPool3D MaxPool1D MaxPool2D MaxPool3D"
        ),
        "preprocessing.category_encoding": "CategoryEncoding",
        "preprocessing.discretization": "Discretization",
        "preprocessing.feature_normalization": "Normalization",
        "preprocessing.hashed_crossing": "HashedCrossing",
        "preprocessing.hashing": "Hashing",
        "preprocessing.integer_lookup": "IntegerLookup",
        "preprocessing.mel_spectrogram": "MelSpectrogram",
        "preprocessing.rescaling": "Rescaling",
        "preprocessing.stft_spectrogram": "STFTSpectrogram",
        "preprocessing.string_lookup": "StringLookup",
        "preprocessing.text_vectorization": "TextVectorization",
        "recurrent.cells": "GRUCell LSTMCell SimpleRNNCell",
        "recurrent.conv_lstm": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
        "recurrent.gru": "GRU CuDNNGRU",
        "recurrent.lstm": "LSTM CuDNNLSTM",
        "recurrent.rnn": "RNN",
        "recurrent.simple_rnn": "SimpleRNN",
        "recurrent.stacked_rnn_cells": "StackedRNNCells",
        "regularization.dropout": "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D",
        "regularization.noise": "ActivityRegularization AlphaDropout GaussianDropout GaussianNoise",
        "reshaping.cropping": "Cropping1D Cropping2D Cropping3D",
        "reshaping.padding": "ZeroPadding1D ZeroPadding2D ZeroPadding3D",
        "reshaping.shapes": "Flatten Permute RepeatVector Reshape",
        "reshaping.upsampling": "UpSampling1D UpSampling2D UpSampling3D",
        "wrappers.bidirectional": "Bidirectional",
        "wrappers.spectral_normalization": "SpectralNormalization",
        "wrappers.time_distributed": "TimeDistributed",
    },
)
"""Every public name, as above for who checks types."""

__all__ = [*_HOMES, "deserialize", "serialize"]

LAYERS.expect(_HOMES)
LAYERS.expect(homes(__name__, {"of_applications": "CustomScaleLayer LayerScale StochasticDepth"}))
announce(SECOND_DERIVATIVES, lambda: importlib.import_module("distnet.layers.second_derivatives"))

_NOT_YET = (
    "no such layer here. Build it from the layers there are, or as a layer of your own with call() over distnet.ops."
)
_OTHERS = "it runs another framework's code."

_elsewhere = names_elsewhere(
    __name__,
    ["layers.elsewhere"],
    {
        **because(_NOT_YET, """
            ConvRecurrent2D DenseFeatures
            RandomHeight RandomWidth
        """),
        **because(_OTHERS, "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper"),
        **because("it went with Keras 1. Build it from Dense and Maximum or Multiply.", "MaxoutDense Highway"),
        **because("it went with Keras 1. Use PReLU or a softplus activation.", "SReLU ParametricSoftplus"),
    },
)  # fmt: skip

__getattr__, __dir__ = late_names(__name__, _HOMES, _elsewhere)

old_paths(
    __name__,
    "advanced_activations convolutional_recurrent cudnn_recurrent embeddings experimental experimental.preprocessing "
    "local merging noise",
    "layers",
)


_, serialize, deserialize = functions_of(LAYERS, __name__, LAYERS.optional)
