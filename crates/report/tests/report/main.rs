//! The report parser from outside: bytes in, rows out.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod cut_off;
mod fixtures;
mod forms;
mod hostile;
mod model;
mod plain_reader;
mod rows;
