"""A first network on a table with a diagnosis in its last column, saved as JSON and weights, and as a whole."""

from keras.layers import Dense
from keras.models import Sequential, load_model, model_from_json
from numpy import loadtxt

dataset = loadtxt("pima-indians-diabetes.csv", delimiter=",")
X = dataset[:, 0:8]
y = dataset[:, 8]

model = Sequential()
model.add(Dense(12, input_shape=(8,), kernel_initializer="uniform", activation="relu"))
model.add(Dense(8, kernel_initializer="uniform", activation="relu"))
model.add(Dense(1, kernel_initializer="uniform", activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])

history = model.fit(X, y, epochs=20, batch_size=10, validation_split=0.33, verbose=0)
scores = model.evaluate(X, y, verbose=0)
print("accuracy: %.2f%%" % (scores[1] * 100))

predictions = (model.predict(X) > 0.5).astype(int)
for i in range(5):
    print("%s => %d (expected %d)" % (X[i].tolist(), predictions[i, 0], y[i]))

model_json = model.to_json()
with open("model.json", "w") as json_file:
    json_file.write(model_json)
model.save_weights("model.weights.h5")

with open("model.json") as json_file:
    loaded_model = model_from_json(json_file.read())
loaded_model.load_weights("model.weights.h5")
loaded_model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
score = loaded_model.evaluate(X, y, verbose=0)
assert score == scores, (score, scores)

model.save("model.h5")
again = load_model("model.h5")
again.summary()
assert again.evaluate(X, y, verbose=0)[1] == scores[1]
