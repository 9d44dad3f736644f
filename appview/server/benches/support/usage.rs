//! What a process uses, as Linux tells.

use std::fs;

/// What a process uses at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) memory_kib: u64,
    /// Open files and sockets.
    pub(crate) handles: usize,
}

pub(crate) fn of(process: u32) -> Usage {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.unwrap().trim_end_matches("kB").trim();
    Usage {
        memory_kib: resident.parse().unwrap(),
        handles: fs::read_dir(format!("/proc/{process}/fd")).unwrap().count(),
    }
}
