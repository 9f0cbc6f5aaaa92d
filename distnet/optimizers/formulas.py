"""The optimizers' update rules, each written once: NumPy runs it on arrays, numba as the body of one loop.

A formula takes ``(w, g, *slots, *scalars)`` and returns ``(w, *slots)``: weight, gradient, state, and numbers of the
dtype of the weights. It holds nothing but arithmetic and NumPy ufuncs, and calls no other function. It holds no
literals either: to numba a literal is an int64 or a float64, and ``1 - rho`` would turn a float32 loop into a float64
one (measured: 3 times slower, and rounded otherwise). Such constants come in as scalars, computed in float64.

The kernels take any such function, so a new optimizer may also bring its formula along in its own file.

The equations follow Keras 3; each is stated in the docstring of its optimizer.
"""

from __future__ import annotations

import numpy as np

from distnet.types import Array

Value = Array
Values = tuple[Array, ...]


def weight_decay(w: Value, g: Value, decay: Value, lr: Value) -> Values:
    """Decoupled weight decay."""
    return (w - w * decay * lr,)


def moving_average(average: Value, w: Value, momentum: Value, rest: Value) -> Values:
    """Exponential moving average of the weights; ``rest`` is ``1 - momentum``."""
    return (momentum * average + rest * w,)


def sgd(w: Value, g: Value, lr: Value) -> Values:
    """Gradient descent."""
    return (w - lr * g,)


def sgd_momentum(w: Value, g: Value, m: Value, lr: Value, momentum: Value) -> Values:
    """Gradient descent with a heavy ball."""
    m = momentum * m - lr * g
    return w + m, m


def sgd_nesterov(w: Value, g: Value, m: Value, lr: Value, momentum: Value) -> Values:
    """Gradient descent with Nesterov's momentum."""
    m = momentum * m - lr * g
    return w + (momentum * m - lr * g), m


def rmsprop(w: Value, g: Value, v: Value, lr: Value, rho: Value, rest: Value, inside: Value, outside: Value) -> Values:
    """RMSprop; ``rest`` is ``1 - rho``, ``inside`` and ``outside`` keep the root and the divisor from 0."""
    v = rho * v + rest * (g * g)
    return w - lr * g / (np.sqrt(v + inside) + outside), v


def rmsprop_momentum(
    w: Value,
    g: Value,
    v: Value,
    m: Value,
    lr: Value,
    rho: Value,
    rest: Value,
    inside: Value,
    outside: Value,
    momentum: Value,
) -> Values:
    """RMSprop with momentum."""
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * g / (np.sqrt(v + inside) + outside)
    return w - m, v, m


def rmsprop_centered(
    w: Value, g: Value, v: Value, a: Value, lr: Value, rho: Value, rest: Value, inside: Value, outside: Value
) -> Values:
    """RMSprop scaled by the variance of the gradient."""
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    return w - lr * g / (np.sqrt(v - a * a + inside) + outside), v, a


def rmsprop_momentum_centered(
    w: Value,
    g: Value,
    v: Value,
    m: Value,
    a: Value,
    lr: Value,
    rho: Value,
    rest: Value,
    inside: Value,
    outside: Value,
    momentum: Value,
) -> Values:
    """RMSprop with both."""
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * g / (np.sqrt(v - a * a + inside) + outside)
    return w - m, v, m, a


def adam(w: Value, g: Value, m: Value, v: Value, alpha: Value, rest_1: Value, rest_2: Value, epsilon: Value) -> Values:
    """Adam; ``rest_i`` is ``1 - beta_i``, ``alpha`` the learning rate corrected for the bias of m and v."""
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    return w - m * alpha / (np.sqrt(v) + epsilon), m, v


def adam_amsgrad(
    w: Value, g: Value, m: Value, v: Value, v_hat: Value, alpha: Value, rest_1: Value, rest_2: Value, epsilon: Value
) -> Values:
    """Adam scaled by the largest second moment so far."""
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    v_hat = np.maximum(v_hat, v)
    return w - m * alpha / (np.sqrt(v_hat) + epsilon), m, v, v_hat


def adagrad(w: Value, g: Value, a: Value, lr: Value, inside: Value, outside: Value) -> Values:
    """Adagrad; ``inside`` and ``outside`` keep the root and the divisor from 0."""
    a = a + g * g
    return w - lr * g / (np.sqrt(a + inside) + outside), a


def adadelta(w: Value, g: Value, a: Value, x: Value, lr: Value, rho: Value, rest: Value, epsilon: Value) -> Values:
    """Adadelta; ``rest`` is ``1 - rho``."""
    a = rho * a + rest * (g * g)
    delta = -(np.sqrt(x + epsilon) * g / np.sqrt(a + epsilon))
    x = rho * x + rest * (delta * delta)
    return w + lr * delta, a, x


def adamax(
    w: Value, g: Value, m: Value, u: Value, lr: Value, rest_1: Value, beta_2: Value, bias: Value, epsilon: Value
) -> Values:
    """Adamax; ``bias`` is ``1 - beta_1^t``."""
    m = m + (g - m) * rest_1
    u = np.maximum(beta_2 * u, np.abs(g))
    return w - lr * m / (bias * (u + epsilon)), m, u


def nadam(
    w: Value,
    g: Value,
    m: Value,
    v: Value,
    lr: Value,
    rest_1: Value,
    rest_2: Value,
    m_share: Value,
    g_share: Value,
    bias: Value,
    epsilon: Value,
) -> Values:
    """Nadam; ``m_share`` and ``g_share`` weigh momentum and gradient, ``bias`` is ``1 - beta_2^t``."""
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    return w - (m_share * m + g_share * g) * lr / (np.sqrt(v / bias) + epsilon), m, v


def ftrl(
    w: Value, g: Value, n: Value, z: Value, lr: Value, power: Value, l1: Value, l2: Value, shrinkage: Value
) -> Values:
    """FTRL-proximal; ``power`` is minus Keras's ``learning_rate_power``, ``l2`` and ``shrinkage`` are doubled."""
    rate = np.power(n, power)
    n = n + g * g
    new_rate = np.power(n, power)
    z = z + (g + shrinkage * w - (new_rate - rate) / lr * w)
    return (np.minimum(np.maximum(z, -l1), l1) - z) / (new_rate / lr + l2), n, z


def ftrl_square_root(
    w: Value, g: Value, n: Value, z: Value, lr: Value, l1: Value, l2: Value, shrinkage: Value
) -> Values:
    """FTRL-proximal at the usual power of 1/2: a root is 25 times faster than a power in a compiled loop."""
    rate = np.sqrt(n)
    n = n + g * g
    new_rate = np.sqrt(n)
    z = z + (g + shrinkage * w - (new_rate - rate) / lr * w)
    return (np.minimum(np.maximum(z, -l1), l1) - z) / (new_rate / lr + l2), n, z


def lion(w: Value, g: Value, m: Value, lr: Value, beta_1: Value, rest_1: Value, beta_2: Value, rest_2: Value) -> Values:
    """Lion; ``rest_i`` is ``1 - beta_i``."""
    return w - lr * np.sign(beta_1 * m + rest_1 * g), beta_2 * m + rest_2 * g


def schedule_free_adamw(
    w: Value,
    g: Value,
    z: Value,
    v: Value,
    lr: Value,
    beta_1: Value,
    rest_1: Value,
    rest_2: Value,
    bias_2: Value,
    epsilon: Value,
    share: Value,
    rest_share: Value,
) -> Values:
    """Schedule-free AdamW; ``rest_i`` is ``1 - beta_i``, ``bias_2`` is ``1 - beta_2^t``, ``share`` is ``1 / t``."""
    x = (w - rest_1 * z) / beta_1
    v = v + (g * g - v) * rest_2
    z = z - lr * g / (np.sqrt(v / bias_2) + epsilon)
    return rest_1 * z + beta_1 * (rest_share * x + share * z), z, v


def lamb_direction(
    r: Value,
    g: Value,
    m: Value,
    v: Value,
    rest_1: Value,
    rest_2: Value,
    bias_1: Value,
    bias_2: Value,
    epsilon: Value,
) -> Values:
    """The step of Lamb before it is scaled layer by layer; ``bias_i`` is ``1 - beta_i^t``."""
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    return m / bias_1 / (np.sqrt(v / bias_2) + epsilon), m, v
