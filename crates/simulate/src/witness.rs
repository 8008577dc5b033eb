//! Invariant 4: what AWS was asked for, and what it handed out that may lie nowhere.
//!
//! Every session of the scanner role comes with a policy of its own that allows the sweep's reads and nothing else. The
//! credentials of sessions, and phone numbers, are looked for in all that is written, whether or not the write is done,
//! and in what lies compressed as well.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::reader::FileReader;
use bytes::Bytes;
use orgsweep_core::{Source, Sources};
use orgsweep_sim::{Fault, Observer, Operation, Output};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

use crate::invariants::Violation;

/// What a sweep reads in an account; keys are listed only where their ids are wanted.
const READS: [&str; 7] = [
    "iam:GenerateCredentialReport",
    "iam:GetCredentialReport",
    "iam:GetAccountSummary",
    "iam:GetAccountPasswordPolicy",
    "iam:ListVirtualMFADevices",
    "iam:ListAccountAliases",
    "account:GetAlternateContact",
];
const LISTS_KEYS: &str = "iam:ListAccessKeys";

/// Secrets are found by so many letters, and then compared. None is shorter.
const FOUND_BY: usize = 8;

/// Sees what is asked, answered and written.
#[derive(Debug)]
pub(crate) struct Witness {
    allowed: Vec<&'static str>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    secrets: Secrets,
    broken: Option<String>,
}

impl Witness {
    /// Of runs that ask these optional sources.
    pub(crate) fn new(optional: Sources) -> Self {
        let lists_keys = optional.contains(Source::AccessKeyIds).then_some(LISTS_KEYS);
        Self { allowed: READS.into_iter().chain(lists_keys).collect(), seen: Mutex::default() }
    }

    /// Looks through an object before it is written.
    pub(crate) fn look(&self, path: &str, object: &Bytes) {
        let mut seen = self.lock();
        let found = pieces(path, object).iter().find_map(|piece| seen.secrets.find(piece).map(str::to_owned));
        if let Some(secret) = found {
            seen.broken.get_or_insert_with(|| format!("{path} holds {secret}, which AWS handed out"));
        }
    }

    /// The first thing that was wrong.
    pub(crate) fn hold(&self) -> Result<(), Violation> {
        match &self.lock().broken {
            Some(told) => Err(Violation::new("Read-only", told)),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with the policy of a session.
    fn refuse(&self, policy: Option<&str>) -> Option<String> {
        let Some(policy) = policy else { return Some("has no session policy".to_owned()) };
        let Ok(document) = serde_json::from_str::<Document>(policy) else {
            return Some(format!("has a session policy that cannot be read: {policy}"));
        };
        let mut actions = document.statement.iter().flat_map(|statement| &statement.action);
        let beyond = actions.find(|action| !self.allowed.contains(&action.as_str()));
        beyond.map(|action| format!("may do {action}"))
    }
}

impl Observer for Witness {
    fn answered(&self, operation: &Operation, outcome: &Result<Output, Fault>) {
        let mut seen = self.lock();
        if let Operation::AssumeRole(input) = operation
            && let Some(told) = self.refuse(input.policy.as_deref())
        {
            seen.broken.get_or_insert_with(|| format!("a session of {} {told}", input.role_arn));
        }
        match outcome {
            Ok(Output::AssumedRole(session) | Output::AssumedRoot(session)) => {
                seen.secrets.add(&session.access_key_id);
                seen.secrets.add(&session.secret_access_key);
                seen.secrets.add(&session.session_token);
            }
            Ok(Output::Contact(_, contact)) => seen.secrets.add(&contact.phone),
            _ => {}
        }
    }
}

/// A policy, as far as it says what is allowed.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Statement")]
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "Action")]
    action: Vec<String>,
}

/// Texts that are looked for all at once, by their first letters.
#[derive(Debug, Default)]
struct Secrets {
    by_first: HashMap<[u8; FOUND_BY], Vec<String>>,
    /// Which pairs of bytes a secret begins with: nearly every place of an object is passed over by these.
    begins: Vec<bool>,
}

impl Secrets {
    fn add(&mut self, secret: &str) {
        let Some((first, _)) = secret.as_bytes().split_first_chunk::<FOUND_BY>() else { return };
        self.begins.resize(1 << 16, false);
        if let Some(begins) = self.begins.get_mut(pair(*first)) {
            *begins = true;
        }
        let of_first = self.by_first.entry(*first).or_default();
        if !of_first.iter().any(|known| known == secret) {
            of_first.push(secret.to_owned());
        }
    }

    /// The first secret that stands in the bytes.
    fn find(&self, bytes: &[u8]) -> Option<&str> {
        bytes.windows(FOUND_BY).enumerate().find_map(|(place, window)| {
            let (first, _) = window.split_first_chunk::<FOUND_BY>()?;
            self.begins.get(pair(*first)).filter(|begins| **begins)?;
            let (secrets, rest) = (self.by_first.get(first)?, bytes.get(place..)?);
            secrets.iter().find(|secret| rest.starts_with(secret.as_bytes())).map(String::as_str)
        })
    }
}

/// The place of the first two bytes among all pairs.
fn pair([one, other, ..]: [u8; FOUND_BY]) -> usize {
    usize::from(u16::from_be_bytes([one, other]))
}

/// An object's bytes, and the texts in it where they lie there compressed.
fn pieces(path: &str, object: &Bytes) -> Vec<Vec<u8>> {
    let batches: Vec<RecordBatch> = match path.rsplit_once('.') {
        Some((_, "parquet")) => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(object.clone());
            reader.and_then(ParquetRecordBatchReaderBuilder::build).into_iter().flatten().flatten().collect()
        }
        Some((_, "arrow")) => {
            let reader = FileReader::try_new(Cursor::new(object.clone()), None);
            reader.into_iter().flatten().flatten().collect()
        }
        _ => Vec::new(),
    };
    let mut pieces = vec![object.to_vec()];
    batches.iter().flat_map(RecordBatch::columns).for_each(|column| collect_texts(column, &mut pieces));
    pieces
}

/// The texts of a column, and of the columns in it.
fn collect_texts(column: &ArrayRef, pieces: &mut Vec<Vec<u8>>) {
    if let Some(texts) = column.as_string_opt::<i32>() {
        pieces.push(texts.value_data().to_vec());
    } else if let Some(lists) = column.as_list_opt::<i32>() {
        collect_texts(lists.values(), pieces);
    } else if let Some(columns) = column.as_struct_opt() {
        columns.columns().iter().for_each(|column| collect_texts(column, pieces));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands_and_what_only_begins_like_one_is_none() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.find(b"a-long-secret"), None);
        secrets.add("a-long-secret");
        secrets.add("a-long-story");
        assert_eq!(secrets.find(b"xx a-long-story"), Some("a-long-story"));
        assert_eq!(secrets.find(b"a-long-secret xx"), Some("a-long-secret"));
        assert_eq!(secrets.find(b"a-long-sec a-long-sto"), None);
    }

    #[test]
    fn a_session_may_read_what_the_sweep_reads_and_nothing_more() {
        let keys = [Source::AccessKeyIds].into_iter().collect();
        let policy =
            |action: &str| format!(r#"{{"Statement":[{{"Effect":"Allow","Action":["{action}"],"Resource":"*"}}]}}"#);
        let refused = |optional: Sources, action: &str| Witness::new(optional).refuse(Some(&policy(action))).is_some();
        assert!(!refused(Sources::NONE, "iam:GetAccountSummary"));
        assert!(refused(Sources::NONE, LISTS_KEYS) && !refused(keys, LISTS_KEYS));
        assert!(refused(keys, "iam:*") && refused(keys, "iam:CreateAccessKey"));
        assert!(Witness::new(keys).refuse(None).is_some() && Witness::new(keys).refuse(Some("{}")).is_some());
    }
}
