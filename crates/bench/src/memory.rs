//! The most memory that this process had during a part of its run, which Linux alone reports.

use std::fs;

use crate::report::PeakMemory;

/// Watches from its making on.
#[derive(Debug)]
pub(crate) struct Memory {
    before: u64,
}

impl Memory {
    /// Sets the kernel's mark back to what is in use now; `None` where there is no such mark.
    pub(crate) fn watch() -> Option<Self> {
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Some(Self { before: kib("VmHWM:")? })
    }

    /// The mark since then, for work on `lines` lines.
    pub(crate) fn peak(self, lines: u64) -> Option<PeakMemory> {
        Some(PeakMemory { lines, before_kib: self.before, peak_kib: kib("VmHWM:")? })
    }
}

fn kib(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::Memory;

    #[test]
    fn what_is_used_in_between_shows() {
        let watch = Memory::watch().unwrap();
        let filled = vec![1_u8; 64 << 20];
        assert_eq!(filled.iter().map(|byte| usize::from(*byte)).sum::<usize>(), 64 << 20);
        drop(filled);
        let peak = watch.peak(0).unwrap();
        assert!(peak.peak_kib >= peak.before_kib + 60 * 1024, "{peak:?}");
    }
}
