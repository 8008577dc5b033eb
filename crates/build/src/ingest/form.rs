//! What a file of a credential report holds, told by its bytes and not by its name: CSV, or AWS's JSON answer around it,
//! each as it is or compressed with gzip or zstd.
//!
//! Bytes in, bytes out. It knows no paths, and not what stands in a report.

use std::io::{self, Read};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use orgsweep_core::Timestamp;
use serde::Deserialize;

/// The largest report that is read, in bytes of CSV or JSON. AWS allows 5,000 users in an account, whose longest rows make
/// a tenth of this; a small file that unpacks to more is no report.
pub(super) const MOST_BYTES: u64 = 128 << 20;

/// Enough to tell every form by, blanks before JSON included.
const TELLING_BYTES: u64 = 64;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Why a file's bytes cannot be made a report's.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormError {
    #[error("it is empty")]
    Empty,
    #[error("it is UTF-16 text, as PowerShell's `>` writes it: save it as UTF-8")]
    Utf16,
    #[error("it has more than {} MiB of text, which no credential report has", MOST_BYTES >> 20)]
    TooLarge,
    #[error("it was changed while the reports were read: ingest them again")]
    Changed,
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("it is no JSON answer of `aws iam get-credential-report`: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the \"Content\" of its JSON is neither base64 nor CSV")]
    Content,
    #[error("the \"GeneratedTime\" of its JSON is {0}, which is no time")]
    GeneratedTime(String),
}

/// What bytes are, by how they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Json,
    Gzip,
    Zstd,
}

impl Form {
    /// The form of what begins like this.
    ///
    /// # Errors
    /// There is nothing, or it is UTF-16.
    pub(super) fn of(head: &[u8]) -> Result<Self, FormError> {
        match head {
            [] => Err(FormError::Empty),
            _ if head.starts_with(GZIP) => Ok(Self::Gzip),
            _ if head.starts_with(ZSTD) => Ok(Self::Zstd),
            _ if UTF_16.into_iter().any(|mark| head.starts_with(mark)) => Err(FormError::Utf16),
            _ => {
                let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
                Ok(if text.trim_ascii_start().first() == Some(&b'{') { Self::Json } else { Self::Csv })
            }
        }
    }
}

/// How much of a report's CSV is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// So many bytes at its beginning, or fewer where it has no more.
    Head(u64),
    /// All of it.
    Whole,
}

/// A report's CSV, as far as it was wanted, and when AWS made it, where that is said.
type Report = (Vec<u8>, Option<Timestamp>);

/// The report in a file of whatever form. `head` are the first bytes of the file, and `rest` is what follows them.
///
/// # Errors
/// The file cannot be read or unpacked, or is no report in any form that is known.
pub(super) fn report_in(head: &[u8], rest: impl Read, wanted: Wanted) -> Result<Report, FormError> {
    let form = Form::of(head)?;
    let file = head.chain(rest);
    match form {
        Form::Gzip => unpacked(MultiGzDecoder::new(io::BufReader::new(file)), wanted),
        Form::Zstd => unpacked(zstd::stream::read::Decoder::new(file)?, wanted),
        Form::Csv => Ok((read(Vec::new(), file, wanted)?, None)),
        Form::Json => report_of_answer(&read(Vec::new(), file, Wanted::Whole)?),
    }
}

/// The report in what was compressed.
fn unpacked(mut stream: impl Read, wanted: Wanted) -> Result<Report, FormError> {
    let head = read(Vec::new(), &mut stream, Wanted::Head(TELLING_BYTES))?;
    match Form::of(&head)? {
        Form::Json => report_of_answer(&read(head, stream, Wanted::Whole)?),
        // What is compressed twice is no report, and the parser says so.
        Form::Csv | Form::Gzip | Form::Zstd => Ok((read(head, stream, wanted)?, None)),
    }
}

/// Reads on behind what was read already.
///
/// # Errors
/// The stream cannot be read, or all of it is wanted and that is more than [`MOST_BYTES`].
pub(super) fn read(mut bytes: Vec<u8>, stream: impl Read, wanted: Wanted) -> Result<Vec<u8>, FormError> {
    let most = match wanted {
        Wanted::Head(most) => most,
        Wanted::Whole => MOST_BYTES + 1,
    };
    let before = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    stream.take(most.saturating_sub(before)).read_to_end(&mut bytes)?;
    let is_too_large = wanted == Wanted::Whole && u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES);
    if is_too_large { Err(FormError::TooLarge) } else { Ok(bytes) }
}

/// The answer of `aws iam get-credential-report`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    content: String,
    #[serde(default)]
    generated_time: Option<serde_json::Value>,
}

/// The report in a JSON answer, and when AWS made it, where the answer says so.
///
/// # Errors
/// It is no such answer.
fn report_of_answer(json: &[u8]) -> Result<Report, FormError> {
    let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
    let answer: Answer = serde_json::from_slice(json)?;
    let generated_at = answer.generated_time.as_ref().map(time_of).transpose()?;
    // Base64 has no comma, and a report's header has twenty-one.
    let csv = if answer.content.contains(',') {
        answer.content.into_bytes()
    } else {
        BASE64_STANDARD.decode(answer.content.trim_ascii()).map_err(|_| FormError::Content)?
    };
    Ok((csv, generated_at))
}

/// A time as the AWS CLI prints it: RFC 3339, or seconds since 1970 where its settings want the wire's form.
fn time_of(value: &serde_json::Value) -> Result<Timestamp, FormError> {
    let time = match value {
        serde_json::Value::String(text) => Timestamp::parse(text).ok(),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a float beyond the range is cut to its end, a year nobody means"
        )]
        number => number.as_f64().map(|seconds| Timestamp::from_millis((seconds * 1000.0) as i64)),
    };
    time.ok_or_else(|| FormError::GeneratedTime(value.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const CSV: &str = "user,arn\nann,arn:aws:iam::111122223333:user/ann\n";

    fn check(bytes: &[u8], expected: &str) {
        // Wherever the head ends that somebody looked at, the file is the same.
        for split in [bytes.len().min(8), bytes.len()] {
            let (head, rest) = bytes.split_at(split);
            let told = match report_in(head, rest, Wanted::Whole) {
                Err(error) => error.to_string(),
                Ok((csv, _)) => String::from_utf8(csv).unwrap(),
            };
            assert_eq!(told, expected);
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_form_is_told_by_its_bytes() {
        check(CSV.as_bytes(), CSV);
        check(&gzip(CSV.as_bytes()), CSV);
        check(&[gzip(b"user,"), gzip(b"arn\n")].concat(), "user,arn\n");
        check(&zstd::encode_all(CSV.as_bytes(), 3).unwrap(), CSV);
        let json = br#" { "Content": "dXNlcixhcm4=" }"#;
        check(json, "user,arn");
        check(&gzip(json), "user,arn");
        check(&zstd::encode_all(&[BYTE_ORDER_MARK, json].concat()[..], 3).unwrap(), "user,arn");
    }

    #[test]
    fn the_head_of_a_report_is_read_and_no_more() {
        for file in [CSV.as_bytes().to_vec(), gzip(CSV.as_bytes()), zstd::encode_all(CSV.as_bytes(), 3).unwrap()] {
            let head = |bytes| report_in(&file, io::empty(), Wanted::Head(bytes)).unwrap().0;
            assert_eq!(head(1000), CSV.as_bytes());
            assert_eq!(head(64).len(), CSV.len().min(64));
        }
        let long = CSV.repeat(100);
        let read = report_in(&gzip(long.as_bytes()), io::empty(), Wanted::Head(1000)).unwrap().0;
        assert_eq!(read, &long.as_bytes()[..1000]);
    }

    #[test]
    fn what_is_no_report_says_what_it_is() {
        check(b"", "it is empty");
        check(&gzip(b""), "it is empty");
        check(b"\xff\xfeu\0s\0", "it is UTF-16 text, as PowerShell's `>` writes it: save it as UTF-8");
        let cut = gzip(CSV.repeat(1000).as_bytes());
        let error = report_in(&cut[..cut.len() / 2], io::empty(), Wanted::Whole).unwrap_err();
        assert!(error.to_string().starts_with("it cannot be read: "), "{error}");
    }

    #[test]
    fn a_small_file_that_unpacks_to_more_than_any_report_is_refused() {
        let bomb = zstd::encode_all(io::repeat(b'a').take(MOST_BYTES + 1), 1).unwrap();
        assert!(bomb.len() < 100_000);
        let error = report_in(&bomb, io::empty(), Wanted::Whole).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 128 MiB of text, which no credential report has");
    }

    fn answer(json: &str) -> String {
        match report_of_answer(json.as_bytes()) {
            Err(error) => error.to_string(),
            Ok((csv, time)) => format!("{} {time:?}", String::from_utf8(csv).unwrap()),
        }
    }

    #[test]
    fn a_json_answer_holds_the_report_and_its_time() {
        let with = |time: &str| answer(&format!(r#"{{"Content": "dXNlcixhcm4=", "ReportFormat": "text/csv"{time}}}"#));
        assert_eq!(with(""), "user,arn None");
        let expected = "user,arn Some(2026-11-22T10:00:00Z)";
        assert_eq!(with(r#", "GeneratedTime": "2026-11-22T10:00:00+00:00""#), expected);
        assert_eq!(with(r#", "GeneratedTime": 1795341600.0"#), expected);
        assert_eq!(
            with(r#", "GeneratedTime": "today""#),
            "the \"GeneratedTime\" of its JSON is \"today\", which is no time"
        );
        assert_eq!(answer(r#"{"Content": "user,arn"}"#), "user,arn None");
        assert_eq!(answer(r#"{"Content": "user;arn"}"#), "the \"Content\" of its JSON is neither base64 nor CSV");
        assert!(answer(r#"{"State": "COMPLETE"}"#).contains("missing field `Content`"));
    }
}
