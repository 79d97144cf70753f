"""The commands of `mlx`, one module each: its flags, and a call of the function that does the work.

These modules import nothing heavy at the top, as ``mlx --help`` imports them all.
"""
