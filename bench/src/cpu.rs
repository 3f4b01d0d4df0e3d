//! Processor time of processes, and their memory, as the kernel tells it in `/proc`.

use std::collections::HashMap;

/// The kernel's clock ticks a second in `/proc`, fixed on Linux.
const TICKS_A_SECOND: f64 = 100.0;

struct Stat {
    parent: u32,
    own: f64,
    of_ended_children: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name, may contain anything but ends with the last bracket.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<f64>().ok())
    };
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: (number(11)? + number(12)?) * 1000.0 / TICKS_A_SECOND,
        of_ended_children: (number(13)? + number(14)?) * 1000.0 / TICKS_A_SECOND,
    })
}

/// Milliseconds that the process itself has used, in user and system mode.
pub fn of_process(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |stat| stat.own)
}

/// The same for the process and everything below it, those that ended included.
pub fn of_tree(root: u32) -> f64 {
    let all: HashMap<u32, Stat> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect();
    let below = |mut pid: u32| {
        loop {
            if pid == root {
                return true;
            }
            match all.get(&pid) {
                Some(stat) if stat.parent > 1 => pid = stat.parent,
                _ => return false,
            }
        }
    };
    all.iter()
        .filter(|(pid, _)| below(**pid))
        .map(|(_, stat)| stat.own + stat.of_ended_children)
        .sum()
}

/// The most memory that the process ever held, in megabytes (`VmHWM`).
pub fn peak_memory(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 1024.0
}

/// Runnable processes of the machine over the last minute, ours included.
pub fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split_whitespace().next().map(str::to_owned))
        .unwrap_or_default()
}
