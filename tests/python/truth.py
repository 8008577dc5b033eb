"""The rows that a lake must hold, from the facts that the simulated organization lists with `--truth`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from columns import (
    CONTACT_KINDS,
    ROOT_AUDIT,
    SOURCES,
    Row,
    contact_columns,
    holding_unit,
    parse_time,
    partition_of,
    policy_columns,
)
from root_facts import nothing_known, root_columns, root_row_says, time_columns

# A time that the facts cannot foretell, since the sweep itself has the report made.
MADE_BY_THE_SWEEP = "made by the sweep"

_UNUSABLE_STATES = {"SUSPENDED", "CLOSED", "PENDING_ACTIVATION"}

# The action that each source needs; the report's is looked at by itself.
_ACTIONS = {
    "account_summary": "iam:GetAccountSummary",
    "password_policy": "iam:GetAccountPasswordPolicy",
    "virtual_mfa_devices": "iam:ListVirtualMFADevices",
    "account_alias": "iam:ListAccountAliases",
    "billing_contact": "account:GetAlternateContact",
    "operations_contact": "account:GetAlternateContact",
    "security_contact": "account:GetAlternateContact",
}

_ROOT_ACTIONS = {
    "root_login_profile": "iam:GetLoginProfile",
    "root_access_keys": "iam:ListAccessKeys",
    "root_mfa_devices": "iam:ListMFADevices",
    "root_signing_certificates": "iam:ListSigningCertificates",
}


def read_truth(path: str) -> Iterator[dict[str, Any]]:
    """The facts of each account, in listing order."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def is_opened(facts: dict[str, Any]) -> bool:
    """Whether a sweep gets into the account: the management account is read with the caller's own credentials."""
    return is_asked(facts) and (facts["is_management"] or facts["role"] == "granted")


def is_asked(facts: dict[str, Any]) -> bool:
    """Whether the account's state lets calls through."""
    return facts["state"] not in _UNUSABLE_STATES


def gaps(facts: dict[str, Any], asked: frozenset[str] = frozenset()) -> dict[str, tuple[str, str]]:
    """The sources that a sweep cannot read, each with the kind and code that it is told."""
    if not is_asked(facts):
        return {}
    if not is_opened(facts):
        # The role is the one to tell: everything else was not asked for that reason.
        return {"role": ("denied", "AccessDenied")}
    denied = set(facts["denied_calls"])
    found = {}
    if not _report_is_readable(facts):
        found["credential_report"] = ("denied", "AccessDenied")
    for source, action in _ACTIONS.items():
        if action in denied:
            code = "AccessDeniedException" if action.startswith("account:") else "AccessDenied"
            found[source] = ("denied", code)
    if "account_summary" not in found and not facts["summary"]["root_mfa_enabled"]:
        # Where it is said that there is no root MFA, there is no device to look for, so nobody asks.
        found.pop("virtual_mfa_devices", None)
    if "key_ids" in asked:
        found |= _key_id_gaps(facts, found)
    if "root_audit" in asked and facts["root_audit"]:
        # What is denied in an account is denied to its root user too.
        found |= {source: ("denied", "AccessDenied") for source, action in _ROOT_ACTIONS.items() if action in denied}
    order = [*SOURCES, "account_tags", "access_key_ids", *ROOT_AUDIT]
    return {source: found[source] for source in order if source in found}


def _key_id_gaps(facts: dict[str, Any], found: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    if "credential_report" in found:
        return {"access_key_ids": ("not_asked", "credential_report")}
    has_keys = any(key["last_rotated"] for user in facts["users"] if not user["is_root"] for key in user["access_keys"])
    denied = has_keys and "iam:ListAccessKeys" in facts["denied_calls"]
    return {"access_key_ids": ("denied", "AccessDenied")} if denied else {}


def _report_is_readable(facts: dict[str, Any]) -> bool:
    denied = set(facts["denied_calls"])
    can_have_one = facts["report_generated_at"] is not None or "iam:GenerateCredentialReport" not in denied
    return can_have_one and "iam:GetCredentialReport" not in denied


def account_row(facts: dict[str, Any], asked: frozenset[str] = frozenset()) -> Row:
    """The row of `accounts`, of a sweep that was told to ask this beside what it always asks: `root_audit`, `key_ids`,
    `account_tags`."""
    missing = gaps(facts, asked)
    row = {
        **_identity_columns(facts),
        **_feature_columns(facts),
        "outcome": _outcome(facts, missing),
        "skip_reason": None if is_asked(facts) else f"state is {facts['state']}",
        "unanswered": [{"source": source, "kind": kind, "code": code} for source, (kind, code) in missing.items()],
        "quarantined_rows": [],
        "unknown_columns": [],
        "tags": _tags(facts) if "account_tags" in asked and is_opened(facts) else None,
    }
    for source, columns in _columns_by_source(facts).items():
        is_read = is_opened(facts) and source not in missing
        row |= columns if is_read else dict.fromkeys(columns)
    return row | _root_columns(facts, missing, asked)


def _tags(facts: dict[str, Any]) -> list[dict[str, str]]:
    return sorted(facts["tags"], key=lambda tag: tag["key"])


def _feature_columns(facts: dict[str, Any]) -> Row:
    return {name: facts["features"][name] for name in ("root_credentials_management", "root_sessions")}


def _root_columns(facts: dict[str, Any], missing: dict[str, tuple[str, str]], asked: frozenset[str]) -> Row:
    ids = {"root_access_key_ids": None}
    if not is_asked(facts):
        return nothing_known() | ids
    if not is_opened(facts):
        return nothing_known() | root_columns({}) | ids
    root = user_columns(next(user for user in facts["users"] if user["is_root"]))
    testimony: dict[str, dict[str, Any]] = {}
    if "credential_report" not in missing:
        testimony["credential_report"] = root_row_says(root)
    if "account_summary" not in missing:
        testimony["account_summary"] = {name: facts["summary"][name] for name in _SUMMARY}
    if "virtual_mfa_devices" not in missing:
        says = facts["summary"]["root_mfa_enabled"] and facts["root_virtual_mfa"]
        testimony["virtual_mfa_devices"] = {"root_virtual_mfa": says}
    audit = facts["root_audit"] if "root_audit" in asked else None
    if audit:
        witnesses = {
            "root_login_profile": {"root_password_present": audit["has_password"]},
            "root_access_keys": {"root_access_keys_present": bool(audit["access_key_ids"])},
            "root_mfa_devices": {"root_mfa_enabled": audit["has_mfa"], "root_virtual_mfa": audit["has_virtual_mfa"]},
            "root_signing_certificates": {"root_signing_certificates_present": audit["signing_certificates"] > 0},
        }
        testimony |= {source: says for source, says in witnesses.items() if source not in missing}
        ids = {"root_access_key_ids": None if "root_access_keys" in missing else audit["access_key_ids"]}
    times = {} if "credential_report" in missing else time_columns(root)
    return nothing_known() | root_columns(testimony) | times | ids


# What the account summary says of the root user.
_SUMMARY = (
    "root_mfa_enabled",
    "root_access_keys_present",
    "root_password_present",
    "root_signing_certificates_present",
)


def _outcome(facts: dict[str, Any], missing: dict[str, tuple[str, str]]) -> str:
    if not is_asked(facts):
        return "skipped"
    if "role" in missing or len(missing) + 1 == len(SOURCES):
        return "failed"
    return "partial" if missing else "swept"


def _identity_columns(facts: dict[str, Any]) -> Row:
    return {
        "account_id": facts["account_id"],
        "account_name": facts["name"],
        "account_email": facts["email"],
        "account_arn": facts["arn"],
        "partition": partition_of(facts["arn"]),
        "organization_id": facts["path"].split("/")[0],
        "ou_path": facts["path"],
        "ou_id": holding_unit(facts["path"]),
        "is_management": facts["is_management"],
        "state": facts["state"],
        "joined_method": facts["joined_method"],
        "joined_at": parse_time(facts["joined_at"]),
    }


def _columns_by_source(facts: dict[str, Any]) -> dict[str, Row]:
    by_source = {
        "credential_report": {
            "report_generated_at": parse_time(facts["report_generated_at"]) or MADE_BY_THE_SWEEP,
            "report_older_than_asked": False,
            "report_carried_from": None,
            "report_rows": len(facts["users"]),
            "report_users": len([user for user in facts["users"] if not user["is_root"]]),
        },
        "account_summary": {"iam_users": facts["summary"]["users"]},
        "password_policy": policy_columns(_as_answered(facts["password_policy"])),
        "account_alias": {"account_alias": facts["alias"]},
    }
    for kind in CONTACT_KINDS:
        contact = facts["contacts"][kind]
        answer = contact and {"Name": contact["name"], "Title": contact["title"], "EmailAddress": contact["email"]}
        by_source[f"{kind}_contact"] = contact_columns(kind, answer)
    return by_source


def _as_answered(policy: dict[str, Any] | None) -> dict[str, Any] | None:
    """A password policy under the names that `GetAccountPasswordPolicy` gives its fields."""
    if policy is None:
        return None
    names = {
        "minimum_password_length": "MinimumPasswordLength",
        "require_symbols": "RequireSymbols",
        "require_numbers": "RequireNumbers",
        "require_uppercase": "RequireUppercaseCharacters",
        "require_lowercase": "RequireLowercaseCharacters",
        "allow_users_to_change_password": "AllowUsersToChangePassword",
        "expire_passwords": "ExpirePasswords",
        "max_password_age": "MaxPasswordAge",
        "password_reuse_prevention": "PasswordReusePrevention",
        "hard_expiry": "HardExpiry",
    }
    return {names[name]: value for name, value in policy.items()}


def credential_rows(facts: dict[str, Any], asked: frozenset[str] = frozenset()) -> list[Row]:
    """The rows of `credentials`: none where the report cannot be read."""
    missing = gaps(facts, asked)
    if not is_opened(facts) or "credential_report" in missing:
        return []
    shared = {
        "account_id": facts["account_id"],
        "account_name": facts["name"],
        "report_generated_at": parse_time(facts["report_generated_at"]) or MADE_BY_THE_SWEEP,
        "additional_credentials_info": None,
        "carried_from": None,
    }
    listed = "key_ids" in asked and "access_key_ids" not in missing
    return [shared | user_columns(user) | _id_columns(user, listed) for user in facts["users"]]


def _id_columns(user: dict[str, Any], listed: bool) -> Row:
    """The ids of a user's keys, where they were listed. A user who is deleted by now has none any more."""
    row: Row = {}
    for slot, key in enumerate(user["access_keys"], start=1):
        is_there = listed and not user["is_root"] and key["id"] is not None
        row[f"access_key_{slot}_id"] = key["id"] if is_there and not user["deleted"] else None
        row[f"access_key_{slot}_id_reason"] = "gone" if is_there and user["deleted"] else None
    return row


def user_columns(user: dict[str, Any]) -> Row:
    """The columns of `credentials` that a line of the report makes."""
    row = {name: user[name] for name in ("user", "arn", "is_root", "password_enabled", "mfa_active")}
    row["user_creation_time"] = parse_time(user["user_creation_time"])
    row["password_enabled_reason"] = "not_supported" if user["password_enabled"] is None else None
    for name in ("password_last_used", "password_last_changed", "password_next_rotation"):
        row[name] = parse_time(user[name])
        row[f"{name}_reason"] = user[f"{name}_reason"]
    for slot, key in enumerate(user["access_keys"], start=1):
        prefix = f"access_key_{slot}"
        row[f"{prefix}_active"] = key["active"]
        row[f"{prefix}_last_used_region"] = key["last_used_region"]
        row[f"{prefix}_last_used_service"] = key["last_used_service"]
        row |= _time_or_absent(f"{prefix}_last_rotated", key["last_rotated"])
        row |= _time_or_absent(f"{prefix}_last_used_date", key["last_used_date"])
    for slot, certificate in enumerate(user["certs"], start=1):
        row[f"cert_{slot}_active"] = certificate["active"]
        row |= _time_or_absent(f"cert_{slot}_last_rotated", certificate["last_rotated"])
    return row


def _time_or_absent(name: str, text: str | None) -> Row:
    return {name: parse_time(text), f"{name}_reason": None if text else "N/A"}
