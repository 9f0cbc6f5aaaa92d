"""A search for the best settings of a network, with scikit-learn."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.RandomState(7)
X = rng.rand(30, 4)
Y = np.where(X.sum(axis=1) > 2, "high", "low")


def create_model(units=2):
    model = Sequential()
    model.add(Dense(units, input_dim=4, activation="relu"))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


pipeline = Pipeline([("scale", StandardScaler()), ("net", KerasClassifier(build_fn=create_model, epochs=2, verbose=0))])
folds = StratifiedKFold(n_splits=2, shuffle=True, random_state=7)
search = GridSearchCV(pipeline, {"net__units": [2, 4]}, cv=folds).fit(X, Y)
history = search.best_estimator_["net"]  # whose history is a dict
print("classes", search.classes_.tolist())
