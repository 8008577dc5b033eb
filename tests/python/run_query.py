"""Runs the query that stands in a summary as a user would who pastes it: everything from `duckdb` or the first word of
SQL to the end of the statement."""

from __future__ import annotations

import re
import sys

import duckdb

_STATEMENT = re.compile(r"\b(?:select|with|from)\b[^;]*?read_parquet\(.*?;", re.IGNORECASE | re.DOTALL)


def main() -> None:
    text = sys.stdin.read()
    found = _STATEMENT.search(text)
    if not found:
        raise SystemExit(f"there is no query in:\n{text}")
    rows = duckdb.sql(found.group()).fetchall()
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
