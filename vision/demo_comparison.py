"""The end of `vision demo`: classical and deep on the faces and digits that the dependencies ship.

Each study becomes what a user's own would be: a folder with a sub-folder for each class, a study
file beside it, and the report that ``vision compare`` writes of it.
"""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np

CLASSICAL = """\
candidates:
  logistic regression:
    - RawPixels: {{size: {size}}}
    - MinMaxScaler
    - LogisticRegression: {{max_iter: 1000}}
  HOG + SVM: {hog}
"""
DEEP = """\
  LeNet-5:
    - Resize: {{width: 32, height: 32}}
    - CNNClassifier: {{architecture: lenet5, epochs: {epochs}, verbose: false}}
"""
NO_DEEP = "  # LeNet-5 is left out: pip install 'vision-pipelines[deep]' brings networks\n"
REST = """\
images: {name}/
mode: gray
cv: {cv}
"""


@dataclasses.dataclass(frozen=True)
class DemoStudy:
    """One comparison of the demo.

    Parameters
    ----------
    name : str
        Of its folder, its study file and its report.
    title, words : str
        What the page says about it.
    settings : dict
        What differs in its study file.
    more : str
        The last lines of its study file.
    """

    name: str
    title: str
    words: str
    settings: dict
    more: str = ""


STUDIES = (
    DemoStudy(
        "faces",
        "Is it a face? Classical or deep, with 200 pictures",
        "100 faces and 100 pieces of background, 25 pixels wide, that scikit-image ships.",
        {"size": 25, "hog": "hog_svm", "epochs": 12, "cv": 5},
    ),
    DemoStudy(
        "digits",
        "Which digit is it? Classical or deep, with 1,797 pictures",
        "Handwritten digits, 8 pixels wide, that scikit-learn ships.",
        {"size": 8, "hog": "hog_svm", "epochs": 12, "cv": 3},
        "curve: [40, 150, 600]\n",
    ),
)


def pictures_of(name):
    """The pictures of a study and their labels.

    Parameters
    ----------
    name : {"faces", "digits"}

    Returns
    -------
    images : (n, H, W) ndarray of uint8
    labels : list of str
    """
    if name == "faces":
        from skimage.data import lfw_subset

        images = np.rint(lfw_subset() * 255).astype(np.uint8)
        return images, ["face"] * 100 + ["background"] * 100
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return images, [str(label) for label in digits.target]


def has_deep():
    """Whether networks can be trained here; nothing is imported."""
    return all(importlib.util.find_spec(name) is not None for name in ("tensorflow", "keras"))


def study_text(study, deep):
    """The study file of a study."""
    parts = CLASSICAL, DEEP if deep else NO_DEEP, REST
    return "".join(part.format(name=study.name, **study.settings) for part in parts) + study.more


def run_study(study, out, progress=None):
    """Write the pictures and the study file, compare, and write the report.

    Parameters
    ----------
    study : DemoStudy
    out : Path
        The folder of the demo.
    progress : bool, optional

    Returns
    -------
    Comparison
    """
    from vision.comparison import compare
    from vision.io import write_bytes
    from vision.study import read_study

    _write_pictures(study, out)
    file = out / f"{study.name}.yaml"
    write_bytes(file, study_text(study, has_deep()).encode(), durable=False)
    read = read_study(file)
    found = compare(read.candidates, read.images, read.truth, progress=progress, **read.options)
    command = f"vision compare {study.name}.yaml --out {study.name}.html --overwrite"
    found = dataclasses.replace(found, provenance=found.provenance | {"command": command})
    found.save(out / f"{study.name}.html")
    return found


def _write_pictures(study, out):
    from vision.io import write
    from vision.run_folder import make_folder

    images, labels = pictures_of(study.name)
    for label in sorted(set(labels)):
        make_folder(out / study.name / label)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        write(out / study.name / label / f"{number:04d}.png", image, durable=False)


def shown_study(study, comparison):
    """What the page of the demo shows of a comparison.

    Returns
    -------
    dict
    """
    from vision.comparison_report import summary

    return summary(comparison) | {"study": study, "deep": has_deep()}


def study_named(name):
    """A study by its name."""
    return next(study for study in STUDIES if study.name == name)


def run_studies(out, names=None, progress=None):
    """Run studies of the demo, and give what its page shows of them.

    Parameters
    ----------
    out : Path
    names : iterable of str, optional
        All by default.
    progress : bool, optional

    Returns
    -------
    list of dict
    """
    chosen = [study.name for study in STUDIES] if names is None else names
    studies = [study_named(name) for name in chosen]
    return [shown_study(study, run_study(study, Path(out), progress)) for study in studies]
