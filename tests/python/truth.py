"""The rows that a lake must hold, from the facts that the simulated organization lists with `--truth`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from columns import CONTACT_KINDS, SOURCES, Row, contact_columns, holding_unit, parse_time, policy_columns

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


def gaps(facts: dict[str, Any]) -> dict[str, tuple[str, str]]:
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
    if "account_summary" in found:
        found["virtual_mfa_devices"] = ("not_asked", "account_summary")
    elif not facts["summary"]["root_mfa_enabled"]:
        # Without root MFA there is no device to look for, so nobody asks.
        found.pop("virtual_mfa_devices", None)
    return {source: found[source] for source in SOURCES if source in found}


def _report_is_readable(facts: dict[str, Any]) -> bool:
    denied = set(facts["denied_calls"])
    can_have_one = facts["report_generated_at"] is not None or "iam:GenerateCredentialReport" not in denied
    return can_have_one and "iam:GetCredentialReport" not in denied


def account_row(facts: dict[str, Any]) -> Row:
    """The row of `accounts`."""
    missing = gaps(facts)
    row = {
        **_identity_columns(facts),
        "outcome": _outcome(facts, missing),
        "skip_reason": None if is_asked(facts) else f"state is {facts['state']}",
        "unanswered": [{"source": source, "kind": kind, "code": code} for source, (kind, code) in missing.items()],
        "quarantined_rows": [],
        "unknown_columns": [],
    }
    for source, columns in _columns_by_source(facts).items():
        is_read = is_opened(facts) and source not in missing
        row |= columns if is_read else dict.fromkeys(columns)
    return row


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
        "organization_id": facts["path"].split("/")[0],
        "ou_path": facts["path"],
        "ou_id": holding_unit(facts["path"]),
        "is_management": facts["is_management"],
        "state": facts["state"],
        "joined_method": facts["joined_method"],
        "joined_at": parse_time(facts["joined_at"]),
    }


def _columns_by_source(facts: dict[str, Any]) -> dict[str, Row]:
    summary = facts["summary"]
    by_source = {
        "credential_report": {
            "report_generated_at": parse_time(facts["report_generated_at"]) or MADE_BY_THE_SWEEP,
            "report_older_than_asked": False,
            "report_rows": len(facts["users"]),
        },
        "account_summary": {
            "iam_users": summary["users"],
            "root_mfa_enabled": summary["root_mfa_enabled"],
            "root_access_keys_present": summary["root_access_keys_present"],
            "root_password_present": summary["root_password_present"],
            "root_signing_certificates_present": summary["root_signing_certificates_present"],
        },
        "password_policy": policy_columns(_as_answered(facts["password_policy"])),
        "virtual_mfa_devices": {"root_virtual_mfa": summary["root_mfa_enabled"] and facts["root_virtual_mfa"]},
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


def credential_rows(facts: dict[str, Any]) -> list[Row]:
    """The rows of `credentials`: none where the report cannot be read."""
    if not is_opened(facts) or "credential_report" in gaps(facts):
        return []
    shared = {
        "account_id": facts["account_id"],
        "account_name": facts["name"],
        "report_generated_at": parse_time(facts["report_generated_at"]) or MADE_BY_THE_SWEEP,
        "additional_credentials_info": None,
    }
    return [shared | user_columns(user) for user in facts["users"]]


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
