"""Opens a committed run as its users would, with pyarrow and with DuckDB: types, counts, times, and the query that
orgsweep offers for pasting."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lake import TABLES, Run

_SEVERITIES = {"critical", "high", "medium", "low", "informational"}


def check(what: str, expected: object, found: object) -> None:
    """Ends the check where something is not as expected."""
    if expected != found:
        raise SystemExit(f"{what}:\nexpected {expected!r}\nfound    {found!r}")


def read_golden(path: str) -> dict[str, list[str]]:
    """The columns of each table in the golden schema file, one text a column."""
    tables: dict[str, list[str]] = {}
    for line in Path(path).read_text().splitlines():
        if line and not line.startswith(" "):
            columns = tables.setdefault(line, [])
        elif line:
            columns.append(line.strip())
    return tables


def check_schema(run: Run, golden: dict[str, list[str]]) -> None:
    """Names, order, types and nullability are those of the golden file, in every file."""
    for name in TABLES:
        for path in run.files(name):
            found = [_describe(field) for field in pq.read_schema(path)]
            check(f"the columns of {path}", golden[name], found)


def _describe(field: pa.Field) -> str:
    return f"{field.name}: {field.type}{'' if field.nullable else ' not null'}"


def check_times(run: Run) -> None:
    """Every time is stored as whole milliseconds in UTC, which is what Athena reads."""
    for path in (path for name in TABLES for path in run.files(name)):
        file = pq.ParquetFile(path)
        for column in (file.schema.column(index) for index in range(len(file.schema))):
            check(f"{path}.{column.name} is no INT96", False, column.physical_type == "INT96")
            if column.logical_type.type == "TIMESTAMP":
                stored = json.loads(column.logical_type.to_json())
                check(f"{path}.{column.name} is stored as", "INT64", column.physical_type)
                check(f"{path}.{column.name} is in UTC", True, stored["isAdjustedToUTC"])
                check(f"{path}.{column.name} is in", "milliseconds", stored["timeUnit"])
        for group in range(file.num_row_groups):
            columns = (file.metadata.row_group(group).column(index) for index in range(len(file.schema)))
            check(f"the compression of {path}", {"ZSTD"}, {column.compression for column in columns})


def check_counts(run: Run) -> None:
    """Both readers count what `commit.json` counts, and no file lies in the tables' folders beside the committed."""
    for name in TABLES:
        entries = run.entries(name)
        for entry in entries:
            path = run.folder / entry["path"]
            check(f"the bytes of {path}", entry["bytes"], path.stat().st_size)
            check(f"the rows of {path}", entry["rows"], pq.ParquetFile(path).metadata.num_rows)
        files = [str(path) for path in run.files(name)]
        counted = duckdb.execute("select count(*) from read_parquet(?)", [files]).fetchone()
        check(f"DuckDB's count of {name}", (sum(entry["rows"] for entry in entries),), counted)
        lying = {str(path) for path in (run.folder / name).glob(f"dt=*/run={run.manifests.name}/*")}
        check(f"the files of {name}", set(files), lying)


def check_verdicts(run: Run) -> None:
    """Every account has a verdict on every check, and as many findings as its verdicts count."""
    accounts = [row["account_id"] for row in run.rows("accounts")]
    results = run.rows("check_results")
    checks = {row["check_id"] for row in results}
    pairs = Counter((row["account_id"], row["check_id"]) for row in results)
    expected = Counter((account, check_id) for account in accounts for check_id in checks)
    check("one verdict for each account and check", expected, pairs)
    findings = run.rows("findings")
    for status, column in (("fail", "failed"), ("unknown", "unknown")):
        found = Counter((row["account_id"], row["check_id"]) for row in findings if row["status"] == status)
        counted = Counter({(row["account_id"], row["check_id"]): row[column] for row in results if row[column]})
        check(f"findings that are {status}", counted, found)
    check("other findings", set(), {row["status"] for row in findings} - {"fail", "unknown"})
    check("other severities", set(), {row["severity"] for row in results + findings} - _SEVERITIES)
    check("findings with an id of their own", len(findings), len({row["finding_id"] for row in findings}))
    unexplained = [row for row in results + findings if row["status"] == "unknown" and not row["reason"]]
    check("unknowns without a reason", [], unexplained)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake")
    parser.add_argument("run_id")
    parser.add_argument("--golden", required=True, help="the golden schema file")
    parser.add_argument("--query", help="the DuckDB query that the summary offers")
    arguments = parser.parse_args()

    run = Run(arguments.lake, arguments.run_id)
    check_schema(run, read_golden(arguments.golden))
    check_times(run)
    check_counts(run)
    check_verdicts(run)
    if arguments.query:
        answer = duckdb.sql(arguments.query)
        if not answer or not answer.columns:
            raise SystemExit("the offered query answers with nothing")
        print(f"the offered query answers with {len(answer.fetchall())} rows")
    print(f"run {arguments.run_id} opens")


if __name__ == "__main__":
    main()
