"""Will a loan be paid back? A table of numbers and words, prepared with pandas and scikit-learn.

Needs ``pip install pandas scikit-learn``. The table is random, the same in each run.

Alone:          python examples/loan.py
On four ranks:  mpirun -n 4 python examples/loan.py
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import distnet as keras
from distnet.callbacks import EarlyStopping
from distnet.layers import Dense, Dropout
from distnet.models import Sequential


def make_table(rows=4000):
    """Applications for loans, and whether each was paid back."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "income": rng.lognormal(10.5, 0.5, rows),
            "amount": rng.lognormal(9.5, 0.6, rows),
            "years": rng.choice([1, 3, 5, 10], rows),
            "purpose": rng.choice(["car", "house", "education", "business"], rows),
            "owns_home": rng.choice(["yes", "no"], rows),
        }
    )
    burden = table["amount"] / table["income"] / np.sqrt(table["years"])
    risk = 2.5 * burden + 0.6 * (table["purpose"] == "business") - 0.5 * (table["owns_home"] == "yes")
    table["repaid"] = (risk + rng.normal(0, 0.3, rows) < 0.6).astype(int)
    return table


keras.utils.set_random_seed(3)
table = make_table()
x = pd.get_dummies(table.drop(columns="repaid"), columns=["purpose", "owns_home"], dtype=float)
y = table["repaid"]
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=3)
scaler = StandardScaler()
x_train, x_test = scaler.fit_transform(x_train), scaler.transform(x_test)

model = Sequential(
    [
        Dense(32, activation="relu", input_shape=(x_train.shape[1],)),
        Dropout(0.2),
        Dense(16, activation="relu"),
        Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.summary()
model.fit(
    x_train,
    y_train,
    epochs=20,
    batch_size=64,
    validation_split=0.2,
    verbose=2,
    callbacks=[EarlyStopping(patience=3, restore_best_weights=True)],
)

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
if keras.distribution.is_chief():
    print(f"Test loss {loss:.4f}, test accuracy {accuracy:.4f}")
