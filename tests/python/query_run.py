"""Answers one SQL query over the tables of a committed run, with DuckDB: a JSON array of rows, each an array."""

from __future__ import annotations

import json
import sys

import duckdb

from lake import TABLES, Run


def main() -> None:
    lake, run_id, query = sys.argv[1:]
    run = Run(lake, run_id)
    for name in TABLES:
        files = ", ".join(f"'{path}'" for path in run.files(name))
        duckdb.sql(f"CREATE VIEW {name} AS FROM read_parquet([{files}])")
    print(json.dumps(duckdb.sql(query).fetchall(), default=str))


if __name__ == "__main__":
    main()
