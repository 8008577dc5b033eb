//! AWS STS: sessions of the scanner role, and root sessions.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::principal::Principal;
use super::{Outcome, Simulation};
use crate::action::{Action, Actions};
use crate::fault::Fault;
use crate::model::RoleStanding;
use crate::random::{Draw, LOWER, Topic};
use crate::request::{AssumeRoleInput, AssumeRootInput, AssumedRole, Output, Service};
use crate::session_policy::allowed_actions;
use crate::token::Claims;

/// The shortest and the longest session that AWS STS gives, in seconds.
const DURATIONS: std::ops::RangeInclusive<u64> = 900..=43_200;

/// The longest session of the scanner role, in seconds: what a role allows that nobody changed.
const ROLE_MOST: u64 = 3600;

/// The longest root session, in seconds.
const ROOT_MOST: u64 = 900;

/// The longest session policy, in characters.
const POLICY_MOST: usize = 2048;

impl Simulation {
    pub(super) fn assume_role(&self, principal: &Principal, input: &AssumeRoleInput) -> Outcome {
        check_input(input)?;
        let index = self
            .openable_account(input)
            .ok_or_else(|| self.refusal(principal, Service::Sts, "sts:AssumeRole", &input.role_arn))?;
        let duration = input.duration_seconds.unwrap_or(ROLE_MOST);
        if duration > ROLE_MOST {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(Fault::invalid(Service::Sts, message));
        }
        let allowed = match &input.policy {
            None => Actions::all(),
            Some(policy) => allowed_actions(policy)
                .map_err(|error| Fault::new(400, "MalformedPolicyDocument", error.to_string()))?,
        };
        let session = Claims {
            index,
            expires_at: self.session_end(duration),
            is_root: false,
            allowed,
            serial: self.sessions.fetch_add(1, Ordering::Relaxed),
            session_name: input.session_name.clone(),
        };
        Ok(Output::AssumedRole(Box::new(self.open_session(session, input.policy.as_deref()))))
    }

    /// Opens a session as the root user of a member, to audit its credentials: the only task that is simulated.
    pub(super) fn assume_root(&self, principal: &Principal, input: &AssumeRootInput) -> Outcome {
        let duration = input.duration_seconds.unwrap_or(ROOT_MOST);
        if duration > ROOT_MOST {
            let message = "Value at 'durationSeconds' failed to satisfy constraint: 900 at most";
            return Err(Fault::invalid(Service::Sts, message));
        }
        let partition = self.model.partition();
        if input.task_policy_arn != format!("arn:{partition}:iam::aws:policy/root-task/IAMAuditRootUserCredentials") {
            return Err(Fault::invalid(Service::Sts, "Value at 'taskPolicyArn' is no root task that is simulated"));
        }
        if !self.model.features().root_credentials_management {
            let message = "Root credentials management feature is not enabled for your AWS Organization.";
            return Err(Fault::denied(Service::Sts, message));
        }
        let index = self
            .root_account_index(&input.target_principal)
            .ok_or_else(|| self.refusal(principal, Service::Sts, "sts:AssumeRoot", &input.target_principal))?;
        let session = Claims {
            index,
            expires_at: self.session_end(duration),
            is_root: true,
            allowed: Actions::matching(|action| Action::OF_ROOT_AUDIT.contains(&action)),
            serial: self.sessions.fetch_add(1, Ordering::Relaxed),
            session_name: String::new(),
        };
        Ok(Output::AssumedRoot(Box::new(self.open_session(session, None))))
    }

    /// The member that a root session can be opened in: not the management account, and usable.
    pub(super) fn root_account_index(&self, target: &str) -> Option<u32> {
        let prefix = format!("arn:{}:iam::", self.model.partition());
        let account = target.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(":root")).unwrap_or(target);
        let is_open =
            |index: u32| self.model.standing(index).state.is_usable() && !self.is_closed(index, self.elapsed());
        self.find_account(account).filter(|index| *index > 0 && is_open(*index))
    }

    fn session_end(&self, seconds: u64) -> orgsweep_core::Timestamp {
        self.clock.of_credentials(Instant::now()).whole_seconds().plus(Duration::from_secs(seconds))
    }

    /// The account whose scanner role the ARN names, where it has one.
    pub(super) fn role_account_index(&self, role_arn: &str) -> Option<u32> {
        let prefix = format!("arn:{}:iam::", self.model.partition());
        let (account, role) = role_arn.strip_prefix(&prefix)?.split_once(":role/")?;
        self.find_account(account).filter(|_| role == self.role_name)
    }

    /// The account that the request opens: its role is there, trusts the caller, and is given the external id that it
    /// asks for. To the caller all else looks the same.
    fn openable_account(&self, input: &AssumeRoleInput) -> Option<u32> {
        let index = self.role_account_index(&input.role_arn)?;
        let is_trusted = self.external_id.is_none() || self.external_id == input.external_id;
        let is_granted = self.model.standing(index).role == RoleStanding::Granted;
        let elapsed = self.elapsed();
        let is_there = !self.is_closed(index, elapsed) && !self.is_role_late(index, elapsed);
        (is_trusted && is_granted && is_there).then_some(index)
    }

    /// Opens a session. One that dies early is promised its whole time all the same.
    fn open_session(&self, mut claims: Claims, policy: Option<&str>) -> AssumedRole {
        let promised = claims.expires_at;
        let now = self.clock.of_credentials(Instant::now());
        claims.expires_at = self.early_death(claims.index, claims.serial, now).unwrap_or(promised);
        let (access_key_id, session_token) = self.token_key.seal(&claims);
        let mut draw = Draw::new(self.model.seed() ^ claims.serial.rotate_left(32), Topic::Ids, claims.index, u32::MAX);
        AssumedRole {
            access_key_id,
            secret_access_key: draw.text(LOWER, 40),
            session_token,
            expires_at: promised,
            packed_policy_percent: policy.and_then(|policy| u64::try_from(policy.len() * 100 / POLICY_MOST).ok()),
            identity: self.identity(&Principal::Session(claims)),
        }
    }
}

/// Refuses parameters that no role could be assumed with.
fn check_input(input: &AssumeRoleInput) -> Result<(), Fault> {
    let invalid = |message: String| Err(Fault::invalid(Service::Sts, message));
    if !input.role_arn.starts_with("arn:") || input.role_arn.split(':').count() < 6 {
        return invalid(format!("{} is invalid", input.role_arn));
    }
    let name = &input.session_name;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if !(2..=64).contains(&name.len()) || !name.bytes().all(is_word) {
        return invalid(format!(
            "Value '{name}' at 'roleSessionName' failed to satisfy constraint: 2 to 64 of [\\w+=,.@-]"
        ));
    }
    if input.duration_seconds.is_some_and(|seconds| !DURATIONS.contains(&seconds)) {
        return invalid("Value at 'durationSeconds' failed to satisfy constraint: between 900 and 43200".to_owned());
    }
    if input.external_id.as_ref().is_some_and(|id| !(2..=1224).contains(&id.len())) {
        return invalid("Value at 'externalId' failed to satisfy constraint: 2 to 1224 characters".to_owned());
    }
    if input.policy.as_ref().is_some_and(|policy| policy.chars().count() > POLICY_MOST) {
        return invalid("Value at 'policy' failed to satisfy constraint: 2048 characters at most".to_owned());
    }
    Ok(())
}
