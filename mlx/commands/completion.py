"""`mlx completion`: the completion script of a shell."""

import argparse

NAME = "completion"
HELP = "print the completion script of a shell"
SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("shell", choices=SHELLS, help='bash: put  eval "$(mlx completion bash)"  into ~/.bashrc')


def run(chosen: argparse.Namespace) -> str:
    """Return the script."""
    import shtab

    return str(shtab.complete(chosen.parser, shell=chosen.shell))
