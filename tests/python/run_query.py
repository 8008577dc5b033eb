"""Runs the query that stands in a summary, as a user would who pastes it into DuckDB."""

from __future__ import annotations

import re
import sys

import duckdb

_STATEMENT = re.compile(r"^(?:SELECT|WITH|FROM)\b.*?;$", re.MULTILINE | re.DOTALL)


def main() -> None:
    text = sys.stdin.read()
    found = _STATEMENT.search(text)
    if not found:
        raise SystemExit(f"there is no query in:\n{text}")
    rows = duckdb.sql(found.group()).fetchall()
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
