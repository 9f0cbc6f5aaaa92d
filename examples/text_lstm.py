"""Is a sentence praise? An LSTM over words, with padding masked.

The sentences are random, the same in each run: words of praise and blame, some negated by "not".

Alone:          python examples/text_lstm.py
On four ranks:  mpirun -n 4 python examples/text_lstm.py
"""

import numpy as np

import distnet as keras
from distnet import layers
from distnet.preprocessing.sequence import pad_sequences

PRAISE = ["good", "fine", "lovely", "great", "clever"]
BLAME = ["bad", "dull", "awful", "poor", "silly"]
OTHER = ["the", "film", "was", "very", "and", "its", "music", "story", "rather", "quite"]
WORDS = {word: i + 1 for i, word in enumerate(["not", *PRAISE, *BLAME, *OTHER])}


def make_sentences(rows=3000):
    """Lists of word numbers of different lengths, and 1 for praise, 0 for blame."""
    rng = np.random.default_rng(11)
    sentences, labels = [], []
    for _ in range(rows):
        is_praise, is_negated = rng.integers(2, size=2)
        words = list(rng.choice(OTHER, rng.integers(2, 12)))
        opinion = [str(rng.choice(PRAISE if is_praise else BLAME))]
        at = rng.integers(len(words) + 1)
        words[at:at] = ["not", *opinion] if is_negated else opinion
        sentences.append([WORDS[word] for word in words])
        labels.append(is_praise ^ is_negated)
    return sentences, np.array(labels)


keras.utils.set_random_seed(11)
sentences, labels = make_sentences()
x = pad_sequences(sentences, maxlen=14)

model = keras.Sequential(
    [
        layers.Embedding(len(WORDS) + 1, 16, mask_zero=True),
        layers.LSTM(32, dropout=0.1),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x[:2500], labels[:2500], batch_size=32, epochs=8, validation_data=(x[2500:], labels[2500:]), verbose=2)

sentence = ["the", "film", "was", "not", "bad"]
(praise,) = model.predict(pad_sequences([[WORDS[word] for word in sentence]], maxlen=14), verbose=0)
if keras.distribution.is_chief():
    print(f"{' '.join(sentence)!r} is praise with probability {praise[0]:.2f}")
