//! Credential reports that somebody already has: files become a committed run, without a sweep and without AWS.
//!
//! `find` turns paths into files, `form` tells what a file's bytes are, `head` finds whose report it is, `survey` looks at
//! every file once and brings the reports into order, `saved` reads them into chunks. Only `find`, `survey` and `saved`
//! touch files; nothing here knows the command line.

mod find;
mod form;
mod head;
mod run;
mod saved;
mod survey;

pub use find::{Found, NotFound, find_reports};
pub use run::{IngestOptions, Ingested, ingest_tables};
pub use survey::{BadFile, SavedReport, Survey, TimeOrigin, survey};
