//! The flags of `orgsweep sim`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use orgsweep_core::Timestamp;
use orgsweep_sim::{Action, HostileFault, Hostility, PerMille, UnknownFault};

const SIM_EXAMPLE: &str = "\
The first line of stdout is `listening on http://HOST:PORT`; the lines after it are for a shell's `eval`:
  export AWS_ENDPOINT_URL=http://HOST:PORT
  export AWS_ACCESS_KEY_ID=...

Examples:
  orgsweep sim --accounts 1000 --users-per-account 25 --seed 7 --truth truth.jsonl
  orgsweep sim --profile aws --fault resets=0.05 --fault never-comes";

/// Serve a simulated organization over HTTP, for any AWS client.
#[derive(Debug, Args)]
#[command(after_help = SIM_EXAMPLE)]
pub struct SimArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Member accounts, besides the management account
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    pub accounts: u32,
    /// IAM users of each account, besides the root user; AWS allows 5000
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=5_000))]
    pub users_per_account: u32,
    /// Another seed, another organization
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How AWS behaves
    #[arg(long, value_enum, value_name = "PROFILE", default_value_t = SimProfile::Instant)]
    pub profile: SimProfile,
    /// The time at which the facts hold and reports are made, as in 2026-11-22T10:00:00Z [default: the clock]
    #[arg(long, value_name = "TIME")]
    pub now: Option<Timestamp>,
    /// Write the facts of every account to FILE, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// External id that the scanner role's trust policy asks for [default: none]
    #[arg(long, value_name = "ID")]
    pub external_id: Option<String>,
    /// Name of the scanner role in every member account
    #[arg(long, value_name = "NAME", default_value = "orgsweep-scanner")]
    pub role_name: String,
    /// Deny a call in a share of the accounts, as in iam:GetAccountPasswordPolicy=0.2; without a share, in a fifth; can
    /// be repeated
    #[arg(long, value_name = "ACTION[=SHARE]", value_parser = parse_denied)]
    pub deny: Vec<(Action, PerMille)>,
    /// Have something go wrong, on top of the profile, as in resets=0.05; without a share, as often as in the profile
    /// hostile; can be repeated; `--fault list` names what there is
    #[arg(long, value_name = "NAME[=SHARE]", value_parser = parse_fault)]
    pub fault: Vec<(HostileFault, PerMille)>,
    /// The organization does not manage its members' root credentials
    #[arg(long)]
    pub no_central_root_access: bool,
}

/// The share of accounts in which a call is denied unless it is said.
const DENIED: PerMille = PerMille(200);

fn parse_denied(given: &str) -> Result<(Action, PerMille), String> {
    let (name, share) = parse_share(given)?;
    let action = Action::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Action::ALL.into_iter().map(Action::name).collect();
        format!("the simulation has no call {name:?} to deny; it has {}", known.join(", "))
    })?;
    Ok((action, share.unwrap_or(DENIED)))
}

fn parse_fault(given: &str) -> Result<(HostileFault, PerMille), String> {
    let (name, share) = parse_share(given)?;
    let fault: HostileFault = name.parse().map_err(|error: UnknownFault| error.to_string())?;
    Ok((fault, share.unwrap_or_else(|| Hostility::hostile().share(fault))))
}

/// A name, and the share behind it where there is one.
fn parse_share(given: &str) -> Result<(&str, Option<PerMille>), String> {
    let Some((name, text)) = given.split_once('=') else { return Ok((given.trim(), None)) };
    let share = text.trim().parse().map_err(|_| format!("{text:?} is no share, as in 0.2"))?;
    let rate = PerMille::from_share(share).ok_or_else(|| format!("{share} is no share: from 0 to 1 is expected"))?;
    Ok((name.trim(), Some(rate)))
}

/// How a simulated organization behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimProfile {
    /// Answers at once, reports are ready when asked for, and there are no quotas
    Instant,
    /// AWS's published quotas and observed latencies
    Aws,
    /// As aws, and about a tenth of all calls fail in some way; all faults are drawn from the seed
    Hostile,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_as_common_as_said_or_as_in_the_hostile_profile() {
        assert_eq!(parse_fault("resets=0.05"), Ok((HostileFault::Resets, PerMille(50))));
        assert_eq!(parse_fault("never-comes"), Ok((HostileFault::NeverComes, Hostility::hostile().never_comes)));
        assert!(parse_fault("resets=5").unwrap_err().contains("from 0 to 1"));
        assert!(parse_fault("resets=often").unwrap_err().contains("no share"));
        let told = parse_fault("list").unwrap_err();
        assert!(HostileFault::ALL.into_iter().all(|fault| told.contains(fault.about())), "{told}");
    }

    #[test]
    fn a_call_is_denied_in_a_fifth_of_the_accounts_unless_it_is_said() {
        assert_eq!(parse_denied("iam:GetAccountSummary"), Ok((Action::GetAccountSummary, PerMille(200))));
        assert_eq!(parse_denied("iam:GetAccountSummary=1"), Ok((Action::GetAccountSummary, PerMille(1000))));
    }
}
