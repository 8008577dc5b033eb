"""Walks every call that the simulated organization answers, with boto3 and the AWS CLI, and holds it against the facts
that it lists with `--truth`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

import truth
from aws import Party, error_code, unless
from columns import (
    CONTACT_KINDS,
    Row,
    contact_columns,
    listing_columns,
    parse_time,
    policy_columns,
    report_rows,
    split_report,
    summary_flags,
)

Facts = dict[str, Any]

# `ListAccounts` never gives more at once.
_PAGE = 20

# Users of each account whose keys are listed too, a call for each.
_KEYS_OF = 2


def agree(what: str, expected: Any, found: Any) -> None:
    """Ends the walk where the answer is not what the facts say."""
    if expected != found:
        raise SystemExit(f"{what}:\nexpected {expected!r}\nfound    {found!r}")


def refused(what: str, code: str, call: Any, **arguments: Any) -> None:
    """Ends the walk unless the call is refused with this code."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        agree(what, code, error_code(error))
    else:
        answer.pop("ResponseMetadata", None)
        raise SystemExit(f"{what}: {code} was expected, the answer is {answer!r}")


def walk_organization(caller: Party, facts: list[Facts]) -> None:
    """Who asks, which organization it is, and its accounts page by page."""
    management = next(account for account in facts if account["is_management"])
    identity = caller.client("sts").get_caller_identity()
    agree("the caller's account", management["account_id"], identity["Account"])
    organization = caller.client("organizations").describe_organization()["Organization"]
    agree("the organization's id", management["path"].split("/")[0], organization["Id"])
    agree("the management account", management["account_id"], organization["MasterAccountId"])

    features = set(caller.client("iam").list_organizations_features()["EnabledFeatures"])
    names = {"RootCredentialsManagement": "root_credentials_management", "RootSessions": "root_sessions"}
    agree("the features", {name for name, key in names.items() if management["features"][key]}, features)

    pages = list(caller.client("organizations").get_paginator("list_accounts").paginate())
    listed = [listing_columns(account) for page in pages for account in page["Accounts"]]
    expected = [truth.account_row(account) for account in facts]
    agree("the number of accounts", len(expected), len(listed))
    for account, found in zip(expected, listed):
        agree(f"the listing of {account['account_id']}", {name: account[name] for name in found}, found)
    agree("the largest page", True, max(len(page["Accounts"]) for page in pages) <= _PAGE)
    empty = [page for page in pages if not page["Accounts"]]
    agree("an empty page with a token", True, any("NextToken" in page for page in empty))


def walk_account(owner: Party, facts: Facts) -> None:
    """Every call inside an account: answered as the facts say, or refused as they say."""
    account_id, denied = facts["account_id"], set(facts["denied_calls"])
    expected = truth.account_row({**facts, "denied_calls": [], "role": "granted"})
    # What each call answers by itself, not what it comes to together with the others.
    expected |= facts["summary"] | {"root_virtual_mfa": facts["root_virtual_mfa"]}
    identity = owner.client("sts").get_caller_identity()
    agree("the account of the session", account_id, identity["Account"])
    iam, account = owner.client("iam"), owner.client("account")
    reads: dict[str, Callable[[], Row]] = {
        "iam:GetAccountSummary": lambda: _summary(iam),
        "iam:GetAccountPasswordPolicy": lambda: _policy(iam),
        "iam:ListVirtualMFADevices": lambda: _root_virtual_mfa(iam, facts),
        "iam:ListAccountAliases": lambda: _alias(iam),
        "account:GetAlternateContact": lambda: _contacts(account),
    }
    for action, read in reads.items():
        if action not in denied:
            found = read()
            agree(f"{action} in {account_id}", {name: expected[name] for name in found}, found)
            continue
        try:
            read()
        except ClientError as error:
            agree(f"{action} in {account_id}", "AccessDenied", error_code(error).removesuffix("Exception"))
        else:
            raise SystemExit(f"{action} in {account_id} is answered, though the facts say that it is denied")
    if not {"iam:GenerateCredentialReport", "iam:GetCredentialReport"} & denied:
        walk_report(iam, facts)
    walk_users(iam, facts)


def _summary(iam: Any) -> Row:
    summary = iam.get_account_summary()["SummaryMap"]
    return {"users": summary["Users"], **summary_flags(summary)}


def _policy(iam: Any) -> Row:
    answer = unless("NoSuchEntity", iam.get_account_password_policy)
    return policy_columns(answer and answer["PasswordPolicy"])


def _alias(iam: Any) -> Row:
    return {"account_alias": next(iter(iam.list_account_aliases()["AccountAliases"]), None)}


def _contacts(account: Any) -> Row:
    row: Row = {}
    for kind in CONTACT_KINDS:
        answer = unless("ResourceNotFoundException", account.get_alternate_contact, AlternateContactType=kind.upper())
        row |= contact_columns(kind, answer and answer["AlternateContact"])
    return row


def _root_virtual_mfa(iam: Any, facts: Facts) -> Row:
    """All at once, and page by page: both must find the same devices."""
    devices = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    paginator = iam.get_paginator("list_virtual_mfa_devices")
    pages = paginator.paginate(AssignmentStatus="Assigned", PaginationConfig={"PageSize": 1})
    paged = [device for page in pages for device in page["VirtualMFADevices"]]
    serials = [device["SerialNumber"] for device in devices]
    agree(f"the devices by page in {facts['account_id']}", serials, [device["SerialNumber"] for device in paged])
    is_roots = any(device.get("User", {}).get("Arn", "").endswith(":root") for device in devices)
    return {"root_virtual_mfa": is_roots}


def walk_report(iam: Any, facts: Facts) -> None:
    """The credential report, made if need be, line by line."""
    while iam.generate_credential_report()["State"] != "COMPLETE":
        pass
    report = iam.get_credential_report()
    lines = split_report(report["Content"])
    agree(f"the lines of the report of {facts['account_id']}", len(facts["users"]) + 1, len(lines))
    found = {row["user"]: row for row in report_rows(lines[0], lines[1:])}
    for user in map(truth.user_columns, facts["users"]):
        if user["user"] in found:
            told = {name: found[user["user"]][name] for name in user}
            agree(f"the report of {facts['account_id']} on {user['user']}", user, told)
        else:
            # AWS does not say how it writes commas; a reader of plain CSV cannot tell those of a name from the others.
            agree(f"{user['arn']}, which the report leaves out, has a comma", True, "," in user["arn"])


def walk_users(iam: Any, facts: Facts) -> None:
    """The users page by page, and the keys of the first few. Orgsweep asks for neither; other tools do."""
    pages = iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 4})
    listed = {user["UserName"]: user for page in pages for user in page["Users"]}
    users = [user for user in facts["users"] if not user["is_root"] and not user["deleted"]]
    agree(f"the users listed in {facts['account_id']}", {user["user"] for user in users}, set(listed))
    for user in users:
        found = listed[user["user"]]
        expected = (user["arn"], parse_time(user["user_creation_time"]))
        agree(f"{user['user']} as it is listed", expected, (found["Arn"], found["CreateDate"]))
    for user in users[:_KEYS_OF]:
        keys = iam.list_access_keys(UserName=user["user"])["AccessKeyMetadata"]
        present = [key for key in user["access_keys"] if key["last_rotated"]]
        expected_keys = [(key["id"], "Active" if key["active"] else "Inactive") for key in present]
        agree(f"the keys of {user['arn']}", expected_keys, [(key["AccessKeyId"], key["Status"]) for key in keys])
    for user in facts["users"]:
        if user["deleted"]:
            refused(f"the keys of {user['arn']}", "NoSuchEntity", iam.list_access_keys, UserName=user["user"])


def walk_root(caller: Party, facts: Facts) -> None:
    """A root session: the four calls of an audit, and none of the others."""
    account_id, audit = facts["account_id"], facts["root_audit"]
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
    assume = caller.client("sts").assume_root
    if audit is None:
        refused(f"a root session in {account_id}", "AccessDenied", assume, TargetPrincipal=account_id, TaskPolicyArn=task)
        return
    credentials = assume(TargetPrincipal=account_id, TaskPolicyArn=task)["Credentials"]
    root = Party.holding(credentials)
    iam = root.client("iam")
    has_password = unless("NoSuchEntity", iam.get_login_profile) is not None
    agree(f"the root password of {account_id}", audit["has_password"], has_password)
    keys = [key["AccessKeyId"] for key in iam.list_access_keys()["AccessKeyMetadata"]]
    agree(f"the root keys of {account_id}", audit["access_key_ids"], keys)
    serials = [device["SerialNumber"] for device in iam.list_mfa_devices()["MFADevices"]]
    agree(f"the root MFA devices of {account_id}", audit["has_mfa"], bool(serials))
    agree(f"virtual ones in {account_id}", audit["has_virtual_mfa"], any(":mfa/" in serial for serial in serials))
    certificates = iam.list_signing_certificates()["Certificates"]
    agree(f"the root certificates of {account_id}", audit["signing_certificates"], len(certificates))
    refused(f"the summary as root of {account_id}", "AccessDenied", iam.get_account_summary)


def walk_tags(caller: Party, facts: Facts) -> None:
    """The account's tags, page by page."""
    pages = caller.client("organizations").get_paginator("list_tags_for_resource")
    tags = [tag for page in pages.paginate(ResourceId=facts["account_id"]) for tag in page["Tags"]]
    found = sorted((tag["Key"], tag["Value"]) for tag in tags)
    agree(f"the tags of {facts['account_id']}", sorted((tag["key"], tag["value"]) for tag in facts["tags"]), found)


def walk_command_line(facts: list[Facts]) -> None:
    """Two calls through the AWS CLI, which is one more client that nobody here wrote."""
    identity = _aws("sts", "get-caller-identity")
    agree("the CLI's account", True, any(account["account_id"] == identity["Account"] for account in facts))
    listed = [account["Id"] for account in _aws("organizations", "list-accounts")["Accounts"]]
    agree("the CLI's accounts", [account["account_id"] for account in facts], listed)


def _aws(*words: str) -> Any:
    command = [sys.executable, "-m", "awscli", *words, "--output", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth")
    parser.add_argument("--role-name", default="orgsweep-scanner")
    arguments = parser.parse_args()

    facts = list(truth.read_truth(arguments.truth))
    caller = Party()
    walk_organization(caller, facts)
    walk_command_line(facts)
    opened = 0
    for account in facts:
        walk_tags(caller, account)
        if account["is_management"] or truth.is_opened(account):
            walk_root(caller, account)
        role = f"arn:aws:iam::{account['account_id']}:role/{arguments.role_name}"
        if account["is_management"]:
            walk_account(caller, account)
        elif truth.is_opened(account):
            walk_account(caller.assume(role), account)
        else:
            refused(f"opening {account['account_id']}", "AccessDenied", caller.assume, role_arn=role)
            continue
        opened += 1
    print(f"{len(facts)} accounts agree, {opened} of them opened")


if __name__ == "__main__":
    main()
