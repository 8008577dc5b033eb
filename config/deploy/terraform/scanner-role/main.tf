# The role that orgsweep assumes in an account: the same as ../../scanner-role.yaml makes. It may read what a sweep
# reads, and nothing else. Use the module once in every account, with a provider for each.

data "aws_partition" "current" {}

locals {
  caller_account = split(":", var.caller_arn)[4]

  read_actions = [
    "iam:GenerateCredentialReport",
    "iam:GetCredentialReport",
    "iam:GetAccountSummary",
    "iam:GetAccountPasswordPolicy",
    "iam:ListVirtualMFADevices",
    "iam:ListAccountAliases",
    "account:GetAlternateContact",
  ]

  # Only orgsweep's setting sweep.key_ids asks for it.
  key_id_actions = var.list_access_keys ? ["iam:ListAccessKeys"] : []
}

resource "aws_iam_role" "scanner" {
  name                 = var.role_name
  description          = "Read-only sweeps for weak credentials by orgsweep"
  max_session_duration = var.max_session_duration
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      # The caller's account, narrowed to the caller below. A role named here itself would have to exist before this
      # one, and the trust would be lost whenever that role is made anew.
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${local.caller_account}:root" }
      Action    = "sts:AssumeRole"
      Condition = merge(
        { ArnLike = { "aws:PrincipalArn" = var.caller_arn } },
        var.external_id == "" ? {} : { StringEquals = { "sts:ExternalId" = var.external_id } },
      )
    }]
  })
}

resource "aws_iam_role_policy" "scanner" {
  name = "orgsweep-scanner"
  role = aws_iam_role.scanner.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = concat(local.read_actions, local.key_id_actions)
      Resource = "*"
    }]
  })
}
