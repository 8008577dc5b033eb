"""A lake as any reader of Parquet sees it: a run's `commit.json`, and exactly the files that it lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TABLES = ("accounts", "credentials", "findings", "check_results")


class Run:
    """A committed run of the lake in `folder`."""

    def __init__(self, folder: str, run_id: str) -> None:
        self.folder = Path(folder)
        self.manifests = self.folder / "_runs" / run_id
        self.commit: dict[str, Any] = json.loads((self.manifests / "commit.json").read_text())

    def entries(self, table: str) -> list[dict[str, Any]]:
        """The commit's entries for the files of a table: path, rows, bytes."""
        return next(entry["files"] for entry in self.commit["tables"] if entry["name"] == table)

    def files(self, table: str) -> list[Path]:
        """The committed files of a table."""
        return [self.folder / entry["path"] for entry in self.entries(table)]

    def table(self, name: str) -> pa.Table:
        """A whole table, in the order of its files."""
        return pa.concat_tables(pq.ParquetFile(path).read() for path in self.files(name))

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a table, times as aware datetimes."""
        return list(self.table(name).to_pylist())
