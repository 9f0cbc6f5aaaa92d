"""Programs of Keras's guides with steps, loops and optimizers of their authors'."""

from programs_of_layers import Linear
from users_setting import EPOCHS, LABELS, RATE, SIZE, X, Y, keras, layers, ops, trained

from users_optimizers import Falling, Trusting


class Sampling(layers.Layer):
    """Draws z by the mean and the log of the variance."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


def encoder_and_decoder():
    entry = keras.Input((6,))
    x = layers.Dense(5, activation="relu")(entry)
    z_mean, z_log_var = layers.Dense(2, name="z_mean")(x), layers.Dense(2, name="z_log_var")(x)
    encoder = keras.Model(entry, [z_mean, z_log_var, Sampling()([z_mean, z_log_var])], name="encoder")
    latent = keras.Input((2,))
    return encoder, keras.Model(latent, layers.Dense(6)(layers.Dense(5, activation="relu")(latent)), name="decoder")


class VAE(keras.Model):
    """The variational autoencoder of the guide, with a step of its own."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.total_loss_tracker = keras.metrics.Mean(name="total_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.total_loss_tracker, self.kl_loss_tracker]

    def train_step(self, data):
        with keras.GradientTape() as tape:
            z_mean, z_log_var, z = self.encoder(data)
            reconstruction = self.decoder(z)
            reconstruction_loss = ops.mean(ops.sum(ops.square(data - reconstruction), axis=-1))
            kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
            kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
            total_loss = reconstruction_loss + kl_loss
        grads = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        self.total_loss_tracker.update_state(total_loss)
        self.kl_loss_tracker.update_state(kl_loss)
        return {"loss": self.total_loss_tracker.result(), "kl_loss": self.kl_loss_tracker.result()}


def variational_autoencoder():
    model = VAE(*encoder_and_decoder())
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    history = trained(model, X)
    return [*history["loss"], *history["kl_loss"]], model


class AddingVAE(keras.Model):
    """The same by ``add_loss``."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = encoder_and_decoder()

    def call(self, inputs):
        z_mean, z_log_var, z = self.encoder(inputs)
        kl_loss = -0.5 * ops.mean(z_log_var - ops.square(z_mean) - ops.exp(z_log_var) + 1)
        self.add_loss(kl_loss)
        return self.decoder(z)


def variational_autoencoder_by_add_loss():
    model = AddingVAE()
    model.compile(optimizer="adam", loss=keras.losses.MeanSquaredError())
    return trained(model, X, X)["loss"], model


class GAN(keras.Model):
    """The generative adversarial network of the guide, with two optimizers."""

    def __init__(self, discriminator, generator, latent_dim):
        super().__init__()
        self.discriminator, self.generator, self.latent_dim = discriminator, generator, latent_dim
        self.seed_generator = keras.random.SeedGenerator(7)

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss_metric, self.g_loss_metric]

    def train_step(self, real):
        batch_size = ops.shape(real)[0]
        latent = keras.random.normal(shape=(batch_size, self.latent_dim), seed=self.seed_generator)
        generated = self.generator(latent)
        combined = ops.concatenate([generated, real], axis=0)
        labels = ops.concatenate([ops.ones((batch_size, 1)), ops.zeros((batch_size, 1))], axis=0)
        with keras.GradientTape() as tape:
            predictions = self.discriminator(combined)
            d_loss = self.loss_fn(labels, predictions)
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))
        latent = keras.random.normal(shape=(batch_size, self.latent_dim), seed=self.seed_generator)
        misleading = ops.zeros((batch_size, 1))
        with keras.GradientTape() as tape:
            predictions = self.discriminator(self.generator(latent))
            g_loss = self.loss_fn(misleading, predictions)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))
        self.d_loss_metric.update_state(d_loss)
        self.g_loss_metric.update_state(g_loss)
        return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}


def generative_adversarial_network():
    discriminator = keras.Sequential([keras.Input((6,)), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(1)])
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(6)])
    model = GAN(discriminator, generator, 3)
    model.compile(
        keras.optimizers.Adam(0.003), keras.optimizers.Adam(0.002), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    history = trained(model, X)
    return [*history["d_loss"], *history["g_loss"]], model


class WGAN(keras.Model):
    """Wasserstein GAN with gradient penalty, as in the example."""

    def __init__(self, discriminator, generator, latent_dim, steps=2, weight=10.0):
        super().__init__()
        self.discriminator, self.generator, self.latent_dim = discriminator, generator, latent_dim
        self.d_steps, self.gp_weight = steps, weight
        self.seeds = keras.random.SeedGenerator(5)

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def gradient_penalty(self, batch_size, real, fake):
        alpha = keras.random.uniform((batch_size, 1), 0.0, 1.0, seed=self.seeds)
        interpolated = real + alpha * (fake - real)
        with keras.GradientTape() as gp_tape:
            gp_tape.watch(interpolated)
            pred = self.discriminator(interpolated, training=True)
        grads = gp_tape.gradient(pred, [interpolated])[0]
        norm = ops.sqrt(ops.sum(ops.square(grads), axis=1))
        return ops.mean((norm - 1.0) ** 2)

    def train_step(self, real):
        if isinstance(real, tuple):
            real = real[0]
        batch_size = ops.shape(real)[0]
        for _ in range(self.d_steps):
            latent = keras.random.normal((batch_size, self.latent_dim), seed=self.seeds)
            with keras.GradientTape() as tape:
                fake = self.generator(latent, training=True)
                fake_logits = self.discriminator(fake, training=True)
                real_logits = self.discriminator(real, training=True)
                d_cost = ops.mean(fake_logits) - ops.mean(real_logits)
                d_loss = d_cost + self.gradient_penalty(batch_size, real, fake) * self.gp_weight
            d_gradient = tape.gradient(d_loss, self.discriminator.trainable_variables)
            self.d_optimizer.apply_gradients(zip(d_gradient, self.discriminator.trainable_variables, strict=True))
        latent = keras.random.normal((batch_size, self.latent_dim), seed=self.seeds)
        with keras.GradientTape() as tape:
            g_loss = -ops.mean(self.discriminator(self.generator(latent, training=True), training=True))
        gen_gradient = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(gen_gradient, self.generator.trainable_variables, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}


def wasserstein_gan():
    discriminator = keras.Sequential([keras.Input((6,)), Linear(8, "tanh"), Linear(1)])
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(8, activation="relu"), layers.Dense(6)])
    model = WGAN(discriminator, generator, 3)
    model.compile(keras.optimizers.Adam(0.003), keras.optimizers.Adam(0.002))
    history = trained(model, X)
    return [*history["d_loss"], *history["g_loss"]], model


def training_loop():
    entry = keras.Input((6,))
    x = layers.Dropout(RATE)(layers.Dense(8, activation="relu", kernel_regularizer="l2")(entry))
    model = keras.Model(entry, layers.Dense(3)(x))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9))
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    values = []
    for _ in range(EPOCHS):
        for start in range(0, len(X), SIZE):
            x, y = X[start : start + SIZE], LABELS[start : start + SIZE]
            with keras.GradientTape() as tape:
                logits = model(x, training=True)
                loss = loss_fn(y, logits) + sum(model.losses)
            gradients = tape.gradient(loss, model.trainable_weights)
            optimizer.apply(gradients, model.trainable_weights)
            accuracy.update_state(y, logits)
            values.append(float(loss))
        values.append(float(accuracy.result()))
        accuracy.reset_state()
    return values, model


class Distiller(keras.Model):
    """Knowledge distillation, as in the example."""

    def __init__(self, student, teacher):
        super().__init__()
        self.teacher, self.student = teacher, student

    def compile(self, optimizer, metrics, student_loss_fn, distillation_loss_fn, alpha=0.1, temperature=3):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss_fn, self.distillation_loss_fn = student_loss_fn, distillation_loss_fn
        self.alpha, self.temperature = alpha, temperature

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False, training=True):
        teacher_pred = self.teacher(x, training=False)
        student_loss = self.student_loss_fn(y, y_pred)
        distillation_loss = self.distillation_loss_fn(
            ops.softmax(teacher_pred / self.temperature, axis=1), ops.softmax(y_pred / self.temperature, axis=1)
        ) * (self.temperature**2)
        return self.alpha * student_loss + (1 - self.alpha) * distillation_loss

    def call(self, x):
        return self.student(x)


def distillation():
    teacher = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="tanh"), layers.Dense(3)])
    teacher.trainable = False
    student = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    model = Distiller(student, teacher)
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
        student_loss_fn=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        distillation_loss_fn=keras.losses.KLDivergence(),
    )
    history = trained(model, X, LABELS)
    return [*history["loss"], *history["sparse_categorical_accuracy"]], model


def distillation_of_features():
    """Keras's own Distiller, by logits and by a layer's outputs."""
    teacher = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, activation="tanh", name="features"), layers.Dense(3)]
    )
    student = keras.Sequential([keras.Input((6,)), layers.Dense(4, name="features"), layers.Dense(3)])
    of_logits = keras.distillation.LogitsDistillation(2.0, keras.losses.KLDivergence())
    of_features = keras.distillation.FeatureDistillation("mse", "features", "features")
    model = keras.distillation.Distiller(teacher, student, [of_logits, of_features], [1.0, 0.5], 0.4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
    history = trained(model, X, LABELS)
    told = ("loss", "student_loss", "distillation_loss", "total_loss", "sparse_categorical_accuracy")
    return [value for key in told for value in history[key]], model


class Contrastive(keras.Model):
    """SimCLR's loss, which couples the rows of a batch."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([keras.Input((3,)), layers.Dense(5, activation="tanh"), layers.Dense(4)])
        self.temperature = 0.5

    def contrastive_loss(self, a, b):
        a, b = ops.normalize(a, axis=1), ops.normalize(b, axis=1)
        similarities = ops.matmul(a, ops.transpose(b)) / self.temperature
        labels = ops.arange(ops.shape(a)[0])
        loss_1_2 = keras.losses.sparse_categorical_crossentropy(labels, similarities, from_logits=True)
        loss_2_1 = keras.losses.sparse_categorical_crossentropy(labels, ops.transpose(similarities), from_logits=True)
        return ops.mean(loss_1_2 + loss_2_1) / 2

    def train_step(self, data):
        with keras.GradientTape() as tape:
            loss = self.contrastive_loss(self.encoder(data[:, :3]), self.encoder(data[:, 3:]))
        gradients = tape.gradient(loss, self.encoder.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.encoder.trainable_weights, strict=True))
        return {"loss": loss}


def contrastive_learning():
    model = Contrastive()
    model.compile(optimizer="adam")
    return trained(model, X, batch_size=11)["loss"], model


def optimizer_of_ones_own():
    """So many weights that ranks share the sum."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1200, activation="tanh"), layers.Dense(2)])
    options = {"weight_decay": 0.02, "clipnorm": 1.0, "use_ema": True, "gradient_accumulation_steps": 2}
    model.compile(Trusting(Falling(0.01), ema_overwrite_frequency=3, **options), "mse")
    return trained(model, X, Y)["loss"], model
