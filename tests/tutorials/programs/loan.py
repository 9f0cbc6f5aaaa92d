"""Will a loan be paid back? A table prepared with pandas and scikit-learn, a history drawn with matplotlib."""

import keras
import matplotlib
import numpy as np
import pandas as pd
from keras import layers
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

matplotlib.use("Agg")
import matplotlib.pyplot as plt

rng = np.random.RandomState(3)
df = pd.DataFrame(
    {
        "loan_amnt": rng.lognormal(9.5, 0.6, 1000),
        "annual_inc": rng.lognormal(10.5, 0.5, 1000),
        "term": rng.choice(["36 months", "60 months"], 1000),
        "purpose": rng.choice(["car", "house", "education"], 1000),
    }
)
burden = df["loan_amnt"] / df["annual_inc"] + 0.3 * (df["purpose"] == "car")
df["loan_repaid"] = (burden + rng.normal(0, 0.2, 1000) < 0.6).astype(int)

X = pd.get_dummies(df.drop("loan_repaid", axis=1), dtype=float).values
y = df["loan_repaid"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.20, random_state=101)
scaler = MinMaxScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)

model = keras.Sequential(
    [
        layers.Dense(78, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(39, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(units=1, activation="sigmoid"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
best = keras.callbacks.ModelCheckpoint("best.h5", monitor="val_loss", save_best_only=True)
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5)
history = model.fit(
    x=X_train, y=y_train, epochs=15, batch_size=64, validation_split=0.2, verbose=2, callbacks=[best, stop]
)

plt.plot(history.history["accuracy"])
plt.plot(history.history["val_accuracy"])
plt.title("model accuracy")
plt.legend(["train", "validation"], loc="upper left")
plt.savefig("accuracy.png")
pd.DataFrame(history.history)[["loss", "val_loss"]].plot()
plt.savefig("loss.png")

best_model = keras.models.load_model("best.h5")
predictions = (best_model.predict(X_test) > 0.5).astype("int32")
print("accuracy", accuracy_score(y_test, predictions))
loss, accuracy = best_model.evaluate(X_test, y_test, verbose=0)
assert abs(accuracy - accuracy_score(y_test, predictions)) < 1e-6
