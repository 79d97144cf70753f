"""General statistics on arrays: intervals, permutation, resampling, multiple testing, per-sample scores."""
