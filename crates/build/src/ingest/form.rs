//! What a file of a credential report holds, told by its bytes and not by its name: CSV, or AWS's JSON answer around it,
//! each as it is or compressed with gzip or zstd.
//!
//! Bytes in, bytes out. It knows no paths, and not what stands in a report.

use std::io::{self, Cursor, Read};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use orgsweep_core::Timestamp;
use serde::Deserialize;

/// The largest report that is read, in bytes of CSV or JSON. AWS allows 5,000 users in an account, whose longest rows make
/// a tenth of this; a small file that unpacks to more is no report.
pub(super) const MOST_BYTES: u64 = 128 << 20;

/// Enough to tell every form by.
pub(super) const MAGIC_BYTES: usize = 8;

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
    #[error("it unpacks to more than {} MiB, which no credential report has", MOST_BYTES >> 20)]
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

/// A file's bytes as they are after unpacking.
pub(super) enum Unpacked<R> {
    /// CSV, still to be read.
    Csv(R),
    /// A JSON answer, still to be read.
    Json(R),
}

/// A stream that begins with bytes that were looked at already.
type Whole<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// Tells what a stream holds and unpacks it, at most [`MOST_BYTES`] of it.
///
/// # Errors
/// There is nothing in it, it is UTF-16, or it cannot be read.
pub(super) fn unpack<R: Read + Send + 'static>(file: R) -> Result<Unpacked<Box<dyn Read + Send>>, FormError> {
    let (magic, whole) = peek(file)?;
    if magic.starts_with(GZIP) {
        return sort(MultiGzDecoder::new(io::BufReader::new(whole)));
    }
    if magic.starts_with(ZSTD) {
        return sort(zstd::stream::read::Decoder::new(whole)?);
    }
    sorted(&magic, Box::new(whole))
}

/// Tells CSV from JSON in what a compressed file holds.
fn sort<R: Read + Send + 'static>(unpacked: R) -> Result<Unpacked<Box<dyn Read + Send>>, FormError> {
    let (magic, whole) = peek(unpacked)?;
    sorted(&magic, Box::new(whole))
}

fn sorted(magic: &[u8], whole: Box<dyn Read + Send>) -> Result<Unpacked<Box<dyn Read + Send>>, FormError> {
    if magic.is_empty() {
        return Err(FormError::Empty);
    }
    if UTF_16.into_iter().any(|mark| magic.starts_with(mark)) {
        return Err(FormError::Utf16);
    }
    let text = magic.strip_prefix(BYTE_ORDER_MARK).unwrap_or(magic);
    let is_json = text.trim_ascii_start().first() == Some(&b'{');
    Ok(if is_json { Unpacked::Json(whole) } else { Unpacked::Csv(whole) })
}

fn peek<R: Read>(mut file: R) -> Result<(Vec<u8>, Whole<R>), FormError> {
    let mut magic = Vec::with_capacity(MAGIC_BYTES);
    (&mut file).take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
    Ok((magic.clone(), Cursor::new(magic).chain(file)))
}

/// Reads to the end; `expected` bytes are made room for.
///
/// # Errors
/// The stream cannot be read, or has more than [`MOST_BYTES`].
pub(super) fn read_whole(stream: impl Read, expected: usize) -> Result<Vec<u8>, FormError> {
    let mut bytes = Vec::with_capacity(expected);
    stream.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_BYTES) {
        Ok(bytes)
    } else {
        Err(FormError::TooLarge)
    }
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
pub(super) fn report_of_answer(json: &[u8]) -> Result<(Vec<u8>, Option<Timestamp>), FormError> {
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

    fn check(bytes: Vec<u8>, expected: &str) {
        let told = match unpack(Cursor::new(bytes)) {
            Err(error) => error.to_string(),
            Ok(Unpacked::Csv(csv)) => format!("csv {}", text(csv)),
            Ok(Unpacked::Json(json)) => format!("json {}", text(json)),
        };
        assert_eq!(told, expected);
    }

    fn text(stream: impl Read) -> String {
        match read_whole(stream, 0) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_form_is_told_by_its_bytes() {
        check(CSV.into(), &format!("csv {CSV}"));
        check(gzip(CSV.as_bytes()), &format!("csv {CSV}"));
        check([gzip(b"user,"), gzip(b"arn\n")].concat(), "csv user,arn\n");
        check(zstd::encode_all(CSV.as_bytes(), 3).unwrap(), &format!("csv {CSV}"));
        check(b" \n {\"Content\": 1}".into(), "json  \n {\"Content\": 1}");
        check(gzip(b"{}"), "json {}");
        check(zstd::encode_all(&b"\xef\xbb\xbf{}"[..], 3).unwrap(), "json \u{feff}{}");
    }

    #[test]
    fn what_is_no_report_says_what_it_is() {
        check(Vec::new(), "it is empty");
        check(gzip(b""), "it is empty");
        check(b"\xff\xfeu\0s\0".into(), "it is UTF-16 text, as PowerShell's `>` writes it: save it as UTF-8");
        let cut = gzip(CSV.repeat(1000).as_bytes());
        let Unpacked::Csv(stream) = unpack(Cursor::new(cut[..cut.len() / 2].to_vec())).unwrap() else { panic!() };
        assert!(read_whole(stream, 0).unwrap_err().to_string().starts_with("it cannot be read: "));
    }

    #[test]
    fn a_small_file_that_unpacks_to_more_than_any_report_is_refused() {
        let bomb = zstd::encode_all(io::repeat(b'a').take(MOST_BYTES + 1), 1).unwrap();
        assert!(bomb.len() < 100_000);
        check(bomb, "csv it unpacks to more than 128 MiB, which no credential report has");
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
