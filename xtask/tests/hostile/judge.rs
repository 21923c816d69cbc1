//! Reads mutated inputs one by one, with a time limit for each, and records what must not happen.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tenancy_config::Exit;

use crate::kinds::Kind;
use crate::mutate::mutated;
use crate::random::Random;
use crate::secrets::found_in;
use crate::{say, seed};

/// An input that takes longer is too slow: somebody could block a command with it, even in an unoptimised build.
const SLOW: Duration = Duration::from_secs(10);
/// An input that takes longer still will never end.
const HANGS: Duration = Duration::from_secs(60);

/// How often each thing happened that must not happen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Faults {
    pub(crate) panics: usize,
    pub(crate) hangs: usize,
    pub(crate) wrong_exits: usize,
    pub(crate) half_written: usize,
    pub(crate) secrets: usize,
    /// The first of these faults, each with the file of its input.
    pub(crate) told: Vec<String>,
}

impl Faults {
    pub(crate) fn none(&self) -> bool {
        self.panics + self.hangs + self.wrong_exits + self.half_written + self.secrets == 0
    }

    pub(crate) fn tell(&mut self, what: String) {
        if self.told.len() < 20 {
            self.told.push(what);
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.panics += other.panics;
        self.hangs += other.hangs;
        self.wrong_exits += other.wrong_exits;
        self.half_written += other.half_written;
        self.secrets += other.secrets;
        other.told.into_iter().for_each(|what| self.tell(what));
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} panics, {} hangs, {} wrong exit codes, {} half-written files, {} secrets shown",
            self.panics, self.hangs, self.wrong_exits, self.half_written, self.secrets
        )
    }
}

/// The folder for inputs that led to a fault.
pub(crate) fn kept() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    std::fs::create_dir_all(&folder).expect("the build's own folder");
    folder
}

/// Reads this many inputs of a kind.
pub(crate) fn read_many(kind: &Kind, inputs: usize) -> Faults {
    let folder = tempfile::tempdir().expect("a folder for files");
    let (examples, mut faults) = ((kind.examples)(), Faults::default());
    let watch = Watch::begin(kind.name);
    for example in &examples {
        let exit = (kind.read)(folder.path(), example).exit;
        let odd = kind.name == "url" && example.starts_with(b"mysql");
        assert!(exit.is_none() || odd, "an example of {} is not valid: {exit:?}", kind.name);
    }
    for number in 0..inputs {
        let input = mutated(&mut Random::of(seed(), kind.name, number), &examples, kind.words);
        // Written before it is read, because a stack overflow would end this process.
        let current = kept().join(format!("{}-current", kind.name));
        std::fs::write(&current, &input).expect("the build's own folder");
        watch.next();
        let before = faults.told.len();
        read_one(kind, folder.path(), &input, &mut faults);
        if faults.told.len() > before {
            let failed = kept().join(format!("{}-{number}", kind.name));
            std::fs::rename(&current, &failed).expect("the build's own folder");
            if let Some(told) = faults.told.last_mut() {
                told.push_str(&format!("\n    again: HOSTILE_REPLAY={}", failed.display()));
            }
        }
    }
    let _ = std::fs::remove_file(kept().join(format!("{}-current", kind.name)));
    faults
}

/// Reads one input, and adds what went wrong.
pub(crate) fn read_one(kind: &Kind, folder: &Path, input: &[u8], faults: &mut Faults) {
    let began = time();
    let outcome = catch_unwind(AssertUnwindSafe(|| (kind.read)(folder, input)));
    let took = time().saturating_sub(began);
    if took > SLOW {
        faults.hangs += 1;
        faults.tell(format!("{}: it took {took:?}", kind.name));
    }
    let Ok(outcome) = outcome else {
        faults.panics += 1;
        return faults.tell(format!("{}: a panic", kind.name));
    };
    // Bad input is a usage error or refused for safety; it is never a failure of ours.
    if outcome.exit.is_some_and(|exit| !matches!(exit, Exit::Usage | Exit::Refused)) {
        faults.wrong_exits += 1;
        faults.tell(format!("{}: it would end with {:?}: {:?}", kind.name, outcome.exit, outcome.shown.first()));
    }
    let private = |text: &str| outcome.private.clone().filter(|part| text.contains(part));
    let found = |text: &String| Some((text.clone(), found_in(text).or_else(|| private(text))?));
    if let Some((text, part)) = outcome.shown.iter().find_map(found) {
        faults.secrets += 1;
        faults.tell(format!("{}: `{part}` is shown: {}", kind.name, text.chars().take(300).collect::<String>()));
    }
}

/// The CPU time of this thread, if the system says it, because other programs may use the machine too.
fn time() -> Duration {
    static SINCE: LazyLock<Instant> = LazyLock::new(Instant::now);
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    spent.map_or_else(|| SINCE.elapsed(), Duration::from_nanos)
}

/// Ends this process if an input takes too long, because nothing else can stop it.
struct Watch {
    progress: std::sync::Arc<(AtomicU64, AtomicBool)>,
}

impl Watch {
    fn begin(name: &'static str) -> Self {
        let progress = std::sync::Arc::new((AtomicU64::new(0), AtomicBool::new(false)));
        let seen = std::sync::Arc::clone(&progress);
        std::thread::spawn(move || {
            let (mut last, mut since) = (0, Instant::now());
            while !seen.1.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
                let now = seen.0.load(Ordering::Relaxed);
                if now != last {
                    (last, since) = (now, Instant::now());
                } else if since.elapsed() > HANGS {
                    say(&format!("{name}: a hang; again: HOSTILE_REPLAY={}/{name}-current", kept().display()));
                    std::process::abort();
                }
            }
        });
        Self { progress }
    }

    fn next(&self) {
        self.progress.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.progress.1.store(true, Ordering::Relaxed);
    }
}
