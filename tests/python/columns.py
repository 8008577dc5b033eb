"""What boto3 reads, in the columns of the lake's tables. Written from the tables' documentation, not from orgsweep's code."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

Row = dict[str, Any]

# Everything that every sweep reads of an account, in the order in which `unanswered` lists it.
SOURCES = [
    "role",
    "credential_report",
    "account_summary",
    "password_policy",
    "virtual_mfa_devices",
    "account_alias",
    "billing_contact",
    "operations_contact",
    "security_contact",
]

# What it reads beside, if it is told to.
ROOT_AUDIT = [
    "root_session",
    "root_login_profile",
    "root_access_keys",
    "root_mfa_devices",
    "root_signing_certificates",
]

CONTACT_KINDS = ("billing", "operations", "security")

# Columns, each with its name in `GetAccountPasswordPolicy`.
POLICY_COLUMNS = {
    "minimum_password_length": "MinimumPasswordLength",
    "require_symbols": "RequireSymbols",
    "require_numbers": "RequireNumbers",
    "require_uppercase_characters": "RequireUppercaseCharacters",
    "require_lowercase_characters": "RequireLowercaseCharacters",
    "allow_users_to_change_password": "AllowUsersToChangePassword",
    "expire_passwords": "ExpirePasswords",
    "max_password_age": "MaxPasswordAge",
    "password_reuse_prevention": "PasswordReusePrevention",
    "hard_expiry": "HardExpiry",
}

# Columns, each with its name in `GetAccountSummary`, where it is 0 or 1.
ROOT_COLUMNS = {
    "root_mfa_enabled": "AccountMFAEnabled",
    "root_access_keys_present": "AccountAccessKeysPresent",
    "root_password_present": "AccountPasswordPresent",
    "root_signing_certificates_present": "AccountSigningCertificatesPresent",
}

# Columns of the report that hold a time or the word for its absence, and have a `_reason` column beside them.
_TIMES = {
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "cert_1_last_rotated",
    "cert_2_last_rotated",
}
_FLAGS = {"mfa_active", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active"}
_ABSENT = {"N/A", "no_information", "not_supported"}


def parse_time(text: str | None) -> datetime | None:
    """An RFC 3339 time in UTC, cut to the milliseconds that the tables keep."""
    if text is None:
        return None
    # Python 3.10 does not read the `Z`.
    time = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def summary_flags(summary: dict[str, int]) -> dict[str, bool | None]:
    """What `GetAccountSummary` says of the root user, by column; `None` where it says nothing."""
    said = {column: summary.get(name) for column, name in ROOT_COLUMNS.items()}
    return {column: None if value is None else bool(value) for column, value in said.items()}


def partition_of(arn: str) -> str:
    """The partition that an ARN names."""
    return arn.split(":")[1]


def policy_columns(policy: dict[str, Any] | None) -> Row:
    """The columns from `GetAccountPasswordPolicy`; `None` means that it answered that there is no policy."""
    columns = {column: (policy or {}).get(name) for column, name in POLICY_COLUMNS.items()}
    return {"password_policy_set": policy is not None, **columns}


def contact_columns(kind: str, contact: dict[str, Any] | None) -> Row:
    """The columns from `GetAlternateContact`; `None` means that it answered that there is none."""
    names = {"name": "Name", "title": "Title", "email": "EmailAddress"}
    columns = {f"{kind}_contact_{column}": (contact or {}).get(name) for column, name in names.items()}
    return {f"{kind}_contact_set": contact is not None, **columns}


def listing_columns(account: dict[str, Any]) -> Row:
    """The columns from an entry of `ListAccounts`."""
    path = (account.get("Paths") or [None])[0]
    joined = account["JoinedTimestamp"]
    return {
        "account_id": account["Id"],
        "account_name": account["Name"],
        "account_email": account["Email"],
        "account_arn": account["Arn"],
        "partition": partition_of(account["Arn"]),
        "ou_path": path,
        "ou_id": holding_unit(path),
        "state": account["State"],
        "joined_method": account["JoinedMethod"],
        "joined_at": parse_time(joined if isinstance(joined, str) else joined.isoformat()),
    }


def holding_unit(path: str | None) -> str | None:
    """The last organizational unit of a path."""
    units = [part for part in (path or "").split("/") if part.startswith("ou-")]
    return units[-1] if units else None


def split_report(content: bytes) -> list[list[str]]:
    """The lines of a credential report as fields, the header's first. Each line is read by itself: a stray quote, which
    is legal in a path, then spoils no other line."""
    return [next(csv.reader([line])) for line in content.decode().removesuffix("\n").split("\n")]


def report_rows(header: list[str], lines: Iterable[list[str]]) -> Iterator[Row]:
    """The columns from the lines of a credential report that have as many fields as its header."""
    for line in lines:
        if len(line) == len(header):
            yield _report_row(dict(zip(header, line)))


def _report_row(fields: dict[str, str]) -> Row:
    row: Row = {
        "user": fields.pop("user"),
        "arn": fields.pop("arn"),
        "user_creation_time": parse_time(fields.pop("user_creation_time")),
        "additional_credentials_info": _known(fields.pop("additional_credentials_info", "N/A")),
    }
    row["is_root"] = row["user"] == "<root_account>"
    for name, text in fields.items():
        if name in _FLAGS:
            row[name] = _flag(text)
        elif name == "password_enabled":
            row[name] = None if text in _ABSENT else _flag(text)
            row[f"{name}_reason"] = text if text in _ABSENT else None
        elif name in _TIMES:
            row[name] = None if text in _ABSENT else parse_time(text)
            row[f"{name}_reason"] = text if text in _ABSENT else None
        else:
            row[name] = _known(text)
    return row


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _known(text: str) -> str | None:
    return None if text in _ABSENT else text
