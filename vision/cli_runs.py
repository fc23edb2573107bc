"""The commands about runs that have begun: `vision status`, `vision merge` and `vision replay`."""

from vision.cli_commands import FAILED, GOOD, ended, say


def add_status(adding):
    """The parser of `vision status`."""
    parser = adding.add_parser(
        "status",
        help="where a run stands: done, failed, left, how fast",
        description="Say where a run stands, from its ledger; also while it is going on.",
        epilog="examples:\n  vision status results/\n  vision status results/ --json",
    )
    parser.set_defaults(action=status_command)
    parser.add_argument("out", help="the folder of the results")
    parser.add_argument("--json", action="store_true", help="as one line for scripts")


def status_command(options):
    """`vision status`: lines for people, or JSON."""
    import dataclasses
    import json

    from vision.run_status import status

    found = status(options.out)
    if options.json:
        fields = dataclasses.asdict(found) | {"out": str(found.out)}
        say(json.dumps(fields))
    else:
        say(str(found))
    return GOOD


def add_merge(adding):
    """The parser of `vision merge`."""
    parser = adding.add_parser(
        "merge",
        help="the tables of a run in shards",
        description="Write results.csv, errors.csv and vanished.csv of a run in shards from their "
        "ledgers, and results.parquet and index.html if it was asked for them: what a run that is "
        "not in shards writes. Pictures stay where they are. May be called again, and while shards "
        "are at work; on any machine that has the folder.",
        epilog="example:\n"
        "  vision run parts.yaml photos/ --out results/ --shard 1/2\n"
        "  vision run parts.yaml photos/ --out results/ --shard 2/2\n"
        "  vision merge results/\n\n"
        "exit status: 0 all well, 1 some files failed or are left, a shard has not begun or was "
        "run\nwith another pipeline, 2 wrong usage",
    )
    parser.set_defaults(action=merge_command)
    parser.add_argument("out", help="the folder of the results")


def merge_command(options):
    """`vision merge`: 0 all well, 1 if files failed or are left."""
    from vision.merging import merge

    found = merge(options.out)
    files = f"{found.done} file{'' if found.done == 1 else 's'} done, {found.left} left"
    failed = [f"{found.failed} failed: {found.errors_csv}"] if found.failed else []
    say("\n".join([f"{files}: {found.results_csv}", *failed, *found.notes]))
    return FAILED if found.failed or found.left or found.notes else GOOD


def add_replay(adding):
    """The parser of `vision replay`."""
    parser = adding.add_parser(
        "replay",
        help="do an earlier run again, and say what differs",
        description="Run the pipeline of an earlier run over its source again, with its options. "
        "Into the same folder that does what is new, changed or failed; into another one it does "
        "everything, and says which versions and results differ.",
        epilog="example:\n  vision replay results/ --out again/",
    )
    parser.set_defaults(action=replay_command)
    parser.add_argument("earlier", help="the folder of its results")
    parser.add_argument("--out", metavar="FOLDER", help="another folder for the results")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def replay_command(options):
    """`vision replay`: 0 all well, 1 some files failed."""
    from vision.run_replay import replay

    def work():
        return replay(options.earlier, options.out, progress=not options.quiet)

    return ended(work, options.quiet)
