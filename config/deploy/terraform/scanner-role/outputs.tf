output "role_arn" {
  value       = aws_iam_role.scanner.arn
  description = "The ARN of the role."
}
