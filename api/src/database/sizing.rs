//! What a private PostgreSQL is given of the machine it runs on.

/// A sixteenth of the machine's memory is for pages of tables, within these bounds in megabytes: the machine is shared,
/// with our own program to begin with, and the kernel's cache holds pages as well.
const PART: u64 = 16;
const FEWEST: u64 = 128;
const MOST: u64 = 1024;

/// Settings for a cluster that is there to stay.
///
/// With PostgreSQL's own figures a rush of sales reads pages back that it has just written out, and a checkpoint every
/// few seconds makes it log whole pages again and again. Kept segments of the log need not be filled with zeros first.
pub fn settings() -> Vec<(&'static str, String)> {
    vec![
        ("shared_buffers", format!("{}MB", buffers(total()))),
        ("wal_buffers", "16MB".to_owned()),
        ("min_wal_size", "512MB".to_owned()),
        ("max_wal_size", "2GB".to_owned()),
    ]
}

/// Megabytes for pages of tables on a machine with so many kilobytes of memory; the fewest where nobody knows.
fn buffers(kilobytes: Option<u64>) -> u64 {
    kilobytes.map_or(FEWEST, |all| (all / 1024 / PART).clamp(FEWEST, MOST))
}

/// Kilobytes of memory of this machine, where the kernel tells.
fn total() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::buffers;

    #[test]
    fn a_machine_gives_a_sixteenth_within_bounds() {
        let gigabyte = 1024 * 1024;
        assert_eq!(buffers(None), 128);
        assert_eq!(buffers(Some(gigabyte)), 128);
        assert_eq!(buffers(Some(8 * gigabyte)), 512);
        assert_eq!(buffers(Some(64 * gigabyte)), 1024);
    }
}
