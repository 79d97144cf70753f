"""Which predictions are wrong: error detection, risk and coverage, factors, weak slices, temperatures."""
