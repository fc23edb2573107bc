"""What `vision.run` gives back."""

from dataclasses import dataclass
from pathlib import Path

from vision.progress import in_words


@dataclass(frozen=True)
class RunSummary:
    """How a run ended.

    Parameters
    ----------
    done, failed, unchanged : int
        Files that have a result now, files with a row in `errors_csv`, and files that an earlier
        run had done.
    seconds : float
        How long it took.
    out : Path
        The folder of the outputs.
    results_csv, errors_csv : Path or None
        The two tables; None for a shard, whose results `vision.merge` writes.
    notes : tuple of str
        What else is to be known: why files were done again, which vanished, how many have more than
        one page, of which the first was read, versions that differ.
    report : Path, optional
        The page that shows the run.

    Examples
    --------
    >>> out = Path("out")
    >>> RunSummary(40, 2, 0, 6.25, out, out / "results.csv", out / "errors.csv")
    RunSummary(40 done, 2 failed in 6.2 s: out/results.csv, out/errors.csv)
    """

    done: int
    failed: int
    unchanged: int
    seconds: float
    out: Path
    results_csv: Path
    errors_csv: Path
    notes: tuple = ()
    report: Path | None = None

    def __repr__(self):
        failed = f", {self.failed} failed" if self.failed else ""
        unchanged = f", {self.unchanged} unchanged" if self.unchanged else ""
        errors = f", {self.errors_csv}" if self.failed and self.errors_csv else ""
        took = in_words(self.seconds)
        counts = f"{self.done} done{failed}{unchanged}"
        return f"RunSummary({counts} in {took}: {self.results_csv or self.out}{errors})"
