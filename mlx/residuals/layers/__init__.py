"""The results of one layer, put together."""
