"""Keras's layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distnet.absent import because, names_elsewhere
from distnet.layers import convolutional_recurrent as convolutional_recurrent
from distnet.layers import core as core
from distnet.layers import cudnn_recurrent as cudnn_recurrent
from distnet.layers import embeddings as embeddings
from distnet.layers import experimental as experimental
from distnet.layers import layer_activation as layer_activation
from distnet.layers import local as local
from distnet.layers import merge as merge
from distnet.layers import wrappers as wrappers
from distnet.layers.activation import Activation as Activation
from distnet.layers.advanced_activations import ELU as ELU
from distnet.layers.advanced_activations import LeakyReLU as LeakyReLU
from distnet.layers.advanced_activations import PReLU as PReLU
from distnet.layers.advanced_activations import ReLU as ReLU
from distnet.layers.advanced_activations import Softmax as Softmax
from distnet.layers.advanced_activations import ThresholdedReLU as ThresholdedReLU
from distnet.layers.attention import AdditiveAttention as AdditiveAttention
from distnet.layers.attention import Attention as Attention
from distnet.layers.attention import MultiHeadAttention as MultiHeadAttention
from distnet.layers.base import LAYERS as LAYERS
from distnet.layers.base import Layer as Layer
from distnet.layers.convolutional import Conv1D as Conv1D
from distnet.layers.convolutional import Conv2D as Conv2D
from distnet.layers.convolutional import Conv3D as Conv3D
from distnet.layers.cropping import Cropping1D as Cropping1D
from distnet.layers.cropping import Cropping2D as Cropping2D
from distnet.layers.cropping import Cropping3D as Cropping3D
from distnet.layers.dense import Dense as Dense
from distnet.layers.depthwise_convolutional import DepthwiseConv1D as DepthwiseConv1D
from distnet.layers.depthwise_convolutional import DepthwiseConv2D as DepthwiseConv2D
from distnet.layers.dropout import Dropout as Dropout
from distnet.layers.dropout import SpatialDropout1D as SpatialDropout1D
from distnet.layers.dropout import SpatialDropout2D as SpatialDropout2D
from distnet.layers.dropout import SpatialDropout3D as SpatialDropout3D
from distnet.layers.embedding import Embedding as Embedding
from distnet.layers.feature_normalization import Normalization as Normalization
from distnet.layers.global_pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from distnet.layers.global_pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from distnet.layers.global_pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
from distnet.layers.global_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from distnet.layers.global_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from distnet.layers.global_pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
from distnet.layers.identity import Identity as Identity
from distnet.layers.image_augmentation import RandomBrightness as RandomBrightness
from distnet.layers.image_augmentation import RandomContrast as RandomContrast
from distnet.layers.image_augmentation import RandomFlip as RandomFlip
from distnet.layers.image_resizing import CenterCrop as CenterCrop
from distnet.layers.image_resizing import RandomCrop as RandomCrop
from distnet.layers.image_resizing import Resizing as Resizing
from distnet.layers.image_warping import RandomRotation as RandomRotation
from distnet.layers.image_warping import RandomTranslation as RandomTranslation
from distnet.layers.image_warping import RandomZoom as RandomZoom
from distnet.layers.input_layer import Input as Input
from distnet.layers.input_layer import InputLayer as InputLayer
from distnet.layers.lambda_layer import Lambda as Lambda
from distnet.layers.locally_connected import LocallyConnected1D as LocallyConnected1D
from distnet.layers.locally_connected import LocallyConnected2D as LocallyConnected2D
from distnet.layers.masking import Masking as Masking
from distnet.layers.merging import Add as Add
from distnet.layers.merging import Average as Average
from distnet.layers.merging import Concatenate as Concatenate
from distnet.layers.merging import Dot as Dot
from distnet.layers.merging import Maximum as Maximum
from distnet.layers.merging import Minimum as Minimum
from distnet.layers.merging import Multiply as Multiply
from distnet.layers.merging import Subtract as Subtract
from distnet.layers.merging import add as add
from distnet.layers.merging import average as average
from distnet.layers.merging import concatenate as concatenate
from distnet.layers.merging import dot as dot
from distnet.layers.merging import maximum as maximum
from distnet.layers.merging import minimum as minimum
from distnet.layers.merging import multiply as multiply
from distnet.layers.merging import subtract as subtract
from distnet.layers.merging.of_keras_1 import Merge as Merge
from distnet.layers.noise import ActivityRegularization as ActivityRegularization
from distnet.layers.noise import AlphaDropout as AlphaDropout
from distnet.layers.noise import GaussianDropout as GaussianDropout
from distnet.layers.noise import GaussianNoise as GaussianNoise
from distnet.layers.normalization import BatchNormalization as BatchNormalization
from distnet.layers.normalization import GroupNormalization as GroupNormalization
from distnet.layers.normalization import LayerNormalization as LayerNormalization
from distnet.layers.normalization import RMSNormalization as RMSNormalization
from distnet.layers.normalization import UnitNormalization as UnitNormalization
from distnet.layers.old_classes import AtrousConvolution1D as AtrousConvolution1D
from distnet.layers.old_classes import AtrousConvolution2D as AtrousConvolution2D
from distnet.layers.old_classes import Convolution1D as Convolution1D
from distnet.layers.old_classes import Convolution2D as Convolution2D
from distnet.layers.old_classes import Convolution3D as Convolution3D
from distnet.layers.old_classes import Deconvolution2D as Deconvolution2D
from distnet.layers.old_classes import SeparableConvolution2D as SeparableConvolution2D
from distnet.layers.old_classes import TimeDistributedDense as TimeDistributedDense
from distnet.layers.padding import ZeroPadding1D as ZeroPadding1D
from distnet.layers.padding import ZeroPadding2D as ZeroPadding2D
from distnet.layers.padding import ZeroPadding3D as ZeroPadding3D
from distnet.layers.pooling import AveragePooling1D as AveragePooling1D
from distnet.layers.pooling import AveragePooling2D as AveragePooling2D
from distnet.layers.pooling import AveragePooling3D as AveragePooling3D
from distnet.layers.pooling import MaxPooling1D as MaxPooling1D
from distnet.layers.pooling import MaxPooling2D as MaxPooling2D
from distnet.layers.pooling import MaxPooling3D as MaxPooling3D
from distnet.layers.recurrent import GRU as GRU
from distnet.layers.recurrent import LSTM as LSTM
from distnet.layers.recurrent import Bidirectional as Bidirectional
from distnet.layers.recurrent import ConvLSTM1D as ConvLSTM1D
from distnet.layers.recurrent import ConvLSTM2D as ConvLSTM2D
from distnet.layers.recurrent import ConvLSTM3D as ConvLSTM3D
from distnet.layers.recurrent import CuDNNGRU as CuDNNGRU
from distnet.layers.recurrent import CuDNNLSTM as CuDNNLSTM
from distnet.layers.recurrent import SimpleRNN as SimpleRNN
from distnet.layers.rescaling import Rescaling as Rescaling
from distnet.layers.reshaping import Flatten as Flatten
from distnet.layers.reshaping import Permute as Permute
from distnet.layers.reshaping import RepeatVector as RepeatVector
from distnet.layers.reshaping import Reshape as Reshape
from distnet.layers.separable_convolutional import SeparableConv1D as SeparableConv1D
from distnet.layers.separable_convolutional import SeparableConv2D as SeparableConv2D
from distnet.layers.time_distributed import TimeDistributed as TimeDistributed
from distnet.layers.transposed_convolutional import Conv1DTranspose as Conv1DTranspose
from distnet.layers.transposed_convolutional import Conv2DTranspose as Conv2DTranspose
from distnet.layers.transposed_convolutional import Conv3DTranspose as Conv3DTranspose
from distnet.layers.upsampling import UpSampling1D as UpSampling1D
from distnet.layers.upsampling import UpSampling2D as UpSampling2D
from distnet.layers.upsampling import UpSampling3D as UpSampling3D
from distnet.registry import custom_object_scope
from distnet.types import Json

AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D

_NOT_YET = (
    "no such layer here. Build it from the layers there are, or as a layer of your own with forward and backward."
)
_OTHERS = "it runs another framework's code."

__getattr__ = names_elsewhere(
    __name__,
    ["layers.elsewhere"],
    {
        **because(_NOT_YET, """
            AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
            AdaptiveMaxPooling2D AdaptiveMaxPooling3D AugMix AutoContrast CategoryEncoding
            ContrastLimitedAdaptiveHistogramEqualization ConvRecurrent2D CutMix DenseFeatures Discretization
            EinsumDense Equalization GRUCell GroupQueryAttention HashedCrossing Hashing InputSpec IntegerLookup
            LSTMCell MaxNumBoundingBoxes MelSpectrogram MixUp Pipeline RNN RandAugment RandomColorDegeneration
            RandomColorJitter RandomElasticTransform RandomErasing RandomGaussianBlur RandomGrayscale RandomHeight
            RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation RandomSharpness RandomShear
            RandomWidth ReversibleEmbedding STFTSpectrogram SimpleRNNCell Solarization SpectralNormalization
            StackedRNNCells StringLookup TextVectorization
        """),
        **because(_OTHERS, "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper"),
        **because("it went with Keras 1. Build it from Dense and Maximum or Multiply.", "MaxoutDense Highway"),
        **because("it went with Keras 1. Use PReLU or a softplus activation.", "SReLU ParametricSoftplus"),
    },
)  # fmt: skip


def serialize(layer: Layer) -> Json:
    """The JSON of a layer: ``{"class_name", "config"}``.

    Source: ``keras.layers.serialize``.
    """
    return layer.as_json()


def deserialize(config: object, custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer, without its weights, that ``serialize`` of distnet or Keras described.

    Args:
        config: its JSON.
        custom_objects: the user's own classes and functions by name.

    Source: ``keras.layers.deserialize``.
    """
    with custom_object_scope(custom_objects):
        return LAYERS.get(config)
