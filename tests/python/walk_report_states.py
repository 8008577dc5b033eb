"""Follows a credential report through its life, with boto3, under the profile that takes its time: not present, started,
in progress, complete, and the same one again for four hours."""

from __future__ import annotations

import argparse
import time
from typing import Any

from botocore.exceptions import ClientError

import truth
from aws import Party, error_code
from walk_sim import agree, refused

# Reports take seconds; a minute is a report that never comes.
_DEADLINE_S = 60
_POLL_S = 0.2


def follow(iam: Any) -> None:
    """The life of one report."""
    refused("a report before it is asked for", "ReportNotPresent", iam.get_credential_report)
    agree("the first answer", "STARTED", iam.generate_credential_report()["State"])
    refused("a report in the making", "ReportInProgress", iam.get_credential_report)
    agree("the second answer", "INPROGRESS", iam.generate_credential_report()["State"])
    report = _await_report(iam)
    agree("the last answer", "COMPLETE", iam.generate_credential_report()["State"])
    agree("the report again", report["GeneratedTime"], iam.get_credential_report()["GeneratedTime"])
    agree("its format", "text/csv", report["ReportFormat"])


def _await_report(iam: Any) -> Any:
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            return iam.get_credential_report()
        except ClientError as error:
            if error_code(error) != "ReportInProgress" or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth")
    parser.add_argument("--role-name", default="orgsweep-scanner")
    arguments = parser.parse_args()

    caller = Party()
    for account in truth.read_truth(arguments.truth):
        has_none_yet = account["report_generated_at"] is None and not account["is_management"]
        if has_none_yet and truth.is_opened(account) and not truth.gaps(account):
            role = f"arn:aws:iam::{account['account_id']}:role/{arguments.role_name}"
            follow(caller.assume(role).client("iam"))
            print(f"the report of {account['account_id']} went through every state")
            return
    raise SystemExit("no account without a report: nothing was followed")


if __name__ == "__main__":
    main()
