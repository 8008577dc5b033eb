//! Measures the credential report parser: report bytes in memory to typed columns, on one core, in bytes and rows a
//! second, for a large, a usual and a small account.
//!
//! `cargo bench -p orgsweep-benches --bench parser`

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use orgsweep_core::Timestamp;
use orgsweep_report::{Origin, parse_report};
use orgsweep_sim::{Model, SimSettings, write_report};

fn main() {
    divan::main();
}

/// Reports of some accounts with this many users, as the simulated organization renders them.
fn reports(users: u32) -> Vec<(orgsweep_core::AccountId, Vec<u8>)> {
    let now = Timestamp::from_millis(1_795_341_600_000);
    let accounts = (50_000 / users).clamp(4, 400);
    let settings =
        SimSettings { accounts, users_per_account: users, seed: 7, now: Some(now), ..SimSettings::default() };
    let model = Model::new(&settings);
    let report = |index| {
        let mut csv = Vec::new();
        write_report(&model, index, model.now(), &mut csv);
        (model.account_id(index), csv)
    };
    (1..accounts).map(report).collect()
}

#[divan::bench(args = [5_000, 50, 5])]
fn parse(bencher: Bencher<'_, '_>, users: u32) {
    let reports = reports(users);
    let bytes: usize = reports.iter().map(|(_, csv)| csv.len()).sum();
    let rows = reports.len() * (users as usize + 1);
    bencher.counter(BytesCount::new(bytes)).counter(ItemsCount::new(rows)).bench(|| {
        for (account_id, csv) in &reports {
            let origin = Origin {
                account_id: *account_id,
                account_name: Some("payments-prod"),
                generated_at: Timestamp::from_millis(0),
            };
            let parsed = black_box(parse_report(black_box(csv), &origin));
            assert!(parsed.is_ok(), "the simulated organization's reports are whole");
        }
    });
}
