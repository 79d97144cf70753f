"""Many runs: seeds, cells and what they say together."""
