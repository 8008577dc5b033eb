"""The rows that a lake must hold, from what boto3 read of moto.

Where moto's credential report differs from AWS's, its own words stand here: it never has a row for the root user, and
says `not_supported` where AWS says `N/A`. It does not know `ListOrganizationsFeatures`.
"""

from __future__ import annotations

from typing import Any

from columns import (
    CONTACT_KINDS,
    Row,
    contact_columns,
    listing_columns,
    parse_time,
    policy_columns,
    report_rows,
    summary_flags,
)
from root_facts import nothing_known, root_columns, time_columns

_FEATURES_GAP = {"source": "organization_features", "kind": "transient", "code": "InvalidAnswer"}


def account_row(facts: dict[str, Any]) -> Row:
    """The row of `accounts`."""
    organization, read = facts["organization"], facts["read"]
    row = {
        **listing_columns(facts["account"]),
        "organization_id": organization["Id"],
        "is_management": facts["account"]["Id"] == organization["MasterAccountId"],
        "account_alias": None,
        "outcome": "skipped",
        "skip_reason": f"state is {facts['account']['State']}",
        "unanswered": [_FEATURES_GAP],
        "quarantined_rows": [],
        "unknown_columns": [],
        "report_generated_at": None,
        "report_older_than_asked": None,
        "report_carried_from": None,
        "report_rows": None,
        "report_users": None,
        "iam_users": None,
        "tags": None,
        "root_credentials_management": None,
        "root_sessions": None,
        "root_access_key_ids": None,
        **nothing_known(),
        **policy_columns(None),
        "password_policy_set": None,
    }
    for kind in CONTACT_KINDS:
        row |= contact_columns(kind, None) | {f"{kind}_contact_set": None}
    return row if read is None else row | _read_columns(read)


def _read_columns(read: dict[str, Any]) -> Row:
    columns = {
        "outcome": "swept",
        "skip_reason": None,
        "account_alias": next(iter(read["aliases"]), None),
        "report_generated_at": parse_time(read["report_generated_at"]),
        # Moto's reports are of 2015, whenever one asks.
        "report_older_than_asked": True,
        "report_carried_from": None,
        "report_rows": len(read["users"]),
        "report_users": len(read["users"]),
        "iam_users": read["summary"]["Users"],
        **root_columns(
            {
                "account_summary": summary_flags(read["summary"]),
                # Without root MFA there is no virtual device to look for, and moto's root users have none.
                "virtual_mfa_devices": {"root_virtual_mfa": False},
            }
        ),
        **time_columns(None),
        **policy_columns(read["password_policy"]),
    }
    for kind in CONTACT_KINDS:
        columns |= contact_columns(kind, read["contacts"][kind])
    return columns


def credential_rows(facts: dict[str, Any]) -> list[Row]:
    """The rows of `credentials`, as IAM's calls for each user tell them."""
    if facts["read"] is None:
        return []
    shared = {
        "account_id": facts["account"]["Id"],
        "account_name": facts["account"]["Name"],
        "report_generated_at": parse_time(facts["read"]["report_generated_at"]),
    }
    rows = [shared | _user_columns(user) for user in facts["read"]["users"]]
    _agree_with_report(rows, facts["read"]["report"])
    return rows


def _user_columns(user: dict[str, Any]) -> Row:
    row: Row = {
        "user": user["UserName"],
        "arn": user["Arn"],
        "is_root": False,
        "user_creation_time": _whole_seconds(user["CreateDate"]),
        "password_enabled": user["has_password"],
        "password_enabled_reason": None,
        "password_last_used": None,
        "password_last_used_reason": "no_information" if user["has_password"] else "not_supported",
        "password_last_changed": _whole_seconds(user["CreateDate"]),
        "password_last_changed_reason": None,
        "password_next_rotation": None,
        "password_next_rotation_reason": "not_supported",
        "mfa_active": user["mfa_devices"] > 0,
        "additional_credentials_info": None,
        "carried_from": None,
    }
    for slot in (1, 2):
        row |= _key_columns(f"access_key_{slot}", user["keys"][slot - 1] if len(user["keys"]) >= slot else {})
        row |= {
            f"cert_{slot}_active": False,
            f"cert_{slot}_last_rotated": None,
            f"cert_{slot}_last_rotated_reason": "N/A",
        }
    return row


def _key_columns(slot: str, key: dict[str, Any]) -> Row:
    rotated, used = _whole_seconds(key.get("CreateDate")), _whole_seconds(key.get("LastUsedDate"))
    return {
        f"{slot}_active": key.get("Status") == "Active",
        f"{slot}_last_rotated": rotated,
        f"{slot}_last_rotated_reason": None if rotated else "N/A",
        f"{slot}_last_used_date": used,
        f"{slot}_last_used_date_reason": None if used else "N/A",
        f"{slot}_last_used_region": None,
        f"{slot}_last_used_service": None,
        f"{slot}_id": None,
        f"{slot}_id_reason": None,
    }


def _whole_seconds(text: str | None) -> Any:
    time = parse_time(text)
    return time and time.replace(microsecond=0)


def _agree_with_report(rows: list[Row], report: list[list[str]]) -> None:
    """Refuses facts whose two witnesses disagree: then the test is wrong, not the lake."""
    by_user = {row["user"]: row for row in rows}
    for reported in report_rows(report[0], report[1:]):
        told = {name: value for name, value in by_user[reported["user"]].items() if name in reported}
        if told != reported:
            raise SystemExit(f"IAM's calls and moto's report differ on {reported['user']}:\n{told}\n{reported}")
