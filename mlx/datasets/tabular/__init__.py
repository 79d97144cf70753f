"""Generated tables: clusters, curves, mixtures with a known law, and a linear target."""
