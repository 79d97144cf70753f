"""The steps, one module each: read artifacts, call the domain, write artifacts, say in a line what was done."""
