"""The first eight checks once more, in plain Python from the text of the CIS benchmark, so that two who never met must
come to the same verdicts. Works on rows as the lake should hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from columns import Row

_MAX_KEY_AGE = timedelta(days=90)
_MAX_UNUSED = timedelta(days=45)
_MIN_LENGTH = 14
_MIN_REMEMBERED = 24


@dataclass
class Verdict:
    """What a check says of one account. Resources by ARN; those of keys end with their slot."""

    passed: int = 0
    failed: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    @property
    def status(self) -> str:
        """The account's status: the worst that was found."""
        if self.failed:
            return "fail"
        if self.unknown:
            return "unknown"
        return "pass" if self.passed else "not_applicable"

    def count(self, resource: str, fails: bool | None) -> None:
        """Counts one resource; `None` is unknown."""
        if fails is None:
            self.unknown.add(resource)
        elif fails:
            self.failed.add(resource)
        else:
            self.passed += 1


def judge(account: Row, credentials: list[Row], as_of: datetime) -> dict[str, Verdict]:
    """The verdict of each check on one account, given its row and those of its users."""
    unread = {gap["source"] for gap in account["unanswered"]}
    nothing = account["outcome"] in ("skipped", "failed")
    verdicts = {}
    for check_id, (source, resources) in _CHECKS.items():
        verdict = verdicts[check_id] = Verdict()
        if nothing or source in unread:
            verdict.count(account["account_arn"], None)
            continue
        for resource, fails in resources(account, credentials, as_of):
            verdict.count(resource, fails)
    return verdicts


# What a check looks at in one account: each resource that it applies to, and whether that fails.
_Resources = Callable[[Row, list[Row], datetime], Iterator[tuple[str, bool | None]]]


def _root_arn(account: Row) -> str:
    partition = account["account_arn"].split(":")[1]
    return f"arn:{partition}:iam::{account['account_id']}:root"


def _root_access_key(account: Row, _users: list[Row], _as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    yield _root_arn(account), account["root_access_keys_present"]


def _root_mfa(account: Row, _users: list[Row], _as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    # Without MFA it comes down to whether there is a password, which AWS does not always say.
    yield _root_arn(account), False if account["root_mfa_enabled"] else account["root_password_present"]


def _user_console_mfa(_account: Row, users: list[Row], _as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    for user in users:
        if not user["is_root"] and user["password_enabled"]:
            yield user["arn"], not user["mfa_active"]


def _access_key_rotated(_account: Row, users: list[Row], as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    for user in users:
        for slot in (1, 2):
            if not user["is_root"] and user[f"access_key_{slot}_active"]:
                age = as_of - user[f"access_key_{slot}_last_rotated"]
                yield f"{user['arn']}#access_key_{slot}", age > _MAX_KEY_AGE


def _credentials_unused(_account: Row, users: list[Row], as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    for user in users:
        last_uses = []
        if user["password_enabled"]:
            last_uses.append(user["password_last_used"] or user["password_last_changed"])
        for slot in ("access_key_1", "access_key_2"):
            if user[f"{slot}_active"]:
                last_uses.append(user[f"{slot}_last_used_date"] or user[f"{slot}_last_rotated"])
        if last_uses and not user["is_root"]:
            yield user["arn"], any(as_of - last_use >= _MAX_UNUSED for last_use in last_uses)


def _password_length(account: Row, _users: list[Row], _as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    length = account["minimum_password_length"]
    yield account["account_arn"], length is None or length < _MIN_LENGTH


def _password_reuse(account: Row, _users: list[Row], _as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    yield account["account_arn"], (account["password_reuse_prevention"] or 0) < _MIN_REMEMBERED


def _security_contact(account: Row, _users: list[Row], _as_of: datetime) -> Iterator[tuple[str, bool | None]]:
    yield account["account_arn"], not account["security_contact_set"]


# Each check with the source that it stands on.
_CHECKS: dict[str, tuple[str, _Resources]] = {
    "root-access-key": ("account_summary", _root_access_key),
    "root-mfa": ("account_summary", _root_mfa),
    "user-console-mfa": ("credential_report", _user_console_mfa),
    "access-key-rotated": ("credential_report", _access_key_rotated),
    "credentials-unused": ("credential_report", _credentials_unused),
    "password-policy-length": ("password_policy", _password_length),
    "password-reuse": ("password_policy", _password_reuse),
    "security-contact": ("security_contact", _security_contact),
}
