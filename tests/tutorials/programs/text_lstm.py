"""Praise or blame? Sentences made into numbers by a Tokenizer, padded, and read by an LSTM."""

import numpy as np
from keras.callbacks import EarlyStopping
from keras.layers import LSTM, Dense, Embedding, SpatialDropout1D
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

rng = np.random.RandomState(11)
GOOD, BAD = ["good", "lovely", "great"], ["bad", "dull", "awful"]
OTHER = ["the", "film", "was", "very", "and", "its", "music", "story"]
texts, labels = [], []
for _ in range(400):
    label = rng.randint(2)
    words = list(rng.choice(OTHER, rng.randint(2, 9)))
    words.insert(rng.randint(len(words)), rng.choice(GOOD if label else BAD))
    texts.append(" ".join(words).capitalize() + "!")
    labels.append(label)

tokenizer = Tokenizer(num_words=50, oov_token="<unknown>")
tokenizer.fit_on_texts(texts)
X = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=10)
Y = np.array(labels)
print("Found %s unique tokens." % len(tokenizer.word_index))

model = Sequential()
model.add(Embedding(50, 16, mask_zero=True))
model.add(SpatialDropout1D(0.2))
model.add(LSTM(16, dropout=0.2, recurrent_dropout=0.2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
stop = EarlyStopping(monitor="val_loss", patience=3, min_delta=0.0001)
history = model.fit(X, Y, epochs=5, batch_size=64, validation_split=0.1, callbacks=[stop])

new = pad_sequences(tokenizer.texts_to_sequences(["The music was lovely", "A dull film"]), maxlen=10)
praise = model.predict(new)
print("The music was lovely: %.2f; a dull film: %.2f" % (praise[0, 0], praise[1, 0]))
