//! What the system says about other processes: in `/proc` if it exists, or else through `ps` and `lsof`.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

/// A process's arguments, as one text.
pub(crate) fn command_line(pid: Pid) -> Option<String> {
    if let Ok(arguments) = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) {
        return Some(String::from_utf8_lossy(&arguments).replace('\0', " "));
    }
    let mut ps = std::process::Command::new("ps");
    let output = ps.args(["-ww", "-o", "args=", "-p"]).arg(pid.as_raw_nonzero().to_string()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The working directory of a process, if this user may see it.
pub(crate) fn working_folder(pid: Pid) -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        return fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())).ok();
    }
    let mut lsof = std::process::Command::new("lsof");
    let output = lsof.args(["-a", "-d", "cwd", "-F", "n", "-p"]).arg(pid.as_raw_nonzero().to_string()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix('n')).map(PathBuf::from)
}

/// The processes whose working directory is this folder, as far as this user may see them.
pub(crate) fn working_in(folder: &Path) -> Vec<Pid> {
    if cfg!(target_os = "linux") {
        let pids = everyone().into_iter().filter_map(|(pid, _)| Pid::from_raw(pid));
        return pids.filter(|pid| working_folder(*pid).is_some_and(|at| at == folder)).collect();
    }
    let mut lsof = std::process::Command::new("lsof");
    let Ok(output) = lsof.args(["-a", "-d", "cwd", "-c", "postgres", "-F", "pn"]).output() else { return Vec::new() };
    let mut pid = None;
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.split_at_checked(1) {
            Some(("p", number)) => pid = number.parse().ok().and_then(Pid::from_raw),
            Some(("n", at)) if Path::new(at) == folder => found.extend(pid),
            _ => {}
        }
    }
    found
}

/// The process that started another.
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    let number = pid.as_raw_nonzero().get();
    everyone().into_iter().find(|(known, _)| *known == number).and_then(|(_, parent)| Pid::from_raw(parent))
}

/// The processes that a process has started and not yet waited for.
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().get();
    everyone()
        .into_iter()
        .filter(|(_, its_parent)| *its_parent == parent)
        .filter_map(|(pid, _)| Pid::from_raw(pid))
        .collect()
}

/// Whether a process runs. One that has ended and was not waited for does not.
pub(crate) fn is_alive(pid: Pid) -> bool {
    command_line(pid).is_some_and(|arguments| !arguments.trim().is_empty() && !arguments.contains("<defunct>"))
}

/// All processes, each with its parent.
fn everyone() -> Vec<(i32, i32)> {
    let Ok(processes) = fs::read_dir("/proc") else { return everyone_by_ps() };
    processes
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((pid, parent_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))
        })
        .collect()
}

/// The parent in the text of `/proc/PID/stat`. Its second field, a name in parentheses, may contain any character, even
/// `)`.
fn parent_in(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

fn everyone_by_ps() -> Vec<(i32, i32)> {
    let output = std::process::Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid="]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (pid, parent) = line.trim().split_once(char::is_whitespace)?;
            Some((pid.parse().ok()?, parent.trim().parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_a_name_with_parentheses() {
        assert_eq!(parent_in("12 (post) gres)) S 7 12 12 0"), Some(7));
        assert_eq!(parent_in("12"), None);
    }

    #[test]
    fn a_child_is_found_and_is_alive_until_it_is_killed() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert!(children(rustix::process::getpid()).contains(&pid));
        // The kernel shows the arguments a moment after the process has started.
        while !is_alive(pid) {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        while is_alive(pid) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
