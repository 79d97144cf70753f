"""The `mlx` command: runs a subcommand, and prints errors as one message."""

import argparse
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from mlx import __version__
from mlx.commands import (
    analyze,
    check,
    compare,
    completion,
    demo,
    evaluate,
    issues,
    open_page,
    plan,
    report,
    run_experiment,
    runs,
    schema,
    show_data,
    study,
    watch,
)

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

COMMANDS: tuple[ModuleType, ...] = (
    demo,
    run_experiment,
    study,
    plan,
    evaluate,
    runs,
    compare,
    issues,
    check,
    report,
    open_page,
    analyze,
    show_data,
    watch,
    schema,
    completion,
)
"""Each has a NAME, a HELP, ``add_arguments(parser)`` and ``run(chosen)``, which returns the text to print."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command of `arguments`, by default those of the command line; exit with 1 on any error."""
    from mlx.core.console import answer, open_streams, warnings_as_lines
    from mlx.core.errors import MlxError
    from mlx.core.paths import expanded

    open_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for terminals that lack a character
    parser = build_parser()
    chosen, unknown = parser.parse_known_args(arguments)
    if unknown:
        chosen.own_parser.reject(unknown)
    if chosen.command is None:
        parser.print_help(sys.stderr)
        sys.exit(1)
    for name, value in vars(chosen).items():
        if isinstance(value, Path):  # a shell does not expand the ~ in --config=~/study.yaml
            setattr(chosen, name, expanded(value))
    try:
        with warnings_as_lines():
            answer(chosen.command(chosen))
    except MlxError as error:
        _end(str(error), debug=chosen.debug)
    except OSError as error:
        _end(f"{error.filename or 'mlx'}: {error.strerror or error}", debug=chosen.debug)
    except MemoryError as error:
        _end(
            f"not enough memory ({error}); close other programs, or take less data",
            debug=chosen.debug,
        )
    except KeyboardInterrupt:
        sys.exit(130)


def _end(message: str, *, debug: bool) -> NoReturn:
    """Exit with 1 and `message`, after the traceback of the current error if `debug`."""
    if debug:
        import traceback

        traceback.print_exc()
    sys.exit(message)


class _Parser(argparse.ArgumentParser):
    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        from mlx.core.console import answer

        if message and file is sys.stdout:
            try:
                answer(message.removesuffix("\n"))  # handles a closed pipe
            except OSError as error:
                self.exit(1, f"{error.filename}: {error.strerror}\n")
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        hint = ""
        if wrong := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message, flags=re.DOTALL):
            hint = _nearest(wrong[1], re.findall(r"[\w-]+", wrong[2]))
        self.exit(1, f"{self.prog}: {message}{hint}; see '{self.prog} --help'\n")  # argparse's own would be 2

    def reject(self, unknown: Sequence[str]) -> NoReturn:
        """Exit with 1, as no argument takes these, and name the option that was probably meant by the first."""
        options = [option for action in self._actions for option in action.option_strings]
        hint = _nearest(unknown[0].partition("=")[0], options) if unknown[0].startswith("-") else ""
        self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")


def _nearest(found: str, valid: Sequence[str]) -> str:
    from mlx.core.settings import nearest

    return nearest(found, valid)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = _Parser(
        prog="mlx", description="How, where and why does a trained model fail, and does its geometry tell?"
    )
    parser.add_argument("--version", action="version", version=f"mlx {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parser.set_defaults(command=None, own_parser=parser)
    for module in COMMANDS:
        child = commands.add_parser(
            module.NAME, help=module.HELP, description=f"{module.HELP[0].upper()}{module.HELP[1:]}."
        )
        module.add_arguments(child)
        child.add_argument("--debug", action="store_true", help="print the traceback of an error")
        child.set_defaults(command=module.run, parser=parser, own_parser=child)
    return parser
