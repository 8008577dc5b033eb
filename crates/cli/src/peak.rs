//! The most memory that this process has had at any time, where the system tells.

/// Bytes of the largest resident set so far; `None` where the system does not say.
pub fn peak_memory() -> Option<u64> {
    // proc(5): VmHWM, in kibibytes.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
