"""The commands of `mlx`, one module each: its flags, and a call of what does the work.

A module here imports nothing heavy at its top, as ``mlx --help`` imports them all.
"""
