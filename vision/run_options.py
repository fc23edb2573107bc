"""The options of `vision.run`, checked before anything is read or written."""

from dataclasses import dataclass

from vision.checks import check_bool, check_choice, check_integer, refuse
from vision.cluster_options import check_cluster
from vision.encoding import format_of
from vision.parquet_table import require_parquet
from vision.records import LOSSY
from vision.shards import Shard

DURABLE = ("chunk", "file", "none")
TABLES = ("csv", "parquet")
PACKS = ("tar",)


@dataclass
class Options:
    """The options of `vision.run`, where each is explained; `check` makes them ready for use."""

    overlay: bool
    format: str | None
    quality: int | None
    restart: bool
    retry_failed: bool
    verify: bool
    durable: str
    threads: int | None
    workers: int | None
    dask: str | None
    timeout: float | None
    memory_limit: int | str | None
    tables: str | list
    report: bool
    shard: str | None
    pack: str | None

    def check(self, progress):
        """Refuse what makes no sense; the format gets its one name."""
        for name in ("overlay", "restart", "retry_failed", "verify", "report"):
            check_bool(name, getattr(self, name), owner="run")
        if progress is not None:
            check_bool("progress", progress, owner="run")
        if self.restart and self.retry_failed:
            refuse("retry_failed", True, "left out with restart, which does everything", "run")
        check_choice("durable", self.durable, DURABLE, owner="run")
        self._check_tables()
        if self.pack is not None:
            check_choice("pack", self.pack, PACKS, owner="run")
        self.part = None if self.shard is None else Shard.of(self.shard)
        if self.threads is not None:
            check_integer("threads", self.threads, owner="run", at_least=1)
        names = ("threads", "workers", "dask", "timeout", "memory_limit")
        self.memory_limit = check_cluster(**{name: getattr(self, name) for name in names})
        self.format = None if self.format is None else format_of(self.format, owner="run")
        if self.quality is not None:
            check_integer("quality", self.quality, owner="run", at_least=1, at_most=100)
            if self.format is not None and self.format not in LOSSY:
                allowed = f"left out for {self.format}, which is lossless"
                refuse("quality", self.quality, allowed, "run")

    def _check_tables(self):
        """One or several names become a tuple."""
        asked = self.tables.split(",") if isinstance(self.tables, str) else self.tables
        if not isinstance(asked, list | tuple) or not asked or set(asked) - set(TABLES):
            refuse("tables", self.tables, "'csv', 'parquet' or 'csv,parquet'", "run")
        self.tables = tuple(asked)
        if "parquet" in asked:
            require_parquet()

    @property
    def of_outputs(self):
        """The options that change what is written."""
        names = ("overlay", "format", "quality", "pack")
        return {name: getattr(self, name) for name in names}
