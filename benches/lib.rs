//! Benchmarks of orgsweep; nothing to import. `cargo bench -p orgsweep-benches`, `python3 benches/sweep.py` and `python3 benches/columns.py`.
