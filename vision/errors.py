"""The errors of the toolkit: each says what is wrong, what is allowed and the way out."""


class VisionError(Exception):
    """Base of every error that this toolkit raises itself."""


class ParameterError(VisionError, ValueError):
    """A parameter has a value that its step or function does not allow."""


class ImageError(VisionError, ValueError):
    """A picture cannot be read, or an array is no picture.

    Parameters
    ----------
    reason : str
        What is wrong with it.
    path : str or path-like, optional
        The file, shown in front of the reason and kept as `path`.
    """

    def __init__(self, reason, path=None):
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self):
        return self.reason if self.path is None else f"{str(self.path)!r}: {self.reason}"


class ImageNotFoundError(ImageError, FileNotFoundError):
    """There is no file at the path given."""


class ImageIndexError(VisionError, IndexError):
    """An index that a collection of pictures does not have."""


class WriteError(VisionError, OSError):
    """A file could not be written; nothing was left behind and an older file is intact."""


class OutputExistsError(ParameterError, FileExistsError):
    """The folder for the outputs of a run holds those of an earlier one."""


class LedgerInUseError(ParameterError):
    """Another run is writing to the folder."""


class KindError(VisionError, TypeError):
    """A step was given a kind of data that it does not take.

    Parameters
    ----------
    message : str
        What is wrong and, where one was found, the repair.
    suggestion : Pipeline, optional
        A chain that composes and does what was probably meant.
    """

    def __init__(self, message, suggestion=None):
        super().__init__(message)
        self.suggestion = suggestion


class UnknownNameError(VisionError, LookupError):
    """A name that the catalogue does not hold; the message suggests the nearest one."""


class LoadError(VisionError, ValueError):
    """A pipeline file is refused, before anything in it was run."""


class MissingDependencyError(VisionError, ImportError):
    """A library is needed that is not installed; the message says how to get it."""
