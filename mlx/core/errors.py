"""Errors that the user can correct: shown as one message, never as a traceback."""


class MlxError(Exception):
    """Base of the project's own errors; its text is complete and says what to do."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class SettingsError(MlxError):
    """A configuration that can't be used: names the key, what was expected and what was found.

    The `key` is the path of the key at fault, where the text does not begin with its file and line yet; the caller
    that knows the file adds them.
    """

    def __init__(self, text: str, *, key: tuple[str | int, ...] = ()) -> None:
        super().__init__(text)
        self.key = key


class ArgumentError(SettingsError, ValueError):
    """An argument of a program that can't be used, as a setting of a file."""


class UnknownNameError(SettingsError, KeyError):
    """A name that is not known, such as that of a run or a layer."""

    __str__ = Exception.__str__  # that of a KeyError quotes


class ArtifactError(MlxError):
    """A file that a step reads is missing, damaged, or is not what it should be."""


class MissingPackageError(MlxError):
    """A package that only some studies need is not installed."""


class DataError(MlxError):
    """The data can't be used as asked: too few samples, wrong shapes, values that are not finite."""
