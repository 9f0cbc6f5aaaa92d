"""What does not belong into a model's file is refused by name, before it takes memory, time or code."""

import json
import os
import resource

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, models
from distnet.saving import rules

WEIGHTS = "model_weights/first/first/kernel:0"


@pytest.fixture
def path(tmp_path):
    """A file without a seal, as other programs write."""
    model = models.Sequential([layers.Input(shape=(2,)), layers.Dense(4, name="first"), layers.Dense(3)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+"):
        pass
    models.load_model(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def replaced(file, **options):
    del file[WEIGHTS]
    return file.create_dataset(WEIGHTS, **options)


def soft_link(file):
    del file[WEIGHTS]
    file[WEIGHTS] = h5py.SoftLink("/model_weights/first/first/bias:0")


def dangling_link(file):
    file["distnet/more"] = h5py.SoftLink("/nowhere")


def link_into_a_file(file):
    del file[WEIGHTS]
    file[WEIGHTS] = h5py.ExternalLink("/etc/passwd", "/")


def array_in_another_file(file):
    replaced(file, shape=(2, 4), dtype="f4", external=[("/etc/passwd", 0, 32)])


def virtual_array(file):
    del file[WEIGHTS]
    layout = h5py.VirtualLayout((2, 4), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (2, 4))
    file.create_virtual_dataset(WEIGHTS, layout)


def second_name(file):
    file["model_weights/first/first/again"] = file[WEIGHTS]


def cycle(file):
    file["model_weights/first/cycle"] = file["model_weights"]


def deep_groups(file):
    file.create_group("/".join("g" * 100))


def ten_terabytes(file):
    replaced(file, shape=(10**7, 10**6), dtype="u1")


def ten_terabytes_in_pieces(file):
    replaced(file, shape=(10**7, 10**6), dtype="u1", chunks=(1000, 1000), compression="gzip")


def zeros_that_grow(file):
    replaced(file, data=np.zeros(2**26 + 2**20, "u1"), chunks=(2**20,), compression="gzip")


def one_great_piece(file):
    replaced(file, shape=(2, 4), dtype="f4", maxshape=(None, None), chunks=(2**14, 2**14))


def unknown_filter(file):
    replaced(file, data=np.ones((2, 4), "i4"), chunks=(2, 4), scaleoffset=0)


def texts(file):
    replaced(file, data=np.array(["a", "b"], dtype=h5py.string_dtype()))


def complex_numbers(file):
    replaced(file, data=np.ones((2, 4), "c16"))


def records(file):
    replaced(file, data=np.ones(3, [("a", "f4"), ("b", "i4")]))


def references(file):
    replaced(file, data=np.array([file.ref], h5py.ref_dtype))


def rows_of_any_length(file):
    replaced(file, shape=(2,), dtype=h5py.vlen_dtype("f4"))


def reference_as_attribute(file):
    file.attrs["backend"] = file.ref


def many_small_pieces(file):
    replaced(file, shape=(2**22,), dtype="u1", chunks=(1,))


def list_names(file, names):
    file["model_weights/first"].attrs["weight_names"] = names


def one_name_twice(file):
    list_names(file, ["first/bias:0", "first/bias:0"])


def two_names_for_one_array(file):
    list_names(file, ["first/kernel:0", "first/./kernel:0"])


def one_array_in_two_places(file):
    text = b'{"epochs": [{"__array__": 0}, {"__array__": 0}], "history": {}}'
    del file["distnet/record/json"]
    file["distnet/record/json"] = np.frombuffer(text, "u1")
    file["distnet/record/0"] = np.zeros(3)


def datatype(file):
    file["model_weights/type"] = np.dtype("f8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (soft_link, f"/{WEIGHTS}: expected an object, found a soft link"),
        (dangling_link, "/distnet/more: expected an object, found a soft link"),
        (link_into_a_file, f"/{WEIGHTS}: expected an object, found a link into another file"),
        (array_in_another_file, f"/{WEIGHTS}: expected an array in this file, found one stored in another"),
        (virtual_array, f"/{WEIGHTS}: expected an array, found a virtual one"),
        (second_name, "is linked a second time"),
        (cycle, "is linked a second time"),
        (deep_groups, "expected at most 64 groups within each other"),
        (
            ten_terabytes,
            rf"/{WEIGHTS}: declares shape \(10000000, 1000000\), 40000000000000 bytes in memory, which .* cannot hold",
        ),
        (many_small_pieces, rf"/{WEIGHTS}: declares shape \(4194304,\) in 4194304 pieces of \(1,\), more than"),
        (one_name_twice, "weight_names of /model_weights/first lists 'first/bias:0' twice"),
        (two_names_for_one_array, "/model_weights/first gives one array several names"),
        (one_array_in_two_places, "/distnet/record is damaged: .*expected each array once"),
        (ten_terabytes_in_pieces, rf"/{WEIGHTS}: declares shape"),
        (zeros_that_grow, rf"/{WEIGHTS}: declares shape \(68157440,\)"),
        (one_great_piece, rf"/{WEIGHTS}: chunk: declares shape \(16384, 16384\)"),
        (unknown_filter, f"/{WEIGHTS}: expected gzip, lzf or no compression, found HDF5's filter 6"),
        (texts, f"/{WEIGHTS}: expected numbers, found object"),
        (complex_numbers, f"/{WEIGHTS}: expected numbers, found complex128"),
        (records, f"/{WEIGHTS}: expected numbers, found"),
        (references, f"/{WEIGHTS}: expected numbers, found object"),
        (rows_of_any_length, f"/{WEIGHTS}: expected numbers, found object"),
        (reference_as_attribute, "/: attribute backend: expected numbers or strings"),
        (datatype, "/model_weights/type: expected a group or an array, found a datatype"),
    ],
)
@pytest.mark.parametrize("seal", [False, True], ids=["unsealed", "sealed by an attacker"])
def test_what_does_not_belong_into_the_file_is_refused_by_name(path, change, message, seal):
    with h5py.File(path, "r+") as file:
        change(file)
    if seal:
        from distnet.saving.atomic import put

        put(path, memoryview(path.read_bytes()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(errors.CheckpointError, match=rf"model\.h5: .*{message}"):
        models.load_model(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**17  # KiB


def test_compressed_weights_are_read(path):
    with h5py.File(path, "r+") as file:
        weights = file[WEIGHTS][()]
        replaced(file, data=weights, chunks=(1, 4), compression="gzip", shuffle=True, fletcher32=True)
    np.testing.assert_array_equal(models.load_model(path).get_weights()[0], weights)


def test_hdf5_behind_something_else_is_refused(path):
    path.write_bytes(b"\0" * 512 + path.read_bytes())
    with pytest.raises(errors.CheckpointError, match=r"model\.h5"):
        models.load_model(path)


def edited(path, attribute, change):
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs[attribute])
        config = change(config) or config
        file.attrs[attribute] = config if isinstance(config, str) else json.dumps(config)


def layer(config, number=1):
    return config["config"]["layers"][number]


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


def doubled(depth):
    """A model that calls a model twice that calls a model twice ..."""
    name, found = "a", {"class_name": "Activation", "name": "a", "config": {"name": "a", "activation": "relu"}}
    for number in range(depth):
        first = int("layers" in found["config"])
        shape = {"name": "entry", "batch_input_shape": [None, 2]}
        entry = {"class_name": "InputLayer", "name": "entry", "config": shape, "inbound_nodes": []}
        found["inbound_nodes"] = [[["entry", 0, 0, {}]], [[name, first, 0, {}]]]
        ends = {"input_layers": [["entry", 0, 0]], "output_layers": [[name, first + 1, 0]]}
        name, inner = f"m{number}", found
        found = {"class_name": "Functional", "name": name, "config": {"name": name, "layers": [entry, inner], **ends}}
    return found


def many_layers(count):
    return {"class_name": "Sequential", "config": [{"class_name": "Flatten", "config": {}}] * count}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: layer(c)["config"].update(units=10**9),
            r"first/kernel: should have shape \(2, 1000000000\), but the file",
        ),
        (lambda c: layer(c)["config"].update(units=10**30), r"first/kernel: should have shape"),
        (lambda c: layer(c)["config"].update(units=-1), "units"),
        (lambda c: layer(c)["config"].update(units="4"), "units"),
        (lambda c: layer(c)["config"].update(units=float("nan")), "units"),
        (lambda c: layer(c)["config"].update(units=None), "units"),
        (lambda c: layer(c)["config"].update(name=5), "name must be a non-empty string"),
        (
            lambda c: layer(c)["config"].update(activation={"class_name": "__lambda__", "config": {"code": "x"}}),
            "holds code",
        ),
        (lambda c: layer(c).update(class_name="Lambda"), "attribute model_config: first is a Lambda, which holds code"),
        (lambda c: layer(c).update(class_name="os.system"), "unknown layer"),
        (lambda c: layer(c).update(class_name="Dense", config=[1]), "class_name"),
        (lambda c: c["config"].update(layers=5), "layers: expected a list, received 5"),
        (lambda c: c["config"]["layers"].append(layer(c)), "taken|two layers|different names"),
        (lambda c: nested(200), "nested deeper than 128 levels"),
        (lambda c: nested(200_000), "not JSON"),
        (lambda c: '{"a": 1e999999, "b": ' + "9" * 5000 + "}", "not JSON"),
        (lambda c: "[" + "[]," * 6_000_000 + "[]]", "expected at most 16777216"),
        (lambda c: "[]", "not a JSON object"),
        (lambda c: '{"a": [' + "[]," * 200_000 + "[]]}", "holds up to 400003 values; expected at most"),
        (
            lambda c: '{"class_name": "a", "class_name": "b"}',
            "not JSON: an object has the key 'class_name' more than once",
        ),
        (lambda c: doubled(30), "makes 16382 layer calls, including those within its models; expected at most 10000"),
        (lambda c: many_layers(10_001), "makes 10001 layer calls"),
        (lambda c: many_layers(50_001), "describes more than 50000 objects"),
    ],
)
def test_a_configuration_cannot_ask_for_memory_depth_or_code(path, change, message):
    edited(path, "model_config", change)
    with pytest.raises(errors.CheckpointError, match=rf"model\.h5.*({message})"):
        models.load_model(path)


def test_a_text_that_is_a_number_is_named(path):
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = 5
    with pytest.raises(errors.CheckpointError, match="attribute model_config: expected a text, found"):
        models.load_model(path)


def test_a_class_given_for_lambda_is_used(path):
    def change(config):
        layer(config).update(class_name="Lambda")

    edited(path, "model_config", change)
    models.load_model(path, custom_objects={"Lambda": keras.layers.Dense})


def test_a_file_of_many_thousand_groups_is_refused_before_all_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(rules, "_MOST_OBJECTS", 100)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        for number in range(101):
            file.create_group(str(number))
    with h5py.File(tmp_path / "m.h5") as file, pytest.raises(errors.CheckpointError, match="at most 100 groups"):
        rules.check(file, 10**6)


def test_a_pipe_and_a_folder_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ""):
        with pytest.raises(errors.CheckpointError, match="is no regular file"):
            models.load_model(tmp_path / name)


@pytest.mark.parametrize("scalars", ['{"iteration": "5"}', '{"other": 5}', "[]", '{"iteration": true}', "{"])
def test_an_optimizer_takes_only_numbers_that_it_knows(path, scalars):
    with h5py.File(path, "r+") as file:
        file["distnet/optimizer"].attrs["scalars"] = scalars
    with pytest.raises(errors.CheckpointError, match=r"model\.h5: the attribute scalars of /distnet/optimizer"):
        models.load_model(path)


def test_a_function_as_learning_rate_is_asked_for_by_its_name(tmp_path):
    def slow():
        return 0.01

    model = models.Sequential([layers.Input(shape=(2,)), layers.Dense(3)])
    model.compile(keras.optimizers.SGD(slow), "mse")
    model.save(tmp_path / "m.h5")
    with pytest.raises(
        errors.UnknownObjectError, match=r"m\.h5: unknown learning rate schedule 'slow'.*custom_objects"
    ):
        models.load_model(tmp_path / "m.h5")
    assert models.load_model(tmp_path / "m.h5", custom_objects={"slow": slow}).optimizer.learning_rate == 0.01


def test_a_long_chain_of_layers_in_reverse_order_is_called_from_its_beginning(path):
    def reversed_chain(count):
        names = ["entry", *(f"a{i}" for i in range(count))]
        calls = [
            {
                "class_name": "Activation",
                "name": name,
                "config": {"name": name},
                "inbound_nodes": [[[before, 0, 0, {}]]],
            }
            for before, name in zip(names, names[1:], strict=False)
        ]
        shape = {"name": "entry", "batch_input_shape": [None, 2]}
        entry = {"class_name": "InputLayer", "name": "entry", "config": shape, "inbound_nodes": []}
        ends = {"input_layers": [["entry", 0, 0]], "output_layers": [[names[-1], 0, 0]]}
        return {"class_name": "Functional", "config": {"name": "m", "layers": [*calls[::-1], entry], **ends}}

    model = models.model_from_json(json.dumps(reversed_chain(300)))
    np.testing.assert_array_equal(model.predict(np.ones((1, 2)), verbose=0), np.ones((1, 2)))
