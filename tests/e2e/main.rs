//! End-to-end tests: the `orgsweep` binary as its users run it. One binary, a module for each behaviour.
//!
//! Nothing here knows the crates behind the binary, but for the table schemas that the golden file guards. What the
//! lake must hold is told by others: boto3, pyarrow, `DuckDB`, and the facts that the simulated organization lists.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test reports by panicking"
)]

#[allow(unreachable_pub, reason = "in a test binary, `pub` says what a module has for the others")]
mod harness;

mod bad_input;
mod compliance;
mod damaged_run;
mod demo;
mod denied_calls;
mod documents;
mod dry_run;
mod earlier_run;
mod exit_codes;
mod ingest;
mod killed;
mod killed_sweep;
mod lake_folder;
mod latest_run;
mod moto_organization;
mod one_build;
mod optional_sources;
mod parquet_opens;
mod proxy;
mod recheck;
mod resume;
mod rule_pack;
mod rules_in_force;
mod same_bytes;
mod shards;
mod signals;
mod simulated_organization;
