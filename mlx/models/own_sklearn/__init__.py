"""Estimators of scikit-learn that a user makes: a classifier, a regressor or a pipeline."""
