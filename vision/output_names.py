"""Where the outputs of a run go: a path for each picture, told from its own name alone."""

import functools

from vision.headers import FORMATS

NO_EXTENSION, FOLDER = ".image", ".folder"
_FORMAT_OF = {suffix: format for format, suffixes in FORMATS.items() for suffix in suffixes}


def output_name(name, format):
    """The name of what a run makes of one picture.

    The same as the picture's if the format stays. Otherwise an extension is appended (``a.jpg``
    gives ``a.jpg.png``), so that ``a.jpg`` and ``a.png`` do not meet; for the same reason it is
    appended to a name with two extensions (``a.jpg.png`` gives ``a.jpg.png.png``), and a name
    with none first gets ``.image``. A folder called like a picture gets ``.folder``. So no two
    names give one, and no output is called like a folder of another.

    Parameters
    ----------
    name : str
        The picture's, relative, with ``/``.
    format : str
        What is written, a key of `vision.headers.FORMATS`.

    Returns
    -------
    str

    Examples
    --------
    >>> [output_name(name, "PNG") for name in ("x/a.png", "a.jpg", "a.jpg.png", "a")]
    ['x/a.png', 'a.jpg.png', 'a.jpg.png.png', 'a.image.png']
    """
    folders, slash, file = name.rpartition("/")
    return _folder_names(folders) + slash + _file_name(file, format)


def extension_of(name):
    """What a name ends in from its last dot on, in lower case.

    Examples
    --------
    >>> extension_of("holiday.JPG"), extension_of("a")
    ('.jpg', '')
    """
    return "." + name.rpartition(".")[2].lower() if "." in name else ""


@functools.lru_cache(maxsize=1024)  # they come again and again
def _folder_names(folders):
    return "/".join(map(_folder_name, folders.split("/")))


def _folder_name(folder):
    taken = extension_of(folder) in _FORMAT_OF or extension_of(folder) == FOLDER
    return folder + FOLDER if taken else folder


def _file_name(file, format):
    extension = extension_of(file)
    if extension not in _FORMAT_OF:
        return file + NO_EXTENSION + FORMATS[format][0]
    before = extension_of(file[: -len(extension)])
    single = before not in _FORMAT_OF and before != NO_EXTENSION
    return file if single and _FORMAT_OF[extension] == format else file + FORMATS[format][0]
