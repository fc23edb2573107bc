"""The text of a pipeline: YAML that describes it, unfitted, for people, files and the ledger.

A chain is a list. A step with its defaults is its class name; one with arguments is a table of its
name, in which only parameters stand that differ from their defaults::

    - Gray
    - Resize: {size: 64}
    - Canny as edges: {low: 50}

Names are those of the catalogue: every step of this toolkit and every public estimator of
scikit-learn. A step's own name in the chain, where it is not the automatic one, follows behind
``as``. One step alone is no list: ``Canny: {low: 50}``. A chain within a chain is
``- Pipeline: [...]``, and ``passthrough`` is a step that does nothing.

`Branches`, `And`, `Or` and `Xor` have a table of their branches, each a step, a chain, or a fixed
mask::

    - Or:
        red:
          - ToHSV
          - InRange: {space: hsv, low: [170, 120, 70], high: [10, 255, 255]}
        otsu: Otsu
        frame: {file: or-frame-5d41402abc4b.png}

Parameters are

- numbers (also ``.inf`` and ``.nan``), strings, booleans and ``null``;
- lists, which load as tuples in our own steps (as lists where the default is one), and in
  scikit-learn's estimators as lists (as tuples where the default is one, and as pairs in
  ``estimators: [[svc, {SVC: {}}], ...]``); another tuple there is ``{$tuple: [1, 2]}``;
- tables; one that would be read as something else, or has keys that are no plain values, is
  ``{$table: [[key, value], ...]}``;
- steps, as a table of one name: ``estimator: {SVC: {C: 10}}``, ``{SVC: {}}`` with its defaults,
  ``mask: {Pipeline: [Gray, Otsu]}``;
- arrays, ``{file: name.npy}``, or ``{file: name.png}`` for 8-bit pictures and masks: files in the
  folder of the text, never outside it. Their names end in a digest of the content, so that the
  text says which content it means.

A text holds no functions, no ``memory`` or ``n_jobs`` (how scikit-learn runs, not what it
computes; ``memory`` makes it unpickle files), no YAML tags, anchors or aliases, and no
key twice; it has at most a million characters, 20,000 values and 500 steps. Reading a text builds
steps from the catalogue and nothing else: no code of its own is run.

The text is canonical: text to pipeline to text is the identity on whatever `to_text` wrote.
"""

import functools
from pathlib import Path

from vision.array_files import read_beside
from vision.errors import LoadError, ParameterError
from vision.safe_yaml import parse, render


def describe(pipeline):
    """A pipeline's canonical text, with the array files that belong beside it.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator
        Fitted or not: what was learned is no part of the text.

    Returns
    -------
    text : str
        YAML, see `vision.text`.
    files : dict of str to bytes
        Arrays among the parameters, by file name.

    Raises
    ------
    ParameterError
        If a step is not in the catalogue, or a parameter is no plain data, naming the place.

    Examples
    --------
    >>> from classical import Gray, Otsu
    >>> describe(Gray() >> Otsu())
    ('- Gray\\n- Otsu\\n', {})
    """
    from vision.text_writer import Writer

    writer = Writer()
    try:
        text = render(writer.part(pipeline))
        parse(text)
    except RecursionError:
        raise ParameterError("A parameter contains itself. Give it a copy of its parts.") from None
    except LoadError as error:
        raise ParameterError(f"The pipeline is too large for a text: {error}") from None
    return text, writer.files


def to_text(pipeline, folder=None):
    """Describe a pipeline as YAML.

    Parameters
    ----------
    pipeline : Pipeline, Step or scikit-learn estimator
        Fitted or not: what was learned is no part of the text; `vision.save` keeps it.
    folder : path-like, optional
        Where arrays among the parameters are written. Needed only if there are any.

    Returns
    -------
    str
        YAML, see `vision.text`, ending with a newline; the same for equal pipelines.

    Raises
    ------
    ParameterError
        If a step is not in the catalogue; a parameter is a function, an array without `folder`,
        or otherwise no plain data; or `memory` or `n_jobs` is set. The message names the place.
    WriteError
        If an array cannot be written.

    Examples
    --------
    >>> from classical import Canny, Gray
    >>> print(to_text(Gray() >> Canny(low=50)), end="")
    - Gray
    - Canny: {low: 50}
    """
    text, files = describe(pipeline)
    if files and folder is None:
        raise ParameterError(
            f"The pipeline holds arrays ({', '.join(files)}), which stand in files beside its "
            "text. Say where: to_text(pipeline, folder=...), or vision.save(pipeline, path)."
        )
    for name, data in files.items():
        from vision.io import write_bytes

        write_bytes(Path(folder) / name, data)
    return text


def from_text(text, folder=None):
    """The pipeline that a text describes.

    Parameters
    ----------
    text : str
        YAML, see `vision.text`.
    folder : path-like, optional
        Where the arrays lie that the text names; nothing outside it is read.

    Returns
    -------
    Pipeline, Step or scikit-learn estimator
        Not fitted. A pipeline if the text is a list.

    Raises
    ------
    LoadError
        If the text is no such YAML, exceeds a limit, or holds what no text may; the message
        names the place and the way out.
    UnknownNameError
        If the catalogue does not have a step; the message suggests the nearest name.
    KindError
        If two steps do not fit; the message suggests a repair.

    Examples
    --------
    >>> from_text("- Gray\\n- Canny: {low: 50}").named_steps["canny"]
    Canny(low=50)
    """
    return read_text(text, None if folder is None else functools.partial(read_beside, folder))


def read_text(text, read_file):
    """As `from_text`, with the bytes of array files from a function of their name."""
    from vision.text_reader import Reader

    if not isinstance(text, str):
        raise LoadError(f"A pipeline's text is a string. Got {type(text).__name__}.")
    data = parse(text)
    if data is None:
        raise LoadError("The text is empty. A pipeline is a list of steps, such as '- Gray'.")
    return Reader(read_file).part(data)
