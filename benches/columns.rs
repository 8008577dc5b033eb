//! Measures what credential reports in memory cost on their way into columns and into Parquet, in bytes and seconds: orgsweep,
//! arrow-csv, a bare field split by simd-csv and csv, and how fast memory can be read at all.
//!
//! `benches/columns.py` runs it, beside peers in Python, on the same files and cores, and makes one table of it. By itself:
//! `cargo bench -p orgsweep-benches --bench columns -- WHAT FOLDER [--cores N] [--runs N] [--output FILE]`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a measurement that fails is told by its panic"
)]

use std::cell::RefCell;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, Scalar, StringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::nullif::nullif;
use orgsweep_core::table::credential_report;
use orgsweep_core::{AccountId, Run, RunId, Sources, Timestamp};
use orgsweep_lake::{ColumnWork, DEFAULT_PART_BYTES, Lake, Part, TableWriter, encode};
use orgsweep_report::{Origin, Parser};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rayon::prelude::*;

/// Columns of a report that AWS may leave out, each beside a word for why.
const TIMES: [&str; 9] = [
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "cert_1_last_rotated",
    "cert_2_last_rotated",
];

/// Bytes of the reports that a reader of plain CSV is given as one file, without the headers between them.
const PIECE_BYTES: usize = 64 << 20;

/// Reports that are parsed while those before them are written.
const WINDOW: usize = 8;

/// Bytes of reports that make one batch of orgsweep's, at least one report.
const BATCH_BYTES: usize = 1 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [what, folder, flags @ ..] = arguments.as_slice() else {
        // `cargo test --benches` runs it without arguments.
        return;
    };
    let flag = |name: &str| flags.iter().position(|flag| flag == name).and_then(|at| flags.get(at + 1)).cloned();
    let number = |name: &str, otherwise: usize| flag(name).map_or(otherwise, |value| value.parse().unwrap());
    let (cores, runs) = (number("--cores", 1), number("--runs", 3));
    rayon::ThreadPoolBuilder::new().num_threads(cores).build_global().unwrap();
    let reports = Reports::read(Path::new(folder));
    let output = flag("--output").map_or_else(|| PathBuf::from(folder).with_extension("out"), PathBuf::from);
    let work: Box<dyn Fn() -> Counted> = match what.as_str() {
        "memory" => Box::new(|| reports.read_memory()),
        "split-simd-csv" => Box::new(|| reports.split_simd_csv()),
        "split-csv" => Box::new(|| reports.split_csv()),
        "parse-orgsweep" => Box::new(|| reports.parse_orgsweep()),
        "parse-arrow-csv" => Box::new(|| reports.parse_arrow_csv()),
        "parquet-orgsweep" => Box::new(|| reports.parquet_orgsweep(&output)),
        "parquet-arrow-csv" => Box::new(|| reports.parquet_arrow_csv(&output)),
        other => panic!("{other:?} is nothing that is measured"),
    };
    // Once to warm up: what it takes to have memory for the first time is not what is measured.
    let counted = work();
    let seconds: Vec<f64> = (0..runs).map(|_| measured(&work)).collect();
    println!(
        "{}",
        serde_json::json!({
            "seconds": seconds, "bytes": reports.bytes(), "rows": counted.rows, "written": counted.written, "files": reports.each.len(),
        })
    );
}

fn measured(work: &dyn Fn() -> Counted) -> f64 {
    let started = Instant::now();
    black_box(work());
    started.elapsed().as_secs_f64()
}

/// What a piece of work came to.
struct Counted {
    rows: usize,
    written: u64,
}

/// The reports of a folder, in memory, in order of their accounts.
struct Reports {
    each: Vec<(AccountId, Vec<u8>)>,
    /// The same as a few large files.
    pieces: Vec<Vec<u8>>,
}

impl Reports {
    fn read(folder: &Path) -> Self {
        let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let account = |path: &Path| AccountId::parse(path.file_stem().unwrap().to_str().unwrap()).unwrap();
        let each: Vec<_> = files.iter().map(|path| (account(path), fs::read(path).unwrap())).collect();
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        for (_, csv) in &each {
            let rows = csv.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            match pieces.last_mut() {
                Some(piece) if piece.len() < PIECE_BYTES => {
                    piece.push(b'\n');
                    piece.extend_from_slice(&csv[rows..]);
                }
                _ => pieces.push(csv.clone()),
            }
        }
        Self { each, pieces }
    }

    fn bytes(&self) -> usize {
        self.each.iter().map(|(_, csv)| csv.len()).sum()
    }

    fn rows_of(counts: impl ParallelIterator<Item = usize>) -> Counted {
        Counted { rows: counts.sum(), written: 0 }
    }

    /// Adds up all bytes, eight at a time: what the machine's memory allows.
    fn read_memory(&self) -> Counted {
        let sum = |piece: &Vec<u8>| {
            let words = piece.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
            usize::try_from(words.fold(0_u64, u64::wrapping_add) & 1).unwrap()
        };
        Self::rows_of(self.pieces.par_iter().map(sum))
    }

    fn split_simd_csv(&self) -> Counted {
        let split = |piece: &Vec<u8>| {
            let mut reader =
                simd_csv::ZeroCopyReaderBuilder::new().buffer_capacity(1 << 16).from_reader(piece.as_slice());
            let (mut rows, mut length) = (0, 0);
            while let Some(record) = reader.read_byte_record().unwrap() {
                length += record.iter().map(<[u8]>::len).sum::<usize>();
                rows += 1;
            }
            black_box(length);
            rows
        };
        Self::rows_of(self.pieces.par_iter().map(split))
    }

    fn split_csv(&self) -> Counted {
        let split = |piece: &Vec<u8>| {
            let mut reader = csv::Reader::from_reader(piece.as_slice());
            let mut record = csv::ByteRecord::new();
            let (mut rows, mut length) = (0, 0);
            while reader.read_byte_record(&mut record).unwrap() {
                length += record.iter().map(<[u8]>::len).sum::<usize>();
                rows += 1;
            }
            black_box(length);
            rows
        };
        Self::rows_of(self.pieces.par_iter().map(split))
    }

    fn parse_orgsweep(&self) -> Counted {
        Self::rows_of(self.batches_of_each().par_iter().map(|reports| black_box(columns_of(reports)).num_rows()))
    }

    fn parse_arrow_csv(&self) -> Counted {
        let parse = |piece: &Vec<u8>| plain_batches(piece).map(|batch| black_box(batch).num_rows()).sum::<usize>();
        Self::rows_of(self.pieces.par_iter().map(parse))
    }

    /// Neighbouring reports that make one batch: of small ones many.
    fn batches_of_each(&self) -> Vec<&[(AccountId, Vec<u8>)]> {
        let bytes = self.each.iter().map(|(_, csv)| csv.len()).max().unwrap_or(1);
        self.each.chunks((BATCH_BYTES / bytes).max(1)).collect()
    }

    /// Writes the columns of the report by the lake's own writer.
    fn parquet_orgsweep(&self, output: &Path) -> Counted {
        let _ = fs::remove_dir_all(output);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let lake = runtime.block_on(Lake::open_or_create(output.to_str().unwrap())).unwrap();
        let run = run();
        let mut writer = TableWriter::new(credential_report(), DEFAULT_PART_BYTES);
        let mut counted = Counted { rows: 0, written: 0 };
        let batches = self.batches_of_each();
        let mut windows = batches.chunks(WINDOW);
        let parse = |window: &[&[(AccountId, Vec<u8>)]]| {
            window.par_iter().map(|reports| columns_of(reports)).collect::<Vec<_>>()
        };
        let encoded = |writer: &mut TableWriter| {
            let parts = encode([writer], |work| work.into_par_iter().with_max_len(1).map(ColumnWork::encode).collect());
            parts.unwrap().into_iter().flatten().collect::<Vec<_>>()
        };
        let put = |parts: Vec<Part>| {
            let put = |part| runtime.block_on(lake.put_part(&run, part)).unwrap().bytes;
            parts.into_iter().map(put).sum::<u64>()
        };
        let (mut parsed, mut full) = (windows.next().map(parse), Vec::new());
        while let Some(batches) = parsed {
            let next = windows.next();
            counted.rows += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
            for batch in batches {
                writer.push(batch);
            }
            // As in a build, those that come next are parsed, and parts that are full put, while these are encoded.
            let beside = || rayon::join(|| next.map(parse), || put(full));
            let (parts, (following, written)) = rayon::join(|| encoded(&mut writer), beside);
            counted.written += written;
            (parsed, full) = (following, parts);
        }
        writer.end();
        let last = encoded(&mut writer);
        counted.written += put(full.into_iter().chain(last).chain(writer.last_part().unwrap()).collect());
        counted
    }

    fn parquet_arrow_csv(&self, output: &Path) -> Counted {
        let _ = fs::remove_dir_all(output);
        fs::create_dir_all(output).unwrap();
        let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
        let write = |(index, piece): (usize, &Vec<u8>)| {
            let path = output.join(format!("{index:03}.parquet"));
            let properties = WriterProperties::builder().set_compression(zstd).build();
            let file = fs::File::create(&path).unwrap();
            let mut writer = ArrowWriter::try_new(file, typed_schema(), Some(properties)).unwrap();
            let mut rows = 0;
            for batch in plain_batches(piece) {
                rows += batch.num_rows();
                writer.write(&batch).unwrap();
            }
            writer.close().unwrap();
            (rows, fs::metadata(path).unwrap().len())
        };
        let written: Vec<(usize, u64)> = self.pieces.par_iter().enumerate().map(write).collect();
        Counted { rows: written.iter().map(|it| it.0).sum(), written: written.iter().map(|it| it.1).sum() }
    }
}

/// One batch of these reports, by a parser that each thread keeps.
fn columns_of(reports: &[(AccountId, Vec<u8>)]) -> RecordBatch {
    thread_local! {
        static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
    }
    let generated_at = Timestamp::from_millis(0);
    PARSER.with_borrow_mut(|parser| {
        for (account_id, csv) in reports {
            let origin = Origin { account_id: *account_id, account_name: None, generated_at };
            let read = parser.read(black_box(csv), &origin).unwrap();
            assert!(read.quarantined.is_empty(), "a measured report has no row that is set aside");
        }
        parser.finish().unwrap()
    })
}

fn run() -> Run {
    Run {
        run_id: RunId::parse("bench").unwrap(),
        as_of: Timestamp::from_millis(0),
        started_at: Timestamp::from_millis(0),
        caller: orgsweep_core::Caller::nobody(),
        organization: None,
        orgsweep_version: String::new(),
        rule_pack_sha256: String::new(),
        unasked: Sources::NONE,
        recheck_of: None,
        carry_from: None,
        settings: serde_json::Map::new(),
    }
}

/// Batches of a piece by arrow-csv, with the types that the `credentials` table has.
fn plain_batches(piece: &[u8]) -> impl Iterator<Item = RecordBatch> {
    let reader = arrow_csv::ReaderBuilder::new(csv_schema()).with_header(true).with_batch_size(8192);
    let typed = typed_schema();
    reader.build_buffered(piece).unwrap().map(move |batch| to_typed(&batch.unwrap(), &typed))
}

/// What a CSV reader can make of a report by itself: columns with words among their values stay text.
fn csv_schema() -> SchemaRef {
    let header = orgsweep_sim::REPORT_HEADER.split(',');
    let field = |name: &str| {
        let is_text = name == "user" || name == "arn" || name == "password_enabled" || TIMES.contains(&name);
        let data_type = match name {
            "user_creation_time" => parsed_time(),
            name if is_text || name.ends_with("_region") || name.ends_with("_service") => DataType::Utf8,
            _ => DataType::Boolean,
        };
        Field::new(name, data_type, true)
    };
    Arc::new(Schema::new(header.map(field).collect::<Vec<_>>()))
}

/// The columns of `credentials` that stand in a report's rows; what is the same in all of them is left out.
fn typed_schema() -> SchemaRef {
    let constant = ["account_id", "account_name", "additional_credentials_info", "report_generated_at"];
    let fields = credential_report().schema();
    let fields = fields.fields().iter().filter(|field| !constant.contains(&field.name().as_str()));
    Arc::new(Schema::new(fields.map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>()))
}

fn to_typed(batch: &RecordBatch, typed: &SchemaRef) -> RecordBatch {
    let column = |name: &str| Arc::clone(batch.column_by_name(name).unwrap());
    let absent = Scalar::new(StringArray::from(vec!["N/A"]));
    let root = Scalar::new(StringArray::from(vec!["<root_account>"]));
    let equals = |column: &ArrayRef, text: &Scalar<StringArray>| arrow_ord::cmp::eq(column, text).unwrap();
    let known = |name: &str, data_type: &DataType| {
        let texts = column(name);
        // What is no such value becomes null.
        let values = cast(&texts, data_type).unwrap();
        let there: BooleanArray = are_there(&values);
        let reasons = nullif(texts.as_string::<i32>(), &there).unwrap();
        (values, reasons)
    };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(typed.fields().len());
    for field in typed.fields() {
        let name = field.name().as_str();
        if name.ends_with("_reason") {
            continue;
        }
        match name {
            "is_root" => columns.push(Arc::new(equals(&column("user"), &root))),
            "password_enabled" => {
                let (values, reasons) = known(name, &DataType::Boolean);
                columns.extend([values, reasons]);
            }
            name if TIMES.contains(&name) => {
                let (values, reasons) = known(name, &parsed_time());
                columns.extend([in_utc(&values), reasons]);
            }
            name if name.ends_with("_region") || name.ends_with("_service") => {
                let texts = column(name);
                columns.push(nullif(texts.as_string::<i32>(), &equals(&texts, &absent)).unwrap());
            }
            "user_creation_time" => columns.push(in_utc(&column(name))),
            name => columns.push(column(name)),
        }
    }
    RecordBatch::try_new(Arc::clone(typed), columns).unwrap()
}

/// A time as Arrow can read one without knowing the names of time zones.
fn parsed_time() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
}

/// The same times under the name that the table has for their zone.
fn in_utc(times: &ArrayRef) -> ArrayRef {
    Arc::new(times.as_primitive::<TimestampMillisecondType>().clone().with_timezone("UTC"))
}

fn are_there(values: &ArrayRef) -> BooleanArray {
    match values.nulls() {
        Some(nulls) => BooleanArray::new(nulls.inner().clone(), None),
        None => BooleanArray::from(vec![true; values.len()]),
    }
}
