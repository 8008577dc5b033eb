"""Reads, through boto3, everything of an organization that orgsweep should have, and prints a JSON line an account.

The users are read one by one through IAM's own calls. The credential report is there too, as lines of fields: it is
what orgsweep reads, so it is the second witness and not the first.
"""

from __future__ import annotations

import json
from typing import Any

from aws import Party, list_accounts, unless
from columns import split_report


def read_user(iam: Any, user: dict[str, Any]) -> dict[str, Any]:
    """One user with its password, keys and MFA devices."""
    name = user["UserName"]
    keys = []
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
        keys.append({**key, "LastUsedDate": used.get("LastUsedDate")})
    return {
        **user,
        "has_password": unless("NoSuchEntity", iam.get_login_profile, UserName=name) is not None,
        "mfa_devices": len(iam.list_mfa_devices(UserName=name)["MFADevices"]),
        "keys": keys,
    }


def read_contacts(account: Any) -> dict[str, Any]:
    """The alternate contacts by type; `None` where there is none."""
    contacts = {}
    for kind in ("BILLING", "OPERATIONS", "SECURITY"):
        answer = unless("ResourceNotFoundException", account.get_alternate_contact, AlternateContactType=kind)
        contacts[kind.lower()] = answer and answer["AlternateContact"]
    return contacts


def read_report(iam: Any) -> tuple[str, list[list[str]]]:
    """When the report was made, and its lines as fields."""
    while iam.generate_credential_report()["State"] != "COMPLETE":
        pass
    report = iam.get_credential_report()
    return report["GeneratedTime"].isoformat(), split_report(report["Content"])


def read_account(owner: Party) -> dict[str, Any]:
    """What an account says of itself."""
    iam = owner.client("iam")
    pages = iam.get_paginator("list_users").paginate()
    generated_at, report = read_report(iam)
    policy = unless("NoSuchEntity", iam.get_account_password_policy)
    return {
        "summary": iam.get_account_summary()["SummaryMap"],
        "aliases": iam.list_account_aliases()["AccountAliases"],
        "password_policy": policy and policy["PasswordPolicy"],
        "contacts": read_contacts(owner.client("account")),
        "users": [read_user(iam, user) for page in pages for user in page["Users"]],
        "report_generated_at": generated_at,
        "report": report,
    }


def main() -> None:
    caller = Party()
    own_account = caller.client("sts").get_caller_identity()["Account"]
    organization = caller.client("organizations").describe_organization()["Organization"]
    for account in list_accounts(caller):
        facts = {"account": account, "organization": organization, "read": None}
        if account["State"] == "ACTIVE":
            role = f"arn:aws:iam::{account['Id']}:role/OrganizationAccountAccessRole"
            facts["read"] = read_account(caller if account["Id"] == own_account else caller.assume(role))
        print(json.dumps(facts, default=lambda time: time.isoformat()))


if __name__ == "__main__":
    main()
