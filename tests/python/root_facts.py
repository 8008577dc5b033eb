"""What three witnesses say of a root user, brought together: the credential report's root row, the account summary, and a
root session. Written from the tables' documentation."""

from __future__ import annotations

from typing import Any

from columns import Row

# Each question with the sources that can answer it, in the order in which they are named.
_QUESTIONS = {
    "root_mfa_enabled": ("credential_report", "account_summary", "root_mfa_devices"),
    "root_virtual_mfa": ("virtual_mfa_devices", "root_mfa_devices"),
    "root_access_keys_present": ("credential_report", "account_summary", "root_access_keys"),
    "root_password_present": ("credential_report", "account_summary", "root_login_profile"),
    "root_signing_certificates_present": ("credential_report", "account_summary", "root_signing_certificates"),
}

# Times of the root row that `accounts` has too, each with its name in the report.
_TIMES = {
    "root_password_last_used": "password_last_used",
    "root_password_last_changed": "password_last_changed",
    "root_access_key_1_last_used_date": "access_key_1_last_used_date",
    "root_access_key_2_last_used_date": "access_key_2_last_used_date",
}

# What each source says, by question; a question that it leaves open is missing, or `None`.
Testimony = dict[str, dict[str, Any]]


def nothing_known() -> Row:
    """The columns of an account that was not asked."""
    row: Row = dict.fromkeys(_TIMES) | {f"{column}_reason": None for column in _TIMES}
    for question in _QUESTIONS:
        row |= {question: None, f"{question}_source": None, f"{question}_reason": None}
    return row | {"root_contradictions": None}


def root_columns(testimony: Testimony) -> Row:
    """Each answer with who gives it, or why there is none."""
    row: Row = {}
    contradictions = []
    for question, sources in _QUESTIONS.items():
        said = [(source, testimony.get(source, {}).get(question)) for source in sources]
        said = [(source, answer) for source, answer in said if answer is not None]
        answers = {answer for _, answer in said}
        agreed = len(answers) == 1
        row[question] = answers.pop() if agreed else None
        row[f"{question}_source"] = ", ".join(source for source, _ in said) if agreed else None
        row[f"{question}_reason"] = None if agreed else "contradicted" if said else "not said"
        if said and not agreed:
            told = ", ".join(f"{str(answer).lower()} by {source}" for source, answer in said)
            contradictions.append(f"{question}: {told}")
    return row | {"root_contradictions": "; ".join(contradictions) or None}


def root_row_says(root: Row | None) -> dict[str, Any]:
    """What the root row of a report answers."""
    if root is None:
        return {}
    return {
        "root_mfa_enabled": root["mfa_active"],
        "root_password_present": root["password_enabled"],
        "root_access_keys_present": any(_is_there(root, f"access_key_{slot}") for slot in (1, 2)),
        "root_signing_certificates_present": any(_is_there(root, f"cert_{slot}") for slot in (1, 2)),
    }


def _is_there(root: Row, what: str) -> bool:
    return root[f"{what}_active"] or root[f"{what}_last_rotated"] is not None


def time_columns(root: Row | None) -> Row:
    """The times of the root row of a report that was read."""
    row: Row = {}
    for column, name in _TIMES.items():
        row[column] = root and root[name]
        row[f"{column}_reason"] = root[f"{name}_reason"] if root else "no root row"
    return row
