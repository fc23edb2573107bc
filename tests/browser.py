"""Pages in a real browser, without a window: what it complains of, and what it looks like."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 120
# What the browser says of a page; the rest of its log is about the machine.
CONSOLE = re.compile(r"CONSOLE[^\]]*\] *(.*)")


def find_browser():
    """The path of Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _run(page, *options, width=1200, height=900, dark=False):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            find_browser(),
            "--headless=new",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            "--virtual-time-budget=4000",
            *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),
            *(["--blink-settings=preferredColorScheme=0"] if dark else []),
            *options,
            Path(page).resolve().as_uri(),
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)


def console(page, **options):
    """What the console of a page holds.

    Parameters
    ----------
    page : path
    **options
        ``width``, ``height``, ``dark``.

    Returns
    -------
    list of str
    """
    said = _run(page, "--enable-logging=stderr", "--v=0", "--dump-dom", **options).stderr
    return CONSOLE.findall(said)


def document(page, **options):
    """The document of a page after its scripts ran, as text."""
    return _run(page, "--dump-dom", **options).stdout


def screenshot(page, picture, **options):
    """Write what a page looks like as a PNG."""
    with contextlib.suppress(FileNotFoundError):
        Path(picture).unlink()
    _run(page, f"--screenshot={Path(picture).resolve()}", **options)
