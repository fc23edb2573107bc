"""Times and sizes as people say them."""

from vision.progress import in_words


def took(seconds):
    """A length of time in the unit that suits it; a long one as `in_words` says it.

    Examples
    --------
    >>> took(0.0000123), took(0.0421), took(3.14159), took(75)
    ('12.3 µs', '42.1 ms', '3.14 s', '1 min 15 s')
    """
    if seconds >= 60:
        return in_words(seconds)
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def in_bytes(count):
    """A number of bytes as people say it.

    Examples
    --------
    >>> in_bytes(999), in_bytes(1_234_567), in_bytes(98_700_000_000)
    ('999 bytes', '1.2 MB', '99 GB')
    """
    if count < 1000:
        return f"{count} bytes"
    for unit in ("kB", "MB", "GB", "TB"):
        count /= 1000
        if count < 1000 or unit == "TB":
            break
    return f"{count:.1f} {unit}" if count < 10 else f"{count:.0f} {unit}"
