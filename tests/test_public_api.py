"""The names that a Keras script finds when ``keras`` is distnet."""

import importlib
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import distnet
from distnet import activations, constraints, initializers, layers, losses, metrics, models, optimizers, regularizers
from distnet.registry import Registry

NAMES = {
    "": "Sequential Model Input Layer KerasTensor Loss Metric Optimizer Initializer Regularizer "
    "activations backend callbacks config constraints datasets distribution "
    "initializers layers losses metrics models optimizers preprocessing regularizers saving utils",
    "activations": "get serialize deserialize relu sigmoid tanh softmax softplus softsign selu elu exponential gelu "
    "silu swish mish leaky_relu relu6 log_softmax hard_sigmoid linear",
    "backend": "clear_session get_value set_value epsilon floatx set_floatx set_epsilon image_data_format",
    "callbacks": "Callback History ModelCheckpoint EarlyStopping LambdaCallback CSVLogger ProgbarLogger CallbackList "
    "ReduceLROnPlateau LearningRateScheduler TerminateOnNaN BackupAndRestore TensorBoard PlotLosses",
    "config": "set_floatx floatx epsilon set_epsilon",
    "constraints": "get serialize deserialize Constraint MaxNorm NonNeg UnitNorm MinMaxNorm",
    **{
        f"datasets.{name}": "load_data"
        for name in ("mnist", "fashion_mnist", "cifar10", "cifar100", "imdb", "reuters", "boston_housing")
    },
    "distribution": "rank size is_chief barrier DataParallel distribution set_distribution",
    "errors": "DistnetError ArgumentError CheckpointError",
    "initializers": "get serialize deserialize Initializer Zeros Ones Constant RandomNormal RandomUniform "
    "TruncatedNormal VarianceScaling GlorotUniform GlorotNormal HeUniform HeNormal LecunUniform LecunNormal "
    "Orthogonal Identity",
    "layers": "serialize deserialize Layer "
    "Input InputLayer Dense Activation Dropout Flatten Reshape Permute RepeatVector Embedding Masking "
    "Conv1D Conv2D Convolution1D Convolution2D Conv2DTranspose DepthwiseConv2D SeparableConv2D ZeroPadding1D "
    "ZeroPadding2D Cropping1D Cropping2D UpSampling1D UpSampling2D MaxPooling1D MaxPooling2D AveragePooling1D "
    "AveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D MaxPool1D "
    "MaxPool2D AvgPool1D AvgPool2D GlobalMaxPool1D GlobalMaxPool2D GlobalAvgPool1D GlobalAvgPool2D "
    "BatchNormalization LayerNormalization GroupNormalization ReLU LeakyReLU PReLU ELU Softmax GaussianNoise "
    "GaussianDropout AlphaDropout SpatialDropout1D SpatialDropout2D ActivityRegularization Add Subtract Multiply "
    "Average Maximum Minimum Concatenate Dot add subtract multiply average maximum minimum concatenate dot SimpleRNN "
    "LSTM GRU Bidirectional TimeDistributed Attention MultiHeadAttention Rescaling Resizing CenterCrop RandomCrop "
    "RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness",
    "layers.core": "Dense Dropout Activation Flatten Reshape Permute RepeatVector Masking",
    "layers.convolutional": "Conv1D Conv2D Convolution2D MaxPooling2D ZeroPadding2D UpSampling2D Cropping2D",
    "layers.pooling": "MaxPooling2D GlobalAveragePooling2D",
    "layers.normalization": "BatchNormalization",
    "layers.recurrent": "LSTM GRU SimpleRNN",
    "layers.embeddings": "Embedding",
    "layers.merge": "Add Concatenate add concatenate dot",
    "layers.noise": "GaussianNoise",
    "layers.advanced_activations": "LeakyReLU PReLU ELU Softmax",
    "layers.wrappers": "TimeDistributed Bidirectional",
    "losses": "get serialize deserialize Loss MeanSquaredError MeanAbsoluteError BinaryCrossentropy "
    "CategoricalCrossentropy SparseCategoricalCrossentropy KLDivergence Poisson Huber LogCosh CosineSimilarity Hinge "
    "SquaredHinge CategoricalHinge mse mae binary_crossentropy categorical_crossentropy "
    "sparse_categorical_crossentropy",
    "metrics": "get serialize deserialize Metric Mean Sum Accuracy BinaryAccuracy CategoricalAccuracy "
    "SparseCategoricalAccuracy TopKCategoricalAccuracy Precision Recall AUC F1Score MeanIoU mse mae",
    "models": "Model Sequential load_model save_model clone_model model_from_json",
    "optimizers": "get serialize deserialize Optimizer SGD RMSprop Adam AdamW Adagrad Adadelta Adamax Nadam Ftrl Lion "
    "Lamb schedules",
    "optimizers.legacy": "Optimizer SGD RMSprop Adam Adagrad Adadelta Adamax Nadam Ftrl",
    "optimizers.schedules": "LearningRateSchedule ExponentialDecay PiecewiseConstantDecay PolynomialDecay "
    "InverseTimeDecay CosineDecay CosineDecayRestarts",
    "regularizers": "get serialize deserialize Regularizer L1 L2 L1L2 l1 l2 l1_l2",
    "preprocessing.image": "ImageDataGenerator load_img img_to_array array_to_img save_img",
    "preprocessing.sequence": "pad_sequences",
    "preprocessing.text": "Tokenizer one_hot hashing_trick text_to_word_sequence tokenizer_from_json",
    "saving": "load_model save_model custom_object_scope get_custom_objects register_keras_serializable",
    "utils": "set_random_seed to_categorical normalize custom_object_scope get_custom_objects "
    "register_keras_serializable plot_model model_to_dot Sequence PyDataset get_file "
    "pad_sequences load_img img_to_array array_to_img save_img Progbar",
    "utils.generic_utils": "Progbar get_custom_objects CustomObjectScope custom_object_scope",
    "utils.np_utils": "to_categorical normalize",
    "utils.vis_utils": "plot_model model_to_dot",
}
METHODS = (
    "add pop compile fit evaluate predict train_on_batch test_on_batch predict_on_batch summary get_weights "
    "set_weights count_params fit_generator "
    "evaluate_generator predict_generator predict_classes predict_proba "
    "to_json save save_weights load_weights get_layer get_config from_config build"
)
FAMILIES = [
    (layers.LAYERS, [layers, models]),
    (activations.ACTIVATIONS, [activations]),
    (initializers.INITIALIZERS, [initializers]),
    (regularizers.REGULARIZERS, [regularizers]),
    (constraints.CONSTRAINTS, [constraints]),
    (losses.LOSSES, [losses]),
    (metrics.METRICS, [metrics]),
    (optimizers.OPTIMIZERS, [optimizers]),
    (optimizers.schedules.SCHEDULES, [optimizers.schedules]),
]
NEED_MORE = (
    "distnet.comm.mpi",
    *(
        f"distnet.kernels.{name}"
        for name in ("blocks", "compiling", "numba_kernels", "product_loops", "tile_loops", "tiles", "vector_code")
    ),
)
"""Modules of optional dependencies, or that join a job when imported."""
MODULES = [info.name for info in pkgutil.walk_packages(distnet.__path__, "distnet.") if info.name not in NEED_MORE]


@pytest.mark.parametrize("module", NAMES)
def test_keras_names_are_attributes_of_the_package(module):
    owner = distnet
    for part in filter(None, module.split(".")):
        owner = getattr(owner, part)
    assert [name for name in NAMES[module].split() if not hasattr(owner, name)] == []


@pytest.mark.parametrize("module", [name for name in NAMES if name])
def test_keras_modules_can_be_imported(module):
    found = importlib.import_module(f"distnet.{module}")
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


@pytest.mark.parametrize("method", METHODS.split())
def test_a_model_has_keras_methods(method):
    assert callable(getattr(models.Sequential, method))
    assert getattr(models.Sequential, method).__doc__


def test_a_keras_script_needs_no_other_change():
    script = (
        "from distnet import models, layers, optimizers, metrics\n"
        "from distnet.models import Sequential, load_model\n"
        "from distnet.layers import Dense, Dropout\n"
        "from distnet.optimizers import RMSprop\n"
        "from distnet.callbacks import EarlyStopping, ModelCheckpoint\n"
        "from distnet.utils import to_categorical\n"
        "from distnet.datasets import mnist\n"
        "import distnet as keras\n"
        "model = keras.models.Sequential([keras.layers.Dense(2, input_dim=3)])\n"
        "model.compile(optimizer=optimizers.RMSprop(lr=0.01), loss='mse', metrics=[metrics.MeanAbsoluteError()])\n"
        "assert keras.Sequential is Sequential\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(("registry", "modules"), FAMILIES, ids=lambda value: getattr(value, "kind", ""))
def test_every_registered_class_is_exported(registry, modules):
    assert isinstance(registry, Registry)
    exported = {id(getattr(module, name)) for module in modules for name in dir(module)}
    hidden = {"MeanMetricWrapper", "FunctionLoss", "LayerScale", "StochasticDepth", "CustomScaleLayer"}  # as in Keras
    hidden |= {"FeatureSpace", "Distiller"}  # which Keras has in utils and in distillation
    assert [name for name, cls in registry.classes().items() if id(cls) not in exported and name not in hidden] == []


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_and_has_what_it_lists(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported)


def test_the_version_is_the_projects():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert distnet.__version__ == project["version"]


def test_every_error_is_one_of_the_packages_and_of_pythons():
    from distnet import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds.remove(errors.Preempted)  # the program's end, not an error
    assert all(issubclass(kind, errors.DistnetError) for kind in kinds)
    leaves = {kind for kind in kinds if not kind.__subclasses__()}
    assert all(issubclass(kind, ValueError | RuntimeError | OSError | ImportError) for kind in leaves)
