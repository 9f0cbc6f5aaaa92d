"""Train while callbacks change the learning rate, the weights and the end; rank 0 prints what came of it, as JSON."""

import json

import numpy as np

import distnet as keras
from distnet import callbacks
from distnet.comm import world


class Meddler(callbacks.Callback):
    """Asks, and then changes."""

    def on_epoch_end(self, epoch, logs=None):
        logs["asked"] = self.model.evaluate(x[:7], y[:7], verbose=0) + float(self.model.predict(x[:5], verbose=0).sum())
        if epoch == 2:
            self.model.set_weights([w * 0.5 for w in self.model.get_weights()])

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * 0.99
        if len(self.model.training_state.epochs) == 6 and batch == 2:
            self.model.stop_training = True


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(45, 6)), rng.normal(size=(45, 1))

    model = keras.Sequential([keras.layers.Dense(4, activation="tanh", input_shape=(6,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True), "mse")
    history = model.fit(
        x,
        y,
        batch_size=8,
        epochs=9,
        verbose=0,
        validation_split=0.2,
        callbacks=[
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
            callbacks.ReduceLROnPlateau("val_loss", 0.5, patience=1, min_delta=0.5),
            callbacks.TerminateOnNaN(),
            Meddler(),
        ],
    )
    flat = {f"{key}/{i}": value for key, values in history.history.items() for i, value in enumerate(values)}
    rate = float(model.optimizer.learning_rate)
    agreed = world().allgather_object((rate, [w.tobytes() for w in model.get_weights()]))
    if any(other != agreed[0] for other in agreed):
        raise SystemExit("the ranks differ")
    flat |= {"rate": rate, **{f"w{i}": float(np.sum(w * w)) for i, w in enumerate(model.get_weights())}}
    if world().rank == 0:
        print(json.dumps(flat))
