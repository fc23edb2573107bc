"""Where the outputs of a run go: a path for each picture, told from its own name alone."""

# Extensions that mean the same format, with the one that new names get.
SAME_FORMAT = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".tif": ".tiff"}
NO_EXTENSION = ".image"
FOLDER = ".folder"


def output_name(name, extension, known):
    """The name of what a run makes of one picture.

    The same as the picture's if the format stays. Otherwise the new extension is appended
    (``a.jpg`` gives ``a.jpg.png``), so that ``a.jpg`` and ``a.png`` do not meet; for the same
    reason it is appended to a name with two extensions (``a.jpg.png`` gives ``a.jpg.png.png``),
    and a name with none first gets ``.image``. A folder called like a picture gets ``.folder``.
    No two names give one, and no output is called as a folder of another.

    Parameters
    ----------
    name : str
        The picture's, relative, with ``/``.
    extension : str
        Of the format that is written, in lower case, such as ``".png"``.
    known : collection of str
        The extensions of pictures, in lower case.

    Returns
    -------
    str

    Examples
    --------
    >>> known = {".jpg", ".png"}
    >>> [output_name(name, ".png", known) for name in ("x/a.png", "a.jpg", "a.jpg.png", "a")]
    ['x/a.png', 'a.jpg.png', 'a.jpg.png.png', 'a.image.png']
    """
    *folders, file = name.split("/")
    folders = [_escaped(folder, known) for folder in folders]
    return "/".join([*folders, _file_name(file, extension, known)])


def _escaped(folder, known):
    return folder + FOLDER if _tail(folder) in known or _tail(folder) == FOLDER else folder


def _file_name(file, extension, known):
    tail = _tail(file)
    if tail not in known:
        return file + NO_EXTENSION + extension
    inner = _tail(file[: -len(tail)])
    same = SAME_FORMAT.get(tail, tail) == SAME_FORMAT.get(extension, extension)
    return file if same and inner not in known and inner != NO_EXTENSION else file + extension


def _tail(name):
    """What a name ends in from its last dot on, in lower case."""
    return "." + name.rpartition(".")[2].lower() if "." in name else ""
