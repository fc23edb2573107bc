"""`vision compare`: classical and deep candidates on the same images, and a report."""

import dataclasses
import shlex
import textwrap
from pathlib import Path

from vision.cli_commands import FAILED, GOOD, say

EPILOG = """\
study.yaml:
  candidates:
    HOG + SVM: hog_svm          # a recipe, with arguments {hog_svm: {size: 48}}
    raw pixels:                 # a pipeline, one step a line
      - Gray
      - RawPixels: {size: 16}
      - LogisticRegression: {max_iter: 1000}
    network:
      - Resize: {width: 32, height: 32}
      - CNNClassifier: {architecture: resnet20, epochs: 20}
    mine: {file: mine.yaml}     # a pipeline in a file: .yaml or .vision
  images: flowers/              # a sub-folder a class, or a .csv of path, label

besides, where wanted:
  truth: masks/                 # pictures named as the images, for labels
  task: segmentation            # classification, edges, restoration
  mode: gray                    # how pictures are read: rgb is the usual
  groups: patient               # a column of the .csv: one entry, one fold
  cv: 5                         # folds
  curve: true                   # how many images until deep pays off?
  robustness: true              # noise, blur, JPEG, brightness, rotation, scale
  faithfulness: true            # are the explanations of each method true?
  random_state: 0

{recipes}
steps: 'vision steps' lists them; scikit-learn's estimators go by their names

examples:
  vision demo                   writes demo/digits.yaml and its images
  vision compare demo/digits.yaml --out digits.html
  vision compare study.yaml --out report.html --out table.csv --folder kept/

exit status: 0 all candidates finished, 1 one failed, 2 wrong usage
"""


def add_compare(adding):
    """The parser of `vision compare`."""
    from vision.catalogue import RECIPES

    recipes = f"recipes: {', '.join(RECIPES)}"
    parser = adding.add_parser(
        "compare",
        help="compare classical and deep pipelines on the same pictures",
        description="Compare pipelines on the same pictures: who wins, by how much, at what cost.",
        epilog=EPILOG.replace("{recipes}", textwrap.fill(recipes, 78)),
    )
    parser.set_defaults(action=compare_command)
    parser.add_argument("study", help="the study: a .yaml, see below")
    parser.add_argument(
        "--out",
        required=True,
        action="append",
        metavar="FILE",
        help="the report (.html), table (.csv) or all numbers (.json); may be given several times",
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        help="keep finished candidates there; another run does only what is new or changed",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def compare_command(options):
    """`vision compare`: 0 all candidates finished, 1 one failed."""
    _check_outputs(options)
    from vision.study import read_study

    study = read_study(options.study)
    found = _compared(study, options)
    for path in options.out:
        found.save(path)
    if not options.quiet:
        say(_closing(found, options.out))
    return FAILED if any(one.failed for one in found.candidates) else GOOD


def _check_outputs(options):
    """Refuse, before hours of work, what cannot be written after them."""
    from vision.checks import refuse
    from vision.comparison_result import SUFFIXES
    from vision.errors import OutputExistsError

    for name in options.out:
        path = Path(name)
        if path.suffix.lower() not in SUFFIXES:
            refuse("out", name, "a file that ends in .html, .csv or .json", "vision compare")
        if path.is_dir() or not path.parent.is_dir():
            refuse("out", name, "a file, in a folder that is there", "vision compare")
        if not options.overwrite and path.exists():
            raise OutputExistsError(f"{name!r} exists. --overwrite replaces it.")


def _compared(study, options):
    from vision.comparison import compare
    from vision.errors import ParameterError

    try:
        found = compare(
            study.candidates,
            study.images,
            study.truth,
            groups=study.groups,
            folder=options.folder,
            progress=not options.quiet,
            **study.options,
        )
    except ParameterError as error:
        raise study.located(error) from error
    outs = [word for path in options.out for word in ("--out", path)]
    kept = [] if options.folder is None else ["--folder", options.folder]
    command = shlex.join(["vision", "compare", options.study, *outs, *kept])
    return dataclasses.replace(found, provenance=found.provenance | {"command": command})


def _closing(found, files):
    """The verdict, a line a candidate, and where the files are."""
    from vision.comparison_words import score, took_ms, verdict
    from vision.quantities import in_bytes

    said = verdict(found)
    lines = [f"{said.headline}.", *said.sentences, *said.warnings, ""]
    measure = found.measures[found.metric]
    width = max((len(one.name) for one in found.candidates), default=0)
    for name in found.ranking():
        one = found[name]
        costs = [] if one.latency is None else [f"{took_ms(one.latency.one_ms)} an image"]
        costs += [] if one.size_bytes is None else [in_bytes(one.size_bytes)]
        told = score(one.scores[found.metric], measure)
        lines.append(f"{name:<{width}}  {told}  {', '.join(costs)}")
    lines += [f"{one.name:<{width}}  failed: {one.error}" for one in found.candidates if one.failed]
    return "\n".join([*lines, "", *files])
