//! The build: the journal of a sweep becomes sorted tables and findings, and the run is committed.
//!
//! It needs no AWS, holds a few chunks of accounts at a time, and gives the same bytes whoever runs it and on however
//! many cores. A recheck judges the tables of a committed run again, and an
//! ingest makes a run of credential reports that lie in files. It is asynchronous only where it waits for the store; columns are worked on by rayon.

mod accounts;
mod assemble;
mod build;
mod calls;
mod chunk;
mod columns;
mod committed;
mod comply;
mod compute;
mod credentials;
mod error;
mod ingest;
mod key_match;
mod recheck;
mod report_view;
mod tables;

#[cfg(test)]
mod fixture;

pub use build::{BuildOptions, build_run, build_tables, clear_journal};
pub use comply::comply;
pub use compute::Compute;
pub use error::BuildError;
pub use ingest::{
    BadFile, Found, IngestOptions, Ingested, NotFound, SavedReport, Survey, TimeOrigin, find_reports, ingest_tables,
    survey,
};
pub use recheck::recheck_run;
