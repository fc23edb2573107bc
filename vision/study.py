"""Study files: what `vision compare` compares, as text.

A study is a YAML table::

    candidates:
      HOG + SVM: hog_svm                     # a recipe of classical.recipes
      fine HOG: {hog_svm: {size: 48}}        # with arguments
      raw pixels:                            # a pipeline, as vision.to_text writes it
        - Gray
        - RawPixels: {size: 16}
        - LogisticRegression: {max_iter: 1000}
      network: {file: network.yaml}          # a pipeline in a file beside the study
    images: flowers/                         # a sub-folder a class; or a table with path and label
    cv: 5

``images`` is a folder with a sub-folder for each class, or a ``.csv`` or ``.parquet`` with the
columns ``path`` and ``label``; with ``truth`` it is a folder, a pattern or a list of pictures, and
``truth`` the same of masks, label maps or, with ``task: restoration``, pictures, which belong
together by their names.
``mode`` says how pictures are read, ``rgb`` or ``gray``. ``groups`` names a column of the ``.csv``:
pictures with the same entry stay together. All else, ``task``, ``cv``, ``curve``, ``robustness``,
``faithfulness``, ``budget`` and ``random_state``, is as for `vision.compare`. Paths begin at the
study's folder.

A study holds no code: candidates come from the catalogue, files are read as `vision.load` reads
them.
"""

import csv
import functools
import importlib
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from vision.catalogue import RECIPES
from vision.errors import ImageError, LoadError, ParameterError, VisionError
from vision.nearest import did_you_mean
from vision.safe_yaml import lines_of, parse

PASSED = (  # on to `vision.compare`
    *("task", "cv", "curve", "robustness", "faithfulness", "budget", "random_state"),
)
KEYS = ("candidates", "images", "truth", "mode", "groups", *PASSED)
PIPELINES = (".yaml", ".yml", ".vision")
LONGEST = 1_000_000  # characters of a study


@dataclass(frozen=True)
class Study:
    """What is to be compared.

    Parameters
    ----------
    path : Path
    candidates : dict of str to estimator
    images : Images
    truth : sequence
    groups : list or None
    options : dict
        For `vision.compare`.
    lines : dict of tuple to int
        Where what stands in the file.
    """

    path: Path
    candidates: dict
    images: object
    truth: object
    groups: object = None
    options: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)

    def located(self, error):
        """What `vision.compare` refuses, with the line of the study that says so."""
        found = re.match(r"The '(\w+)' of compare ", str(error))
        line = self.lines.get((found[1],)) if found else None
        return error if line is None else LoadError(f"{self.path}, line {line}: {error}")


def read_study(path):
    """Read a study, and find what it compares.

    Parameters
    ----------
    path : str or path-like
        A ``.yaml``, see `vision.study`.

    Returns
    -------
    Study
        Pictures are not decoded yet.

    Raises
    ------
    LoadError
        If it is no such file; the message names line and key.
    ImageError
        If there are no such pictures.
    """
    path = Path(path)
    text = _text(path)
    try:
        data, lines = parse(text), lines_of(text)
    except LoadError as error:
        raise LoadError(f"{path}: {error}") from error
    reader = _Reader(path, data, lines)
    images, truth, groups = reader.pictures()
    options = {key: data[key] for key in PASSED if key in data}
    return Study(path, reader.candidates(), images, truth, groups, options, lines)


def _text(path):
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LoadError(f"{path}: a study is text in UTF-8.") from None
    except OSError as error:
        raise LoadError(f"{path}: the study cannot be read: {error.strerror}.") from error
    if len(text) > LONGEST:
        raise LoadError(f"{path}: a study has at most {LONGEST} characters.")
    return text


class _Reader:
    """Finds what the data of a study name; refuses with the line."""

    def __init__(self, path, data, lines):
        self.path, self.data, self.lines = path, data, lines
        if not isinstance(data, dict):
            raise LoadError(f"{path}: a study is a table with the keys {', '.join(KEYS[:2])}, ...")
        for key in data:
            if key not in KEYS:
                hint = did_you_mean(key, KEYS) or f"There are {', '.join(KEYS)}."
                self.refuse((key,), f"There is no key {key!r}. {hint}")
        for key in KEYS[:2]:
            if key not in data:
                raise LoadError(f"{path}: the key {key!r} is missing.")

    def refuse(self, where, message):
        line = self.lines.get(where, 1)
        raise LoadError(f"{self.path}, line {line}: {message}")

    def candidates(self):
        given = self.data["candidates"]
        if not isinstance(given, dict) or not given:
            self.refuse(("candidates",), "'candidates' is a table of names and pipelines.")
        found = {}
        for name, entry in given.items():
            if str(name) in found:
                self.refuse(("candidates", name), f"there is a candidate {str(name)!r} already.")
            try:
                found[str(name)] = self._candidate(entry)
            except VisionError as error:
                self.refuse(("candidates", name), f"candidate {name!r}: {error}")
        return found

    def _candidate(self, entry):
        from vision.array_files import read_beside
        from vision.text_reader import Reader

        name, arguments = entry, {}
        if isinstance(entry, dict) and len(entry) == 1:
            name, arguments = next(iter(entry.items()))
        if name == "file":
            return self._saved(arguments)
        if isinstance(name, str) and name in RECIPES:
            return _recipe(name, arguments)
        if isinstance(name, str) and name.lower() == name and not isinstance(entry, list):
            hint = did_you_mean(name, RECIPES) or f"There are {', '.join(RECIPES)}."
            raise LoadError(f"there is no recipe {name!r}. {hint}")
        return Reader(functools.partial(read_beside, self.path.parent)).part(entry)

    def _saved(self, name):
        from vision.archive import load

        if not isinstance(name, str) or Path(name).suffix.lower() not in PIPELINES:
            raise LoadError(f"a file is a pipeline, {', '.join(PIPELINES)}. Got {name!r}.")
        return load(self.path.parent / name)

    def pictures(self):
        """The images, their truth, and who belongs together."""
        try:
            return self._pictures()
        except (ImageError, ParameterError) as error:
            self.refuse(("images",), f"'images': {error}")

    def _pictures(self):
        from vision.images import Images

        mode = self.data.get("mode", "rgb")
        if mode not in ("rgb", "gray"):
            self.refuse(("mode",), f"'mode' is rgb or gray. Got {mode!r}.")
        source = self.data["images"]
        if not isinstance(source, str) or not source:
            self.refuse(("images",), f"'images' is a folder or a table. Got {source!r}.")
        place = self.path.parent / source
        if "truth" in self.data:
            images = Images(place, mode=mode)
            return images, self._truth(images, mode), self._groups(place, len(images))
        table = place.suffix.lower() in (".csv", ".parquet")
        read = Images.from_manifest if table else Images.from_folders
        images, labels = read(place, mode=mode)
        return images, labels, self._groups(place, len(images))

    def _truth(self, images, mode):
        """The pictures of the truth in the order of the images."""
        from vision.images import Images

        source = self.data["truth"]
        if not isinstance(source, str) or not source:
            self.refuse(("truth",), f"'truth' is the name of a folder. Got {source!r}.")
        restored = self.data.get("task") == "restoration"
        try:
            found = Images(self.path.parent / source, mode=mode if restored else "unchanged")
        except VisionError as error:
            self.refuse(("truth",), f"'truth': {error}")
        places = {_stem(name): place for place, name in enumerate(found.sources)}
        missing = [name for name in images.sources if _stem(name) not in places]
        if missing:
            self.refuse(("truth",), f"{source!r} holds nothing that belongs to {missing[0]!r}.")
        found = found[[places[_stem(name)] for name in images.sources]]
        try:
            # A picture without any object is of either kind.
            telling = None if restored else next((one for one in found if one.any()), found[0])
            return found if restored or _is_mask(telling) else [_labels(one) for one in found]
        except ImageError as error:
            self.refuse(("truth",), f"'truth': {error}")

    def _groups(self, place, count):
        name = self.data.get("groups")
        if name is None:
            return None
        if place.suffix.lower() != ".csv":
            self.refuse(("groups",), "'groups' names a column, so 'images' must be a .csv.")
        with place.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
        if not rows or name not in rows[0]:
            self.refuse(("groups",), f"{place.name} has no column {name!r}.")
        for number, row in enumerate(rows[:count], start=1):
            if not (row[name] or "").strip():
                empty = f"row {number} of {place.name} has nothing in the column {name!r}"
                hint = "a picture that belongs to no other is a group of its own"
                self.refuse(("groups",), f"{empty}: {hint}.")
        return [row[name] for row in rows][:count]


def _stem(name):
    return str(PurePosixPath(name).with_suffix(""))


def _is_mask(picture):
    from vision.kinds import is_binary

    return picture.dtype == np.uint8 and picture.ndim == 2 and is_binary(picture)


def _labels(picture):
    """A label map as the task asks for it; 8 bits are no labels there."""
    if picture.ndim != 2:
        channels = picture.shape[-1]
        raise ImageError(f"the truth has {channels} channels: masks and label maps have one")
    return picture.astype(np.int32)


def _recipe(name, arguments):
    """A recipe's pipeline; its arguments are checked by name."""
    recipe = getattr(importlib.import_module(RECIPES[name]), name)
    known = list(inspect.signature(recipe).parameters)
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        raise LoadError(f"the arguments of {name} are a table, such as {{{known[0]}: 1}}.")
    for key in arguments:
        if key not in known:
            hint = did_you_mean(key, known) or f"It has {', '.join(known)}."
            raise LoadError(f"{name} has no argument {key!r}. {hint}")
    return recipe(**arguments)
