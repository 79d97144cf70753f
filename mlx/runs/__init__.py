"""What is done with runs: history, comparison, rescoring, dry runs, and the analysis of recorded arrays."""
