"""What Keras 2's module ``keras.preprocessing.text`` does with some texts, as JSON."""

import json

TEXTS = [
    "The film was good, very good!",
    "The music: bad.",
    ["A", "List", "of", "Words", "a"],
    "film   film music\tthe",
    "",
]
OPTIONS = [
    {},
    {"num_words": 4},
    {"num_words": 5, "oov_token": "<x>"},
    {"char_level": True, "num_words": 9},
    {"lower": False, "filters": "!"},
]


def results(text):
    """One result for each of the options, and the functions'."""
    found = [tokenized(text, options) for options in OPTIONS]
    functions = [text.hashing_trick("the film was good", 50, "md5"), text.text_to_word_sequence("A b-c, D?")]
    return json.loads(json.dumps([*found, *functions]))


def tokenized(text, options):
    tokenizer = text.Tokenizer(**options)
    tokenizer.fit_on_texts(TEXTS[:3])
    tokenizer.fit_on_texts(TEXTS[3:])
    sequences = tokenizer.texts_to_sequences([*TEXTS, "unknown words of music"])
    config = json.loads(tokenizer.to_json())["config"]
    return {
        "word_index": tokenizer.word_index,
        "sequences": sequences,
        "texts": tokenizer.sequences_to_texts(sequences),
        "matrices": {mode: tokenizer.texts_to_matrix(TEXTS[:4], mode=mode).tolist() for mode in MODES},
        "config": {name: json.loads(value) if name in COUNTED else value for name, value in config.items()},
        "again": text.tokenizer_from_json(tokenizer.to_json()).texts_to_sequences(TEXTS),
    }


MODES = ("binary", "count", "freq", "tfidf")
COUNTED = ("word_counts", "word_docs", "index_docs", "word_index", "index_word")
