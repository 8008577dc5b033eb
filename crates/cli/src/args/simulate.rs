//! The flags of `orgsweep simulate`.

use std::ops::Range;

use clap::Args;

use super::SimProfile;

const EXAMPLES: &str = "\
Examples:
  orgsweep simulate --seed 7               what happens to seed 7, event by event
  orgsweep simulate --seeds 0..500         whether all of these hold; those that do not are named
Exit code 1: an invariant does not hold. The same seed, and the same flags, show it again.";

/// Simulate seeds.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SimulateArgs {
    /// One seed, with everything that happens
    #[arg(long, value_name = "N", required_unless_present = "seeds", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Many seeds, from the first up to and without the last
    #[arg(long, value_name = "FIRST..END", value_parser = parse_seeds)]
    pub seeds: Option<Range<u64>>,
    /// Accounts of the organization, the management account among them
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub accounts: u32,
    /// IAM users of each account, besides the root user
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=5_000))]
    pub users_per_account: u32,
    /// How AWS behaves
    #[arg(long, value_enum, value_name = "PROFILE", default_value_t = SimProfile::Hostile)]
    pub profile: SimProfile,
}

fn parse_seeds(given: &str) -> Result<Range<u64>, String> {
    let range = given.split_once("..").and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    range.filter(|range| !range.is_empty()).ok_or_else(|| "FIRST..END is expected, as in 0..500".to_owned())
}
