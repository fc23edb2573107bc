"""The known name that was probably meant: for messages, and light enough for the command line."""

import difflib


def nearest(name, known):
    """The known name most like `name`, whatever the case, or None.

    Examples
    --------
    >>> nearest("gausianblur", ["Canny", "GaussianBlur"])
    'GaussianBlur'
    """
    lowered = {str(candidate).lower(): candidate for candidate in known}
    found = difflib.get_close_matches(str(name).lower(), lowered, n=1)
    return lowered[found[0]] if found else None


def did_you_mean(name, known):
    """The sentence that suggests the nearest of `known` names, or the empty string.

    Examples
    --------
    >>> did_you_mean("Cany", ["Canny", "Otsu"])
    "Did you mean 'Canny'?"
    """
    found = nearest(name, known)
    return "" if found is None else f"Did you mean {found!r}?"


def did_you_mean_or_last(name, known, most=5):
    """The sentence that suggests the nearest of `known` names, or else names the last of them.

    Examples
    --------
    >>> did_you_mean_or_last("pool", ["conv", "norm", "dense"], most=2)
    "The last are 'norm', 'dense'."
    """
    last = ", ".join(repr(each) for each in list(known)[-most:])
    return did_you_mean(name, known) or f"The last are {last or 'none'}."
