"""Run the notebooks anew and store them with their pictures.

    VISION_DATA=... python docs/make_notebooks.py [NAME ...]

Needs the extra ``notebooks``. Parts on real image sets are stored where VISION_DATA names their
folder; without it they are skipped with a sentence. What differs from machine to machine (times of
cells, kernel versions, widgets that live as long as the notebook runs) is not stored.
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What TensorFlow says when it starts; no setting silences it.
STARTING = re.compile(
    r"(WARNING: All log messages before absl|[IW]0000 |To enable the following).*\n"
)
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}


def executed(path, *, timeout=1800, **environment):
    """A notebook, run from its first cell in an empty folder.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds that a cell may take.
    **environment
        Variables that the notebook sees besides those of this process.

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    book = nbformat.read(path, as_version=4)
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            book,
            timeout=timeout,
            kernel_name=KERNEL["name"],
            resources={"metadata": {"path": folder}},
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],
        )
        # One own loop: the client would ask for that of the thread, which is deprecated.
        asyncio.run(client.async_execute(env={**os.environ, **quiet}))
    for cell in book.cells:
        without_starting(cell)
    return book


def without_starting(cell):
    """Drop what TensorFlow says when it starts from the outputs of a cell."""
    for output in cell.get("outputs", ()):
        if output.get("name") == "stderr":
            output.text = STARTING.sub("", output.text).strip("\n")
    if "outputs" in cell:
        cell.outputs = [one for one in cell.outputs if one.get("text", True)]


def stored(book):
    """The notebook as it is stored: without what belongs to this machine and this minute."""
    book.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(book.cells):
        cell.metadata, cell.id = nbformat.from_dict({}), f"cell-{number:02d}"
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
            output.pop("transient", None)
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
    return book


def processor_seconds():
    """What all kernels that ended took together: it tells more than the clock of a busy machine."""
    times = os.times()
    return times.children_user + times.children_system


def main(names):
    """Store the notebooks that are named, or all."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        start, used = time.perf_counter(), processor_seconds()
        nbformat.write(stored(executed(path)), path)
        seconds, used = time.perf_counter() - start, processor_seconds() - used
        size = path.stat().st_size / 1e6
        print(
            f"{path.name}: {seconds:.0f} s, of processors {used:.0f} s; {size:.2f} MB", flush=True
        )


if __name__ == "__main__":
    main(sys.argv[1:])
