"""Steps that do to their process what native code, and users, do to theirs."""

import os
import re
import signal
import time
from pathlib import Path

import numpy as np

import vision
from vision.kinds import SAME

EXIT, HANG, HOARD, DIE, SLEEP, CRASH, QUIT = range(1, 8)


def marked(number, mark=0):
    """A dark picture of its own kind, with something to do for `Dangerous` in its corner."""
    image = np.zeros((40, 60), np.uint8)
    image[10 : 20 + number % 20, 10:40] = 255
    image[0, :2] = number, mark
    return image


class Dangerous(vision.Step):
    """Passes pictures on, but does what their second pixel says.

    Parameters
    ----------
    folder : str
        Where it notes, once a picture, the process that will not survive it.
    """

    gives = SAME

    def __init__(self, folder=""):
        self.folder = folder

    def apply(self, image):
        mark = image[0, 1].flat[0]
        if mark == EXIT:
            os._exit(3)
        elif mark == HANG:
            self._note(image)
            re.match("(a+)+$", "a" * 60 + "b")  # holds Python's lock for ever
        elif mark == HOARD:
            np.ones(100 << 30, np.uint8)
        elif mark == CRASH:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif mark == QUIT:
            raise SystemExit(4)
        elif mark == SLEEP:
            self._note(image)
            time.sleep(300)
        elif mark == DIE and self._note(image):
            os.kill(os.getpid(), signal.SIGKILL)
        return image.copy()

    def _note(self, image):
        """Whether this picture comes for the first time."""
        note = Path(self.folder, f"{image[0, 0].flat[0]}.pid")
        if note.exists() or not self.folder:
            return False
        note.write_text(str(os.getpid()))
        return True


class Noted(vision.Step):
    """Passes pictures on, and notes the number of each: what was computed, whoever was killed.

    Parameters
    ----------
    log : str
        The file that gets a line a picture, whole, from any process.
    seconds : float
        How long a picture takes.
    """

    gives = SAME

    def __init__(self, log="", seconds=0.0):
        self.log = log
        self.seconds = seconds

    def apply(self, image):
        with open(self.log, "ab", buffering=0) as log:  # noqa: PTH123 (O_APPEND, one write)
            log.write(b"%d\n" % image[0, 0].flat[0])
        time.sleep(self.seconds)
        return image.copy()
