"""fit, evaluate and predict: the loops that a model hands itself to."""
