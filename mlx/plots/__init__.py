"""Pictures and the report page: arrays and tables in, Axes, Figures, PNG bytes and HTML out."""
