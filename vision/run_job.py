"""One run from its first line in the ledger to its summary: what is done, kept, told."""

import os
import time
from dataclasses import replace
from pathlib import Path

from vision.cluster import Cluster
from vision.errors import WriteError
from vision.executors import Threads, drive
from vision.packing import Packs, is_packed, remove_dead, trim
from vision.records import Recorder
from vision.resume import LARGEST, Pace, Resume
from vision.run_report import write_report
from vision.run_summary import RunSummary
from vision.run_tables import ERRORS, RESULTS
from vision.run_work import BATCH, Work
from vision.staging import remove_replaced


class Job:
    """One run: what is to do, the entries as they come, and what is to be told at the end.

    Parameters
    ----------
    identity : str
        Of the run, a part of its hidden names.
    pipeline : Pipeline
    images : Images
    names : list of str
        What the outputs are called after, see `vision.resume.names_of`.
    out : Path
    key : str
        What the pipeline is, see `vision.fingerprints.pipeline_key`.
    options : Options
    ledger : Ledger
        Open for writing.
    shown : object
        What is told of each file, see `vision.progress.progress_of`.
    """

    def __init__(self, identity, pipeline, images, names, out, key, options, ledger, shown):
        self.identity = identity
        self.images, self.out, self.key, self.options = images, out, key, options
        self.ledger, self.shown, self.pipeline = ledger, shown, pipeline
        self.resume = Resume(
            images,
            ledger,
            key,
            os.fspath(out),
            restart=options.restart,
            verify=options.verify,
            only_failed=options.retry_failed,
            names=names,
        )
        self.names = _feature_names(pipeline)
        self.label = options.part.label if options.part else ""
        self.replaced = False  # whether packed outputs were
        self.done = self.failed = self.kept = self.copied = self.vanished = self.paged = 0

    def begin(self, versions, head):
        """The first line of the run."""
        self.head = head | {
            "run": self.identity,
            "key": self.key,
            "started": time.time(),
            "files": len(self.images),
            "root": self.images.root,
            "versions": versions,
            "options": self.options.of_outputs,
        }
        self.versions = versions
        for older, entry in self.ledger.replaced_last():  # a crash may have come before this
            self._replace(older["outputs"], entry)
        heads = [*self.ledger.runs.values(), self.head]
        self.replaced |= len({head["key"] for head in heads}) > 1
        self.ledger.append([self.head], durable=self.options.durable != "none")

    def drive(self, plan, stopping):
        """Do everything."""
        durable = self.options.durable
        recorder = Recorder(
            self.out,
            overlay=self.options.overlay,
            format=self.options.format,
            quality=self.options.quality,
            names=self.names,
            owns=self.images.root is not None,  # pictures in memory are the caller's
        )
        work = Work(
            plan,
            recorder,
            self.identity,
            self.key,
            durable=durable != "none",
            ledger=self.ledger,
            packs=self._packs(),
            fresh=self.options.restart,
        )
        pace = Pace(
            self.images,
            self.resume.names,
            self._noted(self.resume.tasks()),
            largest=1 if durable == "file" else LARGEST,
            unit=BATCH if plan.batched else 1,
        )
        with self._executor(work) as executor:
            drive(executor, pace, self.take, stopping)
        if not stopping.signal and not self.options.retry_failed:
            gone = list(self.resume.vanished())
            self.vanished = len(gone)
            self.ledger.append(gone, durable=durable != "none")
        if self.replaced and not stopping.signal:
            remove_dead(self.out, self.label, self.ledger)
        if self.ledger.packed:
            trim(self.out, self.label, self.ledger)

    def _packs(self):
        """The archives that outputs go to; None if they are files."""
        if self.options.pack is None:
            return None
        unfilled = trim(self.out, self.label, self.ledger)
        before = [head["key"] for head in self.ledger.runs.values()][:-1]
        same = before[-1:] == [self.key] and not self.options.restart
        return Packs(
            self.identity,
            durable=self.options.durable != "none",
            overlay=self.options.overlay,
            label=self.label,
            unfilled=unfilled if same else {},
        )

    def _executor(self, work):
        options = self.options
        if options.workers is None and options.dask is None:
            return Threads(work, options.threads or _processors())
        return Cluster(
            work,
            self.pipeline,
            workers=options.workers,
            address=options.dask,
            timeout=options.timeout,
            memory_limit=options.memory_limit,
            earlier=not options.restart,
        )

    def _noted(self, tasks):
        """The tasks; files in between that are done already count as progress."""
        told = 0
        for task in tasks:
            unchanged = 0 if self.options.verify else self.resume.counts["unchanged"]
            self.shown.skip(unchanged - told)
            told = unchanged
            yield task
        self.shown.skip(self.resume.counts["unchanged"] * (not self.options.verify) - told)

    def take(self, entries):
        """Keep the entries of a chunk, then remove outputs that they replace."""
        older = [self._outputs(entry["name"]) for entry in entries]
        kept = [entry.pop("kept", False) for entry in entries]
        made = [entry.pop("made", ()) for entry in entries]
        for entry, outputs in zip(entries, older):
            if "error" in entry and entry["error"]["error"] == WriteError.__name__:
                entry["outputs"] = outputs  # they are as good as they were
        self.ledger.append(entries, durable=self.options.durable != "none")
        for entry, outputs, same, new in zip(entries, older, kept, made):
            failed = "error" in entry
            self.paged += "pages" in entry
            self.kept += same
            self.copied += "copied" in entry and not same
            self.failed += failed
            self.done += not (same or failed)
            self._replace(outputs, entry)
            for path in set(new).difference(path for path, *_ in entry["outputs"]) if new else ():
                Path(self.out, path).unlink(missing_ok=True)
            self.shown.advance(failed)

    def _replace(self, older, entry):
        """Remove outputs that an entry replaces."""
        now = {path for path, *_ in entry["outputs"]} if older else ()
        for output in older:
            if is_packed(output[0]):
                self.replaced |= output[0] not in now
            elif output[0] not in now:
                remove_replaced(self.out, output)

    def _outputs(self, name):
        entry = self.ledger.get(name)
        return entry["outputs"] if entry else []

    def summary(self, seconds, written, notes):
        """How it ended."""
        skipped = 0 if self.options.verify else self.resume.counts["unchanged"]
        tables = [None if self.options.part else self.out / name for name in (RESULTS, ERRORS)]
        return RunSummary(
            self.done,
            self.failed,
            skipped + self.kept,
            seconds,
            self.out,
            *tables,
            (*notes, *self._notes(written)),
        )

    def reported(self, summary, digest, stopping):
        """The summary with the page of the run, or with the reason why there is none."""
        counts = {
            "done": self.done,
            "of these taken over": self.copied,
            "failed": self.failed,
            "unchanged": summary.unchanged,
            "gone from the source": self.vanished,
        }
        try:
            page = write_report(
                self.out,
                self.head,
                digest,
                counts,
                images=self.images,
                names=self.resume.names,
                seconds=summary.seconds,
                notes=summary.notes,
                stopping=stopping,
            )
        except Exception as error:  # what was done is done, with or without a page that shows it
            return replace(summary, notes=(*summary.notes, f"there is no report: {error}"))
        return replace(summary, report=page)

    def _notes(self, written):
        counts = self.resume.counts
        before = next(iter([*self.ledger.runs.values()][-2:-1]), self.head)["root"]
        changed = counts["changed"] - self.kept * (not self.options.verify)
        if before != self.images.root and changed > 0:
            yield f"{_files(changed)} of another content than those of that name in {before!r}"
        if counts["edited"]:
            yield f"{_files(counts['edited'])} done again: the pipeline or an option was edited"
        if counts["altered"]:
            yield f"{_files(counts['altered'])} done again: an output was altered or removed"
        if self.copied:
            yield f"{_files(self.copied)} taken over: the content was done under another name"
        paged = self.paged + self.resume.paged
        if paged:
            have = "has" if paged == 1 else "have"
            yield f"{_files(paged)} {have} more than one page or frame: the first was read"
        if self.vanished:
            yield f"{_files(self.vanished)} gone from the source: outputs stay, see vanished.csv"
        if self.ledger.damaged:
            yield f"{self.ledger.damaged} damaged lines of the ledger were ignored"
        for run, count in self.resume.runs.items():
            differ = _differing(self.ledger.runs.get(run, {}).get("versions", {}), self.versions)
            if differ:
                yield f"{_files(count)} unchanged, but done by {differ}: restart does them again"
        if self.options.part:
            yield f"the tables of all shards are written by: vision merge {self.out}"
        if not written:
            yield "the tables were not written anew: the next run does so"


def _files(count):
    return f"{count} file{'' if count == 1 else 's'}"


def _differing(before, now):
    """The versions of another run where they are not those that run now."""
    return ", ".join(f"{name} {was}" for name, was in before.items() if now.get(name, was) != was)


def _feature_names(pipeline):
    """The names of the features that the last step gives, where it knows them."""
    last = pipeline.steps[-1][1]
    try:
        return [str(name) for name in last.get_feature_names_out()]
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return []


def _processors():
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
