"""What a careful boto3 script does for the same accounts: 32 threads, one botocore session, one client for each
account and service, the same calls, the reports parsed by the csv module. No checks, and no tables: rows are counted.

    python3 benches/boto3_sweep.py ROLE_NAME ACCOUNTS
"""

import csv
import io
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

THREADS = 32
CONFIG = Config(max_pool_connections=THREADS, retries={"max_attempts": 1})


def client(session, service, keys):
    return session.client(
        service,
        config=CONFIG,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def report(iam):
    while True:
        try:
            return iam.get_credential_report()["Content"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("ReportNotPresent", "ReportExpired"):
                iam.generate_credential_report()
            elif code != "ReportInProgress":
                raise


def absent_is_none(call):
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchEntity", "ResourceNotFoundException"):
            return None
        raise


def sweep(session, sts, role_arn):
    keys = sts.assume_role(RoleArn=role_arn, RoleSessionName="boto3")["Credentials"]
    iam, account = client(session, "iam", keys), client(session, "account", keys)
    rows = sum(1 for _ in csv.DictReader(io.StringIO(report(iam).decode())))
    if iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"]:
        iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")
    absent_is_none(iam.get_account_password_policy)
    iam.list_account_aliases()
    for kind in ("BILLING", "OPERATIONS", "SECURITY"):
        absent_is_none(lambda kind=kind: account.get_alternate_contact(AlternateContactType=kind))
    return rows


def main():
    role, limit = sys.argv[1], int(sys.argv[2])
    started = time.monotonic()
    session = boto3.Session()
    sts = session.client("sts", config=CONFIG)
    caller = sts.get_caller_identity()["Account"]
    pages = session.client("organizations", config=CONFIG).get_paginator("list_accounts").paginate()
    usable = (a["Id"] for page in pages for a in page["Accounts"] if a["State"] in ("ACTIVE", "PENDING_CLOSURE"))
    members = [a for a in usable if a != caller][:limit]

    def one(account):
        try:
            return sweep(session, sts, f"arn:aws:iam::{account}:role/{role}")
        except ClientError:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(one, members))
    read = [count for count in rows if count is not None]
    print(json.dumps({"accounts": len(members), "read": len(read), "rows": sum(read), "seconds": time.monotonic() - started}))


main()
