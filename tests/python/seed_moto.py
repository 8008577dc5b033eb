"""Fills a moto server with an organization of twelve accounts, through boto3."""

from __future__ import annotations

from typing import Any

from aws import Party

MEMBERS = 11
USERS_BY_ACCOUNT = [4, 7, 0, 12, 1, 3, 30, 2, 5, 9, 6, 2]
# Legal in IAM, and in need of care in a CSV without quotes, as moto writes it.
COMMA_NAME = "doe,jane"
COMMA_PATH = "/odd,path/"


def seed(caller: Party) -> None:
    """Makes the organization, its accounts, and what is in each."""
    organizations = caller.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    units = [
        organizations.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
        for name in ("security", "workloads")
    ]
    members = []
    for number in range(1, MEMBERS + 1):
        status = organizations.create_account(Email=f"aws+{number}@example.com", AccountName=f"member {number:02}")
        members.append(status["CreateAccountStatus"]["AccountId"])
        if number % 3:
            organizations.move_account(
                AccountId=members[-1], SourceParentId=root, DestinationParentId=units[number % len(units)]
            )
    fill(0, caller)
    for number, member in enumerate(members, start=1):
        fill(number, caller.assume(f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole"))
    organizations.close_account(AccountId=members[-1])


def fill(number: int, owner: Party) -> None:
    """Gives an account its users, and whatever else its number says it has."""
    iam = owner.client("iam")
    for index in range(USERS_BY_ACCOUNT[number]):
        make_user(iam, number, index)
    if number == 3:
        iam.create_user(UserName=COMMA_NAME)
        iam.create_user(UserName="plain.name", Path=COMMA_PATH)
    if number % 2:
        iam.create_account_alias(AccountAlias=f"corp-{number}")
    if number % 3 == 0:
        iam.update_account_password_policy(
            MinimumPasswordLength=14,
            RequireSymbols=True,
            RequireNumbers=True,
            RequireUppercaseCharacters=True,
            RequireLowercaseCharacters=True,
            AllowUsersToChangePassword=True,
            MaxPasswordAge=90,
            PasswordReusePrevention=24,
            HardExpiry=True,
        )
    elif number % 3 == 1:
        iam.update_account_password_policy(MinimumPasswordLength=8, RequireNumbers=True)
    for position, kind in enumerate(("BILLING", "OPERATIONS", "SECURITY")):
        if (number + position) % 3 == 0:
            owner.client("account").put_alternate_contact(
                AlternateContactType=kind,
                Name=f"{kind.title()} of {number}",
                Title="On duty",
                EmailAddress=f"{kind.lower()}+{number}@example.com",
                PhoneNumber="+49 30 5550100",
            )


def make_user(iam: Any, number: int, index: int) -> None:
    """Makes one user; its index says which credentials it has."""
    name = f"user.{number:02}-{index:03}@example"
    iam.create_user(UserName=name, Path=("/", "/division/team/", "/svc/")[index % 3])
    if index % 2 == 0:
        iam.create_login_profile(UserName=name, Password="Correct-Horse-7-Battery")
    for slot in range(index % 3):
        key = iam.create_access_key(UserName=name)["AccessKey"]
        if slot == 0 and index % 4 == 1:
            # Whoever asks with a key has used it.
            user = Party(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
            user.client("sts").get_caller_identity()
        if slot == 1:
            iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    if index % 5 == 0:
        serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(
            UserName=name, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )


if __name__ == "__main__":
    seed(Party())
