"""Has the caller's own credential report made, and prints it as the AWS CLI does."""

from __future__ import annotations

import boto3
from awscli.clidriver import create_clidriver


def main() -> None:
    iam = boto3.client("iam")
    while iam.generate_credential_report()["State"] != "COMPLETE":
        pass
    raise SystemExit(create_clidriver().main(["iam", "get-credential-report", "--output", "json"]))


if __name__ == "__main__":
    main()
