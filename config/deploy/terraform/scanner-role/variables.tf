variable "caller_arn" {
  type        = string
  description = "The ARN of the role or user that runs orgsweep, as in arn:aws:iam::111122223333:role/orgsweep. Wildcards may stand after \"role/\", as the roles of IAM Identity Center need them."

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", var.caller_arn))
    error_message = "caller_arn must be the ARN of an IAM role or user, not that of an assumed-role session."
  }
}

variable "role_name" {
  type        = string
  default     = "orgsweep-scanner"
  description = "The name of the role, the same in every account; orgsweep's setting role.name."

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name must have 1 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -"
  }
}

variable "external_id" {
  type        = string
  default     = ""
  description = "The external id that the caller must give; orgsweep's setting role.external_id. Empty for none."

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_+=,.@:/-]{2,1224}$", var.external_id))
    error_message = "external_id must be empty, or have 2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / -"
  }
}

variable "list_access_keys" {
  type        = bool
  default     = false
  description = "Whether the role may list the ids of access keys, which orgsweep asks for with sweep.key_ids alone."
}

variable "max_session_duration" {
  type        = number
  default     = 3600
  description = "The longest session, in seconds, 3600 to 43200. orgsweep asks for 900 unless role.session_duration says otherwise."

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200
    error_message = "max_session_duration must be from 3600 to 43200."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Tags of the role."
}
