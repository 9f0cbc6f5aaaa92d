"""fit, evaluate and predict: the loops that train and run a model."""
