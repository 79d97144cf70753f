"""What recorded outputs of a model that is not here are called."""

RECORDED = "recorded"
"""The name of the dataset and of the model that are read from a folder of recorded arrays."""

RECORDED_ARRAYS = "recorded arrays"
"""The model in ``representations.json`` of outputs that were not computed here."""
