"""The command line: `vision run`, `status`, `merge`, `replay`, `compare`, `explain`, `trace`,
`steps`, `check` and `demo`.

What a command needs is imported when it runs, so that ``vision --help`` answers at once.
"""

import argparse
import os
import re
import sys

from vision import cli_commands
from vision.cli_commands import GOOD, INTERRUPTED, USAGE, fail, refusals, status_of
from vision.cli_compare import add_compare
from vision.cli_explain import add_explain
from vision.cli_runs import add_merge, add_replay, add_status
from vision.nearest import did_you_mean

EPILOG = """\
examples:
  vision demo                                        see it work, in demo/
  vision steps                                       every step there is
  vision check parts.yaml                            does it fit together?
  vision trace parts.yaml photo.jpg --out sheet.png  every stage of one picture
  vision run parts.yaml photos/ --out results/       the whole folder
  vision status results/                             how far is it?
  vision compare study.yaml --out report.html        classical or deep? who wins
  vision explain model.vision photo.jpg --out why.png  what does it look at?

parts.yaml, one step a line:
  - ToHSV
  - InRange: {space: hsv, low: [170, 120, 70], high: [10, 255, 255]}
  - Opening: {size: 5}
  - FindContours: {min_area: 150}

'vision COMMAND --help' explains a command.
"""
RUN_EPILOG = """\
what is written to the folder:
  results.csv     a row for each object found or prediction made
  errors.csv      a row for each file that failed, with the reason
  index.html      a page to look at: pictures before and after, failures, times
  images/         pictures, masks, label maps, in the sub-folders of the source
  overlays/       with --overlay: what was found, drawn on its picture
  pipeline.yaml   what ran; of a fitted pipeline also pipeline.vision
  ledger.jsonl    what was done: another run into the same folder does only
                  what is new, changed or failed before

exit status: 0 all well, 1 some files failed, 2 wrong usage

examples:
  vision run parts.yaml photos/ --out results/ --overlay
  vision run small.yaml "photos/**/*.png" --out small/ --format jpg
  vision run model.vision scans/ --out classes/ --mode gray
"""


class UsageError(Exception):
    """Wrong usage, in one sentence."""


class _Parser(argparse.ArgumentParser):
    """Refuses in one sentence, and suggests what was probably meant."""

    def __init__(self, **options):
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options
        )

    def error(self, message):
        raise UsageError(f"{message[0].upper()}{message[1:]}. '{self.prog} --help' explains it.")


def main(argv=None):
    """Run one command.

    Parameters
    ----------
    argv : list of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 if a file failed or could not be written, 2 for wrong usage, 130
        after Ctrl-C.

    Examples
    --------
    >>> main(["--version"])
    vision 0.1.0
    0
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        return _dispatch(argv)
    except UsageError as error:
        return fail(error, USAGE)
    except KeyboardInterrupt:
        return fail("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has gone. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    except refusals() as error:
        return fail(error, status_of(error))


def _dispatch(argv):
    parser, commands = _parsers()
    words = [word for word in argv if not word.startswith("-")]
    if words and words[0] not in commands:
        raise UsageError(f"There is no command '{words[0]}'. {_hint(words[0], commands)}")
    _check_options(argv, commands[words[0]] if words else parser)
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:  # --help and --version have printed
        return end.code or GOOD
    if options.command is None:
        parser.print_help(sys.stderr)
        return USAGE
    return options.action(options)


def _check_options(argv, parser):
    """Refuse an option that the command does not have, before argparse asks for what is missing."""
    known = ["-h", "--help", *re.findall(r"--[a-z-]+", parser.format_usage())]
    for word in argv[: argv.index("--")] if "--" in argv else argv:
        name = word.partition("=")[0]
        if re.match("-[^0-9]", name) and name not in known:
            raise UsageError(f"'{parser.prog}' has no option '{name}'. {_hint(name, known[1:])}")


def _hint(name, known):
    return did_you_mean(name, known) or f"There are {', '.join(known)}."


def _whole(text):
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not '{text}'") from None


def _number(text):
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not '{text}'") from None


def _parsers():
    """The parser, and that of each command."""
    parser = _Parser(
        prog="vision",
        description="Computer vision, classical and deep, as steps of the same pipeline.",
        epilog=EPILOG,
    )
    from vision import __version__

    parser.add_argument("--version", action="version", version=f"vision {__version__}")
    adding = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    runs = (_add_run, add_status, add_merge, add_replay)
    for add in (*runs, add_compare, add_explain, _add_trace, _add_steps, _add_check, _add_demo):
        add(adding)
    return parser, adding.choices


def _add_run(adding):
    parser = adding.add_parser(
        "run",
        help="run a pipeline over a folder of pictures",
        description="Run a pipeline over a folder of pictures. A bad file never ends the run;\n"
        "one in which nothing is found has a row in results.csv too, with object 0.",
        epilog=RUN_EPILOG,
    )
    parser.set_defaults(action=cli_commands.run_command)
    _add_pipeline(parser)
    parser.add_argument(
        "source",
        nargs="+",
        help="a folder, an archive (.zip, .tar), a manifest (.txt, .csv, .parquet), a URL such as "
        "s3://bucket/photos/, a pattern in quotes, or files",
    )
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="the folder for the results, made if new"
    )
    _add_mode(parser)
    parser.add_argument(
        "--overlay", action="store_true", help="also draw what was found on its picture"
    )
    parser.add_argument(
        "--explain",
        metavar="METHOD",
        help="draw which parts of each picture made a classifier say so: by gradcam, occlusion, "
        "..., or auto, which fits the classifier",
    )
    parser.add_argument(
        "--format",
        metavar="NAME",
        help="write pictures as png, jpg, webp, ... (default: as the source)",
    )
    parser.add_argument(
        "--quality", type=_whole, metavar="N", help="of JPEG, WebP and AVIF, 1 to 100"
    )
    parser.add_argument("--restart", action="store_true", help="do everything again")
    parser.add_argument("--retry-failed", action="store_true", help="try only what failed before")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="tell by content, not by size and time, what changed",
    )
    parser.add_argument(
        "--durable",
        choices=("chunk", "file", "none"),
        default="chunk",
        help="outputs are on the disk for certain after each second of work (chunk), each file, "
        "or when the system writes them (none)",
    )
    parser.add_argument(
        "--threads",
        type=_whole,
        metavar="N",
        help="files in work at once (default: one a processor)",
    )
    _add_workers(parser)
    parser.add_argument(
        "--max-pixels", type=_whole, metavar="N", help="refuse larger pictures (200 million)"
    )
    parser.add_argument(
        "--tables",
        default="csv",
        metavar="NAMES",
        help="csv, or csv,parquet for results.parquet too",
    )
    parser.add_argument(
        "--shard",
        metavar="N/COUNT",
        help="do one part of the files, such as 3/100; all parts may be done at once, anywhere",
    )
    parser.add_argument(
        "--pack",
        choices=("tar",),
        help="pack pictures into archives of about a gigabyte instead of single files",
    )
    parser.add_argument("--no-report", action="store_true", help="write no index.html")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _add_workers(parser):
    parser.add_argument(
        "--workers",
        type=_whole,
        metavar="N",
        help="so many processes instead of threads: for steps that crash, hang or are slow Python",
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="the workers of a Dask scheduler, such as tcp://host:8786"
    )
    parser.add_argument(
        "--timeout",
        type=_number,
        metavar="SECONDS",
        help="that a file may take; with --workers or --dask",
    )
    parser.add_argument(
        "--memory-limit",
        metavar="BYTES",
        help="that a worker may have, such as 2GB; with --workers or --dask",
    )


def _add_trace(adding):
    parser = adding.add_parser(
        "trace",
        help="show every stage of one picture, as one picture",
        description="Write a contact sheet of every stage that one picture goes through.",
        epilog="example:\n  vision trace parts.yaml photo.jpg --out stages.png",
    )
    parser.set_defaults(action=cli_commands.trace_command)
    _add_pipeline(parser)
    parser.add_argument("photo", help="one picture")
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the sheet, such as stages.png"
    )
    _add_mode(parser)
    parser.add_argument(
        "--width", type=_whole, default=1200, metavar="N", help="of the sheet, in pixels (1200)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the sheet if it is there")


def _add_steps(adding):
    parser = adding.add_parser(
        "steps",
        help="list the steps, or show one with its parameters",
        description="List the steps by topic, with what they take and give; or show one in full.",
        epilog="examples:\n  vision steps\n  vision steps Canny",
    )
    parser.set_defaults(action=cli_commands.steps_command)
    parser.add_argument("name", nargs="?", help="a step, such as Canny")


def _add_check(adding):
    parser = adding.add_parser(
        "check",
        help="check a pipeline file and show what flows through it",
        description="Check a pipeline file: its text, what each step gives, what is fitted.",
        epilog="example:\n  vision check parts.yaml\n\nexit status: 0 it works, 2 it does not",
    )
    parser.set_defaults(action=cli_commands.check_command)
    _add_pipeline(parser)


def _add_demo(adding):
    parser = adding.add_parser(
        "demo",
        help="three pipelines and two comparisons, with a page to look at",
        description="Run three pipelines over photographs, and compare classical and deep on "
        "faces\nand digits; all pictures are those that the dependencies ship.",
    )
    parser.set_defaults(action=cli_commands.demo_command)
    parser.add_argument(
        "--out", default="demo", metavar="FOLDER", help="where to put the page (demo)"
    )


def _add_mode(parser):
    parser.add_argument(
        "--mode", metavar="MODE", help="read pictures as rgb (the usual), gray or unchanged"
    )


def _add_pipeline(parser):
    parser.add_argument("pipeline", help="a pipeline file: .yaml, or .vision with what was learned")
