"""Tries, with boto3, what the simulated organization must refuse, as AWS does."""

from __future__ import annotations

import argparse
import json

import truth
from aws import Party
from walk_sim import agree, refused


def guard_credentials() -> None:
    """Keys that nobody gave out."""
    stranger = Party(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/EXAMPLEKEY")
    refused("unknown keys at STS", "InvalidClientTokenId", stranger.client("sts").get_caller_identity)
    refused("unknown keys at IAM", "InvalidClientTokenId", stranger.client("iam").get_account_summary)
    refused(
        "unknown keys at Organizations",
        "UnrecognizedClientException",
        stranger.client("organizations").list_accounts,
    )


def guard_roles(caller: Party, member: str, role_name: str, options: dict[str, str]) -> None:
    """Roles that are not there, accounts that are not of the organization, durations that AWS does not grant."""
    for what, account, name in (
        ("a role that is not there", member, "no-such-role"),
        ("an account elsewhere", "999999999999", role_name),
    ):
        role = f"arn:aws:iam::{account}:role/{name}"
        refused(what, "AccessDenied", caller.assume, role_arn=role, **options)
    role = f"arn:aws:iam::{member}:role/{role_name}"
    refused("a session of 13 hours", "ValidationError", caller.assume, role_arn=role, DurationSeconds=46800, **options)


def guard_sessions(caller: Party, member: str, role_name: str, options: dict[str, str]) -> None:
    """A session does what its policy allows in the account that it is of, and nothing else."""
    role = f"arn:aws:iam::{member}:role/{role_name}"
    statement = {"Effect": "Allow", "Action": ["iam:GetAccountSummary"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    session = caller.assume(role, Policy=policy, **options)
    session.client("iam").get_account_summary()
    refused("a call outside the policy", "AccessDenied", session.client("iam").list_account_aliases)
    refused(
        "a contact outside the policy",
        "AccessDeniedException",
        session.client("account").get_alternate_contact,
        AlternateContactType="SECURITY",
    )
    refused("a broken policy", "MalformedPolicyDocument", caller.assume, role_arn=role, Policy="{", **options)
    member_session = caller.assume(role, **options)
    agree("whose session it is", member, member_session.client("sts").get_caller_identity()["Account"])
    refused(
        "a member that lists accounts", "AccessDeniedException", member_session.client("organizations").list_accounts
    )


def guard_external_id(caller: Party, member: str, role_name: str, external_id: str) -> None:
    """A role with an external id opens to those who know it."""
    role = f"arn:aws:iam::{member}:role/{role_name}"
    refused("no external id", "AccessDenied", caller.assume, role_arn=role)
    refused("a wrong external id", "AccessDenied", caller.assume, role_arn=role, ExternalId=f"{external_id}-not")
    caller.assume(role, ExternalId=external_id)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth")
    parser.add_argument("--role-name", default="orgsweep-scanner")
    parser.add_argument("--external-id")
    arguments = parser.parse_args()

    caller = Party()
    facts = truth.read_truth(arguments.truth)
    usable = (account for account in facts if not account["is_management"] and not truth.gaps(account))
    member = next(account["account_id"] for account in usable if truth.is_opened(account))
    options = {"ExternalId": arguments.external_id} if arguments.external_id else {}
    guard_credentials()
    guard_roles(caller, member, arguments.role_name, options)
    guard_sessions(caller, member, arguments.role_name, options)
    if arguments.external_id:
        guard_external_id(caller, member, arguments.role_name, arguments.external_id)
    print("everything that must be refused is refused")


if __name__ == "__main__":
    main()
