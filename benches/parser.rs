//! Measures the credential report parser: report bytes in memory to typed columns, on one core, for a large, a usual and
//! a small account, beside the physical limits in the same run: a bare split of the same bytes into fields by `simd-csv`
//! and by `csv`, and a bare read of them. Bytes are those behind the headers.
//!
//! `cargo bench -p orgsweep-benches --bench parser`

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use orgsweep_core::{AccountId, Timestamp};
use orgsweep_report::{Origin, Parser, parse_report};
use orgsweep_sim::{Model, SimSettings, write_report};

/// The program's own allocator: the arrays of a small batch are mostly allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Users an account.
const SHAPES: [u32; 3] = [5_000, 50, 5];

/// How many rows go into a batch where reports are read together.
const BATCH_ROWS: usize = 4_096;

fn main() {
    divan::main();
}

/// Reports of several accounts of one shape, as the simulated organization renders them.
struct Reports {
    /// Each with its account.
    csv: Vec<(AccountId, Vec<u8>)>,
    /// Bytes behind the headers.
    bytes: BytesCount,
    rows: ItemsCount,
}

impl Reports {
    fn new(users: u32) -> Self {
        let now = Timestamp::from_millis(1_795_341_600_000);
        // Two megabytes are read in a time slice of the machine, so that other work on it falls between two samples.
        let accounts = (10_000 / users).clamp(3, 400);
        let settings =
            SimSettings { accounts, users_per_account: users, seed: 7, now: Some(now), ..SimSettings::default() };
        let model = Model::new(&settings);
        let report = |index| {
            let mut csv = Vec::new();
            write_report(&model, index, model.now(), &mut csv);
            (model.account_id(index), csv)
        };
        let reports: Vec<_> = (1..accounts).map(report).collect();
        let bodies = reports.iter().map(|(_, csv)| csv.iter().skip_while(|byte| **byte != b'\n').count());
        let bytes = BytesCount::new(bodies.sum::<usize>());
        let rows = ItemsCount::new(reports.len() * (users as usize + 1));
        Self { csv: reports, bytes, rows }
    }

    fn bench(&self, bencher: Bencher<'_, '_>, mut read: impl FnMut(&AccountId, &[u8])) {
        bencher.counter(self.bytes).counter(self.rows).bench_local(|| {
            for (account_id, csv) in &self.csv {
                read(account_id, black_box(csv));
            }
        });
    }
}

fn origin(account_id: &AccountId) -> Origin<'static> {
    Origin { account_id: *account_id, account_name: Some("payments-prod"), generated_at: Timestamp::from_millis(0) }
}

/// A batch for each report, as a sweep makes them.
#[divan::bench(args = SHAPES)]
fn parse_each(bencher: Bencher<'_, '_>, users: u32) {
    Reports::new(users).bench(bencher, |account_id, csv| {
        let parsed = black_box(parse_report(csv, &origin(account_id)));
        assert!(parsed.is_ok(), "the simulated organization's reports are whole");
    });
}

/// A batch for many reports, as an import of archived ones makes them.
#[divan::bench(args = SHAPES)]
fn parse_together(bencher: Bencher<'_, '_>, users: u32) {
    let mut parser = Parser::new();
    Reports::new(users).bench(bencher, |account_id, csv| {
        let read = black_box(parser.read(csv, &origin(account_id)));
        assert!(read.is_ok(), "the simulated organization's reports are whole");
        if parser.rows() >= BATCH_ROWS {
            assert!(black_box(parser.finish()).is_ok(), "columns make a batch");
        }
    });
}

#[divan::bench(args = SHAPES)]
fn split_by_simd_csv(bencher: Bencher<'_, '_>, users: u32) {
    Reports::new(users).bench(bencher, |_, csv| {
        let mut reader = simd_csv::ZeroCopyReaderBuilder::new().flexible(true).from_reader(csv);
        while let Ok(Some(record)) = reader.read_byte_record() {
            black_box(record.len());
        }
    });
}

#[divan::bench(args = SHAPES)]
fn split_by_csv(bencher: Bencher<'_, '_>, users: u32) {
    Reports::new(users).bench(bencher, |_, csv| {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
        let mut record = csv::ByteRecord::new();
        while let Ok(true) = reader.read_byte_record(&mut record) {
            black_box(record.len());
        }
    });
}

#[divan::bench(args = SHAPES)]
fn read_memory(bencher: Bencher<'_, '_>, users: u32) {
    Reports::new(users).bench(bencher, |_, csv| {
        let words = csv.as_chunks::<8>().0.iter();
        black_box(words.fold(0_u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word))));
    });
}
