"""A second opinion on a run's verdicts, from the CIS AWS Foundations Benchmark and the controls of AWS Security Hub.

    cis_reading.py LAKE RUN_ID

Asks the organization again with boto3, as the caller that the environment names, and judges what AWS answers at the
run's `as_of`. Exits with 1 where the lake says otherwise. Written from the text of the controls, not from orgsweep's
rules; where the text leaves something open, a comment says which reading is meant.

A fact is true, false, or `None` where nobody tells it; of a fact that a check asks for: pass, fail, unknown.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Optional

from botocore.exceptions import ClientError

from aws import Party, error_code, list_accounts, unless
from lake import Run

Row = dict[str, str]
Fact = Optional[bool]
Judged = Iterator[tuple[str, Fact]]

WORKERS = 4
DIFFERENCES_SHOWN = 20

ROOT = "<root_account>"
NEVER = {"N/A", "no_information"}
CLOSED_STATES = {"SUSPENDED", "CLOSED", "PENDING_ACTIVATION"}
DENIED = {"AccessDenied", "AccessDeniedException"}


# Facts.


def both(*facts: Fact) -> Fact:
    """Whether all facts hold: one that does not decides, whatever the others are."""
    return False if False in facts else None if None in facts else True


def either(*facts: Fact) -> Fact:
    """Whether any of the facts holds: one that does decides, whatever the others are."""
    return True if True in facts else None if None in facts else False


def no(fact: Fact) -> Fact:
    return None if fact is None else not fact


def flag(text: str) -> Fact:
    """A flag of the report; root's password used to be `not_supported`."""
    return {"true": True, "false": False}.get(text.lower())


def moment(text: str) -> datetime | None:
    """A time of the report; nothing where it has a word instead."""
    # Python 3.10 does not read the `Z`.
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text[:1].isdigit() else None


def within(days: int, text: str, as_of: datetime) -> Fact:
    """Whether this time of the report is less than so many days ago."""
    at = moment(text)
    return None if at is None else as_of - at < timedelta(days=days)


# What AWS answers.


@dataclass
class Account:
    """What AWS tells of one account; `None` where it denied the answer."""

    as_of: datetime
    report: list[Row] | None = None
    summary: dict[str, int] | None = None
    # Empty where the account has none.
    policy: dict[str, Any] | None = None
    # Whether root has a virtual MFA device.
    virtual: Fact = None
    # Whether there is a contact of this kind.
    contacts: dict[str, Fact] = field(default_factory=dict)

    def root_row(self) -> Row | None:
        return next((row for row in self.report or [] if row["user"] == ROOT), None)

    def root(self, of_row: Callable[[Row], Fact], in_summary: str) -> Fact:
        """A fact about root, from the report's row and from the summary: nothing where they contradict each other."""
        row, count = self.root_row(), (self.summary or {}).get(in_summary)
        said = {None if row is None else of_row(row), None if count is None else count > 0} - {None}
        return said.pop() if len(said) == 1 else None

    def root_password(self) -> Fact:
        return self.root(lambda row: flag(row["password_enabled"]), "AccountPasswordPresent")

    def root_mfa(self) -> Fact:
        return self.root(lambda row: flag(row["mfa_active"]), "AccountMFAEnabled")

    def root_key(self) -> Fact:
        """Of an inactive key, the report keeps the time of its rotation."""
        return self.root(
            lambda row: any(key.active or moment(key.last_rotated) for key in keys(row)), "AccountAccessKeysPresent"
        )


def report_fields(line: str, columns: int) -> list[str]:
    """The fields of a line of the report. Names and paths may hold commas, and paths quotes, whether the report quotes
    them or not; the ARN ends with the user's name, and nothing behind the ARN holds a comma."""

    def named(fields: list[str]) -> bool:
        user, arn = fields[:2]
        return arn.endswith(":root" if user == ROOT else f"/{user}")

    fields = next(csv.reader([line]))
    if len(fields) != columns or not named(fields):
        parts = line.split(",")
        tail = len(parts) - (columns - 2)
        # A name has no colon.
        user, _, arn = ",".join(parts[:tail]).partition(",arn:")
        fields = [user, f"arn:{arn}", *parts[tail:]]
    if not named(fields):
        raise ValueError(f"not a line of a credential report: {line}")
    return fields


def get_report(iam: Any) -> list[Row]:
    """The rows of the account's report, made first."""
    while iam.generate_credential_report()["State"] != "COMPLETE":
        time.sleep(0.2)
    content = iam.get_credential_report()["Content"].decode()
    header, *lines = content.removesuffix("\n").split("\n")
    names = header.split(",")
    return [dict(zip(names, report_fields(line, len(names)), strict=True)) for line in lines]


def answer(call: Callable[[], Any]) -> Any:
    """What the call answers; `None` where it is denied."""
    try:
        return call()
    except ClientError as error:
        if error_code(error) not in DENIED:
            raise
        return None


def read_account(party: Party, as_of: datetime) -> Account:
    """Everything that the checks look at, as far as this party may read it."""
    iam, account = party.client("iam"), party.client("account")

    def get_policy() -> dict[str, Any]:
        return (unless("NoSuchEntity", iam.get_account_password_policy) or {}).get("PasswordPolicy", {})

    def has_virtual_root_mfa() -> bool:
        pages = iam.get_paginator("list_virtual_mfa_devices").paginate(AssignmentStatus="Assigned")
        return any(device["User"]["Arn"].endswith(":root") for page in pages for device in page["VirtualMFADevices"])

    def has_contact(kind: str) -> bool:
        found = unless("ResourceNotFoundException", account.get_alternate_contact, AlternateContactType=kind)
        return found is not None

    return Account(
        as_of,
        report=answer(lambda: get_report(iam)),
        summary=answer(lambda: iam.get_account_summary()["SummaryMap"]),
        policy=answer(get_policy),
        virtual=answer(has_virtual_root_mfa),
        contacts={kind: answer(lambda: has_contact(kind)) for kind in ("BILLING", "OPERATIONS", "SECURITY")},
    )


def central_root_access(caller: Party) -> Fact:
    """Whether the organization manages its members' root credentials; not if it does not let IAM in at all."""
    features = caller.client("iam").list_organizations_features
    found = answer(lambda: unless("ServiceAccessNotEnabledException", features) or {"EnabledFeatures": []})
    return None if found is None else "RootCredentialsManagement" in found["EnabledFeatures"]


# Checks on an account. Numbers are those of CIS 5.0 where nothing else is said.


def root_hardware_mfa(account: Account) -> Fact:
    """1.5. Virtual devices are one of its witnesses, and without them it is unknown, also where the others would do; nobody
    asks for them where the summary says that there is no MFA."""
    if account.virtual is None and (account.summary or {}).get("AccountMFAEnabled") != 0:
        return None
    return either(no(account.root_password()), both(account.root_mfa(), no(account.virtual)))


def root_unused(account: Account) -> Fact:
    """1.6. CIS names no time: thirty days are meant. Only the report tells of use."""
    row = account.root_row()
    if row is None:
        return None
    uses = [row["password_last_used"], *(key.last_used for key in keys(row))]
    return no(either(*(False if use in NEVER else within(30, use, account.as_of) for use in uses)))


def policy(asks: Callable[[dict[str, Any]], bool]) -> Callable[[Account], Fact]:
    """What a password policy must be like; an account without one fails."""
    return lambda account: None if account.policy is None else bool(account.policy) and asks(account.policy)


def required(*kinds: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a policy requires characters of these kinds."""
    return lambda policy: all(policy[f"Require{kind}"] for kind in kinds)


# IAM.7 with its defaults, which leave age and reuse out.
ALL_KINDS = required("UppercaseCharacters", "LowercaseCharacters", "Symbols", "Numbers")

ACCOUNT_CHECKS: dict[str, Callable[[Account], Fact]] = {
    "security-contact": lambda account: account.contacts.get("SECURITY"),  # 1.2
    "billing-contact": lambda account: account.contacts.get("BILLING"),
    "operations-contact": lambda account: account.contacts.get("OPERATIONS"),
    "root-access-key": lambda account: no(account.root_key()),  # 1.3
    "root-mfa": lambda account: either(no(account.root_password()), account.root_mfa()),  # 1.4
    "root-hardware-mfa": root_hardware_mfa,  # 1.5
    "root-unused": root_unused,  # 1.6
    "password-policy-length": policy(lambda policy: policy["MinimumPasswordLength"] >= 14),  # 1.7
    "password-policy-reuse": policy(lambda policy: policy.get("PasswordReusePrevention", 0) >= 24),  # 1.8
    "password-policy-uppercase": policy(required("UppercaseCharacters")),  # CIS 1.2: 1.5
    "password-policy-lowercase": policy(required("LowercaseCharacters")),  # CIS 1.2: 1.6
    "password-policy-symbol": policy(required("Symbols")),  # CIS 1.2: 1.7
    "password-policy-number": policy(required("Numbers")),  # CIS 1.2: 1.8
    "password-policy-expiry": policy(lambda policy: 1 <= policy.get("MaxPasswordAge", 0) <= 90),  # CIS 1.2: 1.11
    "password-policy-strong": policy(lambda policy: ALL_KINDS(policy) and policy["MinimumPasswordLength"] >= 8),
}


# Checks on users and their keys. Where it is not known whether a check looks at a user, it is unknown.


class Key(NamedTuple):
    """One key slot of a row."""

    name: str
    active: bool
    last_rotated: str
    last_used: str


def keys(row: Row) -> list[Key]:
    """Both slots, whether there is a key in them or not."""
    columns = ("active", "last_rotated", "last_used_date")
    slots = {f"access_key_{slot}": [row[f"access_key_{slot}_{column}"] for column in columns] for slot in (1, 2)}
    return [Key(f"{row['user']}#{slot}", bool(flag(active)), *times) for slot, (active, *times) in slots.items()]


def console_mfa(user: Row, _: datetime) -> Judged:
    """1.9: whoever has a console password has MFA."""
    password = flag(user["password_enabled"])
    if password is not False:
        yield user["user"], password and flag(user["mfa_active"])


def any_mfa(user: Row, _: datetime) -> Judged:
    """IAM.19: every user has MFA. Meant are those with anything to sign in or sign with."""
    names = ("password_enabled", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active")
    credential = either(*(flag(user[name]) for name in names))
    if credential is not False:
        yield user["user"], credential and flag(user["mfa_active"])


def key_at_creation(user: Row, _: datetime) -> Judged:
    """1.10: no key was made along with a console user and never used. CIS names neither the time between the two nor
    the key's state: five minutes and active keys are meant."""
    password, created = flag(user["password_enabled"]), moment(user["user_creation_time"])
    for key in keys(user):
        if key.active and password is not False:
            made = moment(key.last_rotated)
            along = abs(made - created) <= timedelta(minutes=5) if made and created else None
            yield key.name, password and no(both(key.last_used == "N/A", along))


def used(days: int) -> Callable[[Row, datetime], Judged]:
    """1.11, and 1.3 of CIS 1.2: all that is enabled was used within so many days. What was never used counts from when
    it was set; an enabled password of which the report says `N/A` says nothing."""

    def judge(user: Row, as_of: datetime) -> Judged:
        since = [key.last_rotated if key.last_used == "N/A" else key.last_used for key in keys(user) if key.active]
        password = flag(user["password_enabled"])
        if password is not False:
            never = user["password_last_used"] == "no_information"
            since.append(user["password_last_changed" if never else "password_last_used"] if password else "")
        if since:
            yield user["user"], both(*(within(days, text, as_of) for text in since))

    return judge


def one_active_key(user: Row, _: datetime) -> Judged:
    """1.12: not more than one key is active. Users without an active key are not looked at."""
    active = sum(key.active for key in keys(user))
    if active:
        yield user["user"], active == 1


def rotated(user: Row, as_of: datetime) -> Judged:
    """1.13: an active key is at most 90 days old."""
    for key in keys(user):
        made = moment(key.last_rotated)
        if key.active:
            yield key.name, None if made is None else as_of - made <= timedelta(days=90)


USER_CHECKS: dict[str, Callable[[Row, datetime], Judged]] = {
    "user-console-mfa": console_mfa,
    "user-mfa": any_mfa,
    "access-key-at-creation": key_at_creation,
    "credentials-unused": used(45),
    "credentials-long-unused": used(90),
    "user-one-active-key": one_active_key,
    "access-key-rotated": rotated,
}


# Verdicts.


class Verdict(NamedTuple):
    """What a check says of an account; of users and keys also how many passed or are unknown, and which failed."""

    status: str
    passed: int = 0
    unknown: int = 0
    failed: frozenset[str] | None = None


Verdicts = dict[tuple[str, str], Verdict]


def status_of(*facts: Fact) -> str:
    """The status of an account, from the facts about its parts."""
    return {True: "pass", False: "fail", None: "unknown"}[both(*facts)] if facts else "not_applicable"


def judge_users(check: Callable[[Row, datetime], Judged], account: Account) -> Verdict:
    """The verdict of a check on users or keys. Root is no user."""
    if account.report is None:
        return Verdict("unknown")
    users = [row for row in account.report if row["user"] != ROOT]
    judged = [pair for user in users for pair in check(user, account.as_of)]
    facts = [fact for _, fact in judged]
    failed = frozenset(name for name, fact in judged if fact is False)
    return Verdict(status_of(*facts), facts.count(True), facts.count(None), failed)


def judge_account(management: str, role_name: str, as_of: datetime, listed: dict[str, Any]) -> dict[str, Verdict]:
    """The verdict of every check on an entry of `ListAccounts`."""
    role = f"arn:aws:iam::{listed['Id']}:role/{role_name}"
    account = Account(as_of)
    if listed["State"] not in CLOSED_STATES:
        party = Party() if listed["Id"] == management else answer(lambda: Party().assume(role))
        account = read_account(party, as_of) if party else account
    verdicts = {check: Verdict(status_of(fact(account))) for check, fact in ACCOUNT_CHECKS.items()}
    return verdicts | {check: judge_users(on_user, account) for check, on_user in USER_CHECKS.items()}


def judge_organization(as_of: datetime, role_name: str) -> Verdicts:
    """The verdict of every check on every account of the caller's organization."""
    caller = Party()
    management = caller.client("organizations").describe_organization()["Organization"]["MasterAccountId"]
    listed = list(list_accounts(caller))
    # CIS 7.0, 2.1.1 is about the organization: meant is one verdict, on the management account.
    central = {entry["Id"]: Verdict("not_applicable") for entry in listed}
    central[management] = Verdict(status_of(central_root_access(caller)))
    # Processes and not threads: most of the time goes into making requests and reading answers.
    with ProcessPoolExecutor(WORKERS) as pool:
        judge = partial(judge_account, management, role_name, as_of)
        judged = list(pool.map(judge, listed, chunksize=8))
    verdicts = {(id, "central-root-access"): verdict for id, verdict in central.items()}
    for entry, by_check in zip(listed, judged):
        verdicts |= {(entry["Id"], check): verdict for check, verdict in by_check.items()}
    return verdicts


def lake_verdicts(run: Run) -> Verdicts:
    """The verdicts of the run, on the checks that are judged here."""
    failed: dict[tuple[str, str], set[str]] = {}
    for row in run.rows("findings"):
        if row["status"] == "fail" and row["check_id"] in USER_CHECKS:
            slot = re.search(r"#access_key_[12]$", row["resource_id"])
            name = row["user"] + (slot.group() if slot else "")
            failed.setdefault((row["account_id"], row["check_id"]), set()).add(name)

    verdicts = {}
    for row in run.rows("check_results"):
        at = row["account_id"], row["check_id"]
        if row["check_id"] in USER_CHECKS:
            names = frozenset(failed.get(at, ()))
            verdicts[at] = Verdict(row["status"], row["passed"], row["unknown"], names)
        elif row["check_id"] in ACCOUNT_CHECKS or row["check_id"] == "central-root-access":
            verdicts[at] = Verdict(row["status"])
    return verdicts


def difference(read: Verdict | None, in_lake: Verdict | None) -> str | None:
    """How the two differ; where the report was not read, only the status counts."""
    if read is None or in_lake is None:
        return "not in the lake" if read else "only in the lake"
    if read.status != in_lake.status:
        return f"{read.status} here, {in_lake.status} in the lake"
    if read.failed is None or read == in_lake:
        return None
    only_here, only_there = sorted(read.failed - in_lake.failed), sorted(in_lake.failed - read.failed)
    counts = f"passed {read.passed} and {in_lake.passed}, unknown {read.unknown} and {in_lake.unknown}"
    return f"fail only here {only_here}, fail only in the lake {only_there}, {counts}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lake")
    parser.add_argument("run_id")
    parser.add_argument("--role-name", default="orgsweep-scanner")
    options = parser.parse_args()

    run = Run(options.lake, options.run_id)
    read, in_lake = judge_organization(moment(run.commit["as_of"]), options.role_name), lake_verdicts(run)
    differences = {at: difference(read.get(at), in_lake.get(at)) for at in sorted(read.keys() | in_lake.keys())}
    differences = {at: text for at, text in differences.items() if text}
    for (account_id, check), text in list(differences.items())[:DIFFERENCES_SHOWN]:
        print(f"{account_id} {check}: {text}")
    if differences:
        print(f"{len(differences)} of {len(read)} verdicts differ")
        return 1
    print(f"{len({id for id, _ in read})} accounts agree on {len(read)} verdicts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
