"""A training that one rank ends in one of many ways: ways_to_end.py WAY RANK STEP FOLDER; run by ``kill_trials.py``."""

import ctypes
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading


def raise_in_child(number):
    raise ValueError(f"boom {number}")


def out_of_memory():
    import numpy as np

    with open("/proc/self/statm", encoding="ascii") as status:
        used = int(status.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 26), used + (1 << 26)))
    np.ones(1 << 28)


def boom():
    raise ValueError("boom")


def in_child():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.map(raise_in_child, [1])


CALLED_OFTEN = ("evaluate", "predict", "train_on_batch")
"""What is called over and over in the place of ``fit``, with the trap in a layer."""
ENDS = {
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGSTOP": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "SIGSEGV": lambda: ctypes.string_at(0),
    "sys.exit": lambda: sys.exit(3),
    "sys.exit(0)": lambda: sys.exit(0),
    "os._exit(0)": lambda: os._exit(0),
    "MemoryError": out_of_memory,
    "child": in_child,
    "subprocess": lambda: subprocess.run([sys.executable, "-c", "raise ValueError('boom')"], check=True),
    "thread dies": lambda: threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGKILL)).start(),
}


def main(way, rank, step, folder):
    place, _, how = way.partition(":")
    end = ENDS.get(how, boom)
    is_it = os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == rank
    if place == "before" and is_it:
        end()
    import numpy as np

    import distnet as keras

    if place == "after" and is_it:
        end()

    def trap_at(here):
        """What ends the rank in its step here; what only rank 0 calls has a count that no other code reads."""
        is_here = here == ("layer" if place in (*CALLED_OFTEN, "thread") else place)
        steps = {"count": 0}

        def trap():
            # All ranks count, and are told apart by no value that layers and losses read: those are compared.
            steps["count"] += is_here
            if is_here and steps["count"] == int(step) and keras.distribution.rank() == int(rank):
                end()

        return trap

    in_layer, in_loss, in_metric, in_callback, in_data = map(trap_at, ("layer", "loss", "metric", "callback", "data"))
    in_validation, in_saving = map(trap_at, ("validation", "saving"))

    class Trap(keras.layers.Layer):
        def call(self, x, training=None):
            in_layer()
            if not training:
                in_validation()
            return x

        def get_config(self):
            in_saving()
            return super().get_config()

    class TrapCallback(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            in_callback()

    def loss(y_true, y_pred):
        in_loss()
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    def metric(y_true, y_pred):
        in_metric()
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    def batches():
        in_generator = trap_at("generator")
        while True:
            in_generator()
            yield np.ones((12, 4)), np.ones((12, 1))

    class Batches(keras.utils.Sequence):
        def __len__(self):
            return 10

        def __getitem__(self, i):
            in_data()
            return np.ones((12, 4)), np.ones((12, 1))

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(8, input_shape=(4,)), Trap(), keras.layers.Dense(1)])
    model.compile("adam", loss, metrics=[metric], run_eagerly=True)
    callbacks = [TrapCallback(), keras.callbacks.BackupAndRestore(folder, save_freq=3)]

    def fit():
        source = Batches() if place == "data" else batches()
        validated = {"validation_data": (np.ones((12, 4)), np.ones((12, 1)))} if place == "validation" else {}
        model.fit(source, epochs=40, steps_per_epoch=10, verbose=0, callbacks=callbacks, **validated)

    def call_often():
        rows = (np.ones((12, 4)),) if place == "predict" else (np.ones((12, 4)), np.ones((12, 1)))
        options = {} if place == "train_on_batch" else {"verbose": 0}
        for _ in range(400):
            getattr(model, place)(*rows, **options)

    if place == "thread":
        thread = threading.Thread(target=fit)
        thread.start()
        thread.join()
    elif place in CALLED_OFTEN:
        call_often()
    else:
        fit()
    print("trained to its end", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
