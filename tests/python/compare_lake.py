"""Holds a lake against facts that orgsweep did not make: every row and column of `accounts` and `credentials`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import moto_facts
import truth
from columns import Row
from lake import Run

_SHOWN = 20


def differences(expected: list[Row], found: list[Row], key: Callable[[Row], Any]) -> Iterator[str]:
    """What differs between the rows that should be and those that are, row by row and column by column."""
    expected_by_key = {key(row): row for row in expected}
    found_by_key = {key(row): row for row in found}
    if len(found_by_key) != len(found):
        yield f"{len(found) - len(found_by_key)} rows are there more than once"
    if [key(row) for row in found] != sorted(found_by_key):
        yield "the rows are not sorted"
    for missing in sorted(expected_by_key.keys() - found_by_key.keys()):
        yield f"{missing} is missing"
    for extra in sorted(found_by_key.keys() - expected_by_key.keys()):
        yield f"{extra} is there and should not be"
    for name in sorted(expected_by_key.keys() & found_by_key.keys()):
        yield from _row_differences(name, expected_by_key[name], found_by_key[name])


def _row_differences(name: Any, expected: Row, found: Row) -> Iterator[str]:
    for column in sorted(expected.keys() | found.keys()):
        if column not in expected or column not in found:
            yield f"{name}: column {column} is only in the {'lake' if column in found else 'facts'}"
        elif expected[column] == truth.MADE_BY_THE_SWEEP:
            if not isinstance(found[column], datetime):
                yield f"{name}.{column}: a time is expected, the lake has {found[column]!r}"
        elif expected[column] != found[column]:
            yield f"{name}.{column}: expected {expected[column]!r}, the lake has {found[column]!r}"


def _read_facts(arguments: argparse.Namespace) -> tuple[list[Row], list[Row]]:
    if arguments.truth:
        accounts, asked = list(truth.read_truth(arguments.truth)), frozenset(arguments.asked)
        rows = [row for facts in accounts for row in truth.credential_rows(facts, asked)]
        return [truth.account_row(facts, asked) for facts in accounts], rows
    with open(arguments.moto, encoding="utf-8") as lines:
        accounts = [json.loads(line) for line in lines]
    rows = [row for facts in accounts for row in moto_facts.credential_rows(facts)]
    return [moto_facts.account_row(facts) for facts in accounts], rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake")
    parser.add_argument("run_id")
    facts = parser.add_mutually_exclusive_group(required=True)
    facts.add_argument("--truth", help="the file that `orgsweep sim --truth` wrote")
    facts.add_argument("--moto", help="the lines that read_moto.py printed")
    parser.add_argument("--asked", nargs="*", default=[], choices=["root_audit", "key_ids", "account_tags"])
    arguments = parser.parse_args()

    accounts, credentials = _read_facts(arguments)
    run = Run(arguments.lake, arguments.run_id)
    compared: list[tuple[str, list[Row], Callable[[Row], Any]]] = [
        ("accounts", accounts, lambda row: row["account_id"]),
        ("credentials", credentials, lambda row: (row["account_id"], row["user"])),
    ]
    found = [f"{table}: {line}" for table, rows, key in compared for line in differences(rows, run.rows(table), key)]
    if found:
        raise SystemExit("\n".join([f"{len(found)} differences", *found[:_SHOWN]]))
    print(f"{len(accounts)} accounts and {len(credentials)} credentials agree")


if __name__ == "__main__":
    main()
