"""Keras's applications: known networks, with random weights, Keras's published ones, or those of a file."""

from __future__ import annotations

from distnet.applications import convnext as convnext
from distnet.applications import densenet as densenet
from distnet.applications import efficientnet as efficientnet
from distnet.applications import efficientnet_v2 as efficientnet_v2
from distnet.applications import imagenet_utils as imagenet_utils
from distnet.applications import inception_resnet_v2 as inception_resnet_v2
from distnet.applications import inception_v3 as inception_v3
from distnet.applications import mobilenet as mobilenet
from distnet.applications import mobilenet_v2 as mobilenet_v2
from distnet.applications import mobilenet_v3 as mobilenet_v3
from distnet.applications import nasnet as nasnet
from distnet.applications import resnet as resnet
from distnet.applications import resnet_v2 as resnet_v2
from distnet.applications import xception as xception
from distnet.applications.convnext import ConvNeXtBase as ConvNeXtBase
from distnet.applications.convnext import ConvNeXtLarge as ConvNeXtLarge
from distnet.applications.convnext import ConvNeXtSmall as ConvNeXtSmall
from distnet.applications.convnext import ConvNeXtTiny as ConvNeXtTiny
from distnet.applications.convnext import ConvNeXtXLarge as ConvNeXtXLarge
from distnet.applications.densenet import DenseNet121 as DenseNet121
from distnet.applications.densenet import DenseNet169 as DenseNet169
from distnet.applications.densenet import DenseNet201 as DenseNet201
from distnet.applications.efficientnet import EfficientNetB0 as EfficientNetB0
from distnet.applications.efficientnet import EfficientNetB1 as EfficientNetB1
from distnet.applications.efficientnet import EfficientNetB2 as EfficientNetB2
from distnet.applications.efficientnet import EfficientNetB3 as EfficientNetB3
from distnet.applications.efficientnet import EfficientNetB4 as EfficientNetB4
from distnet.applications.efficientnet import EfficientNetB5 as EfficientNetB5
from distnet.applications.efficientnet import EfficientNetB6 as EfficientNetB6
from distnet.applications.efficientnet import EfficientNetB7 as EfficientNetB7
from distnet.applications.efficientnet_v2 import EfficientNetV2B0 as EfficientNetV2B0
from distnet.applications.efficientnet_v2 import EfficientNetV2B1 as EfficientNetV2B1
from distnet.applications.efficientnet_v2 import EfficientNetV2B2 as EfficientNetV2B2
from distnet.applications.efficientnet_v2 import EfficientNetV2B3 as EfficientNetV2B3
from distnet.applications.efficientnet_v2 import EfficientNetV2L as EfficientNetV2L
from distnet.applications.efficientnet_v2 import EfficientNetV2M as EfficientNetV2M
from distnet.applications.efficientnet_v2 import EfficientNetV2S as EfficientNetV2S
from distnet.applications.inception_resnet_v2 import InceptionResNetV2 as InceptionResNetV2
from distnet.applications.inception_v3 import InceptionV3 as InceptionV3
from distnet.applications.mobilenet import MobileNet as MobileNet
from distnet.applications.mobilenet_v2 import MobileNetV2 as MobileNetV2
from distnet.applications.mobilenet_v3 import MobileNetV3Large as MobileNetV3Large
from distnet.applications.mobilenet_v3 import MobileNetV3Small as MobileNetV3Small
from distnet.applications.nasnet import NASNetLarge as NASNetLarge
from distnet.applications.nasnet import NASNetMobile as NASNetMobile
from distnet.applications.resnet import ResNet50 as ResNet50
from distnet.applications.resnet import ResNet101 as ResNet101
from distnet.applications.resnet import ResNet152 as ResNet152
from distnet.applications.resnet_v2 import ResNet50V2 as ResNet50V2
from distnet.applications.resnet_v2 import ResNet101V2 as ResNet101V2
from distnet.applications.resnet_v2 import ResNet152V2 as ResNet152V2
from distnet.applications.vgg import VGG16 as VGG16
from distnet.applications.vgg import VGG19 as VGG19
from distnet.applications.xception import Xception as Xception
from distnet.old_paths import old_paths

old_paths(__name__, "vgg16 vgg19", "applications.vgg")
old_paths(__name__, "resnet50", "applications.resnet")
