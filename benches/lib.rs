//! Benchmarks of orgsweep; nothing to import. `cargo bench -p orgsweep-benches` and `python3 benches/sweep.py`.
