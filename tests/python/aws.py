"""Connections of boto3: who asks, of which account. Knows nothing of orgsweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# One attempt a call: a server under test that errs must be seen to err.
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)


class Party:
    """Somebody with credentials; makes clients. Without credentials given, the environment's are used."""

    # One session for everybody: it keeps the parsed API models, which take longer to read than a call to make.
    _session = boto3.Session()

    def __init__(self, **credentials: str) -> None:
        self._credentials = credentials

    def client(self, service: str) -> Any:
        """A client of `service` that never retries."""
        return self._session.client(service, config=_ONCE, **self._credentials)

    def assume(self, role_arn: str, **options: Any) -> Party:
        """The party that holds this role: `sts:AssumeRole` with these options."""
        options.setdefault("RoleSessionName", "orgsweep-tests")
        return Party.holding(self.client("sts").assume_role(RoleArn=role_arn, **options)["Credentials"])

    @classmethod
    def holding(cls, credentials: dict[str, Any]) -> Party:
        """The party that these credentials, as STS gives them, belong to."""
        return cls(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )


def list_accounts(caller: Party) -> Iterator[dict[str, Any]]:
    """Every account of the caller's organization, in the order in which it is listed."""
    for page in caller.client("organizations").get_paginator("list_accounts").paginate():
        yield from page["Accounts"]


def error_code(error: ClientError) -> str:
    """AWS's code of an error."""
    return str(error.response["Error"]["Code"])


def unless(code: str, call: Any, **arguments: Any) -> Any:
    """What the call answers; `None` where it answers with this error code."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error_code(error) != code:
            raise
        return None
