//! The advice for samples, by examples and by properties.

use std::time::Duration;

use proptest::prelude::*;

use crate::throttle::advice::{Advice, Advisor};
use crate::throttle::limits::ThrottleLimits;
use crate::throttle::load_sample::{LoadSample, Replica, TableActivity};
use crate::throttle::signal::{HiddenSignal, LoadSignal};

fn at(second: u64) -> LoadSample {
    LoadSample { at: Duration::from_secs(1_000_000 + second), ..LoadSample::default() }
}

fn advisor() -> Advisor {
    Advisor::new(ThrottleLimits::default(), 4)
}

fn replica(seconds: f64, bytes: u64) -> Replica {
    Replica { name: "standby".into(), behind: Duration::from_secs_f64(seconds), bytes }
}

fn hidden(signal: LoadSignal) -> HiddenSignal {
    HiddenSignal { signal, why: "hidden".into(), remedy: "show it".into() }
}

fn vacuum(pid: i32) -> TableActivity {
    let modes = "ShareUpdateExclusiveLock".to_owned();
    TableActivity { pid, autovacuum: true, role: None, application: None, modes }
}

fn signals(advice: &Advice) -> Vec<LoadSignal> {
    advice.reasons().map(|reason| reason.signal).collect()
}

fn full() -> Advice {
    Advice::full_speed(4, &ThrottleLimits::default())
}

#[test]
fn on_a_quiet_server_all_workers_run() {
    let mut advisor = advisor();
    for second in 0..10 {
        assert_eq!(advisor.advise(&at(second)), full());
    }
}

#[test]
fn beside_others_one_worker_runs_until_they_were_quiet_for_a_while() {
    let mut advisor = advisor();
    let busy = advisor.advise(&LoadSample { active: 3, ..at(0) });
    assert_eq!(
        (busy.workers, busy.pause, signals(&advisor.advise(&at(1)))),
        (1, None, vec![LoadSignal::ActiveSessions])
    );
    let back = (2..60).find(|second| advisor.advise(&at(*second)) == full()).unwrap();
    assert!((6..15).contains(&back), "{back}");
}

#[test]
fn a_health_check_now_and_then_is_no_load() {
    let mut advisor = advisor();
    for second in 0..60 {
        let advice = advisor.advise(&LoadSample { active: u64::from(second % 10 == 5), ..at(second) });
        assert_eq!(advice, full(), "second {second}");
    }
}

#[test]
fn no_batch_runs_while_a_standby_is_behind_and_it_does_not_flap() {
    let mut advisor = advisor();
    let mut with = |second, seconds| advisor.advise(&LoadSample { replicas: vec![replica(seconds, 0)], ..at(second) });
    assert_eq!(with(0, 9.9), full());
    let waits = with(1, 10.1);
    let reason = waits.pause.unwrap();
    assert_eq!(reason.signal, LoadSignal::ReplicationLag);
    assert_eq!(reason.says, "standby is 10.1 s and 0 MiB behind, the limits are 10 s and 256 MiB");
    assert!(with(2, 9.9).pause.is_some(), "a little below the limit it waits on");
    assert!(with(4, 1.0).pause.is_some());
    assert_eq!(with(5, 1.0), full());
}

#[test]
fn a_slot_that_falls_behind_counts_by_bytes() {
    let replicas = vec![replica(0.0, 1), replica(0.0, 257 << 20)];
    let advice = advisor().advise(&LoadSample { replicas, ..at(0) });
    assert!(advice.pause.unwrap().says.starts_with("standby is 0.0 s and 257 MiB behind"));
}

#[test]
fn a_standby_that_hangs_falls_behind_whatever_the_server_says_of_its_time() {
    let mut advisor = advisor();
    // It was there at second 0, and 1 MiB is written each second.
    let mut with = |second: u64| {
        let wal = second << 20;
        advisor.advise(&LoadSample { wal, replicas: vec![replica(0.0, wal)], ..at(second) })
    };
    for second in 0..=10 {
        assert_eq!(with(second), full(), "second {second}");
    }
    assert!(with(11).pause.unwrap().says.starts_with("standby is 11.0 s and 11 MiB behind"));
}

#[test]
fn a_standby_that_is_always_a_little_behind_keeps_nobody_waiting() {
    let mut advisor = advisor();
    for second in 0..60 {
        let replicas = vec![replica(0.0, 1 << 20)];
        assert_eq!(advisor.advise(&LoadSample { wal: second * (3 << 20), replicas, ..at(second) }), full());
    }
}

#[test]
fn sessions_that_wait_for_us_are_let_through() {
    let mut advisor = advisor();
    assert_eq!(
        advisor.advise(&LoadSample { waiters: 2, ..at(0) }).pause.unwrap().says,
        "2 sessions wait for a lock of ours"
    );
    assert!(advisor.advise(&at(2)).pause.is_some());
    assert_eq!(advisor.advise(&at(3)), full());
}

#[test]
fn a_vacuum_is_waited_for_and_then_it_goes_on_slowly_beside_it() {
    let mut advisor = advisor();
    let work = |pid| vec![vacuum(pid)];
    let who = "autovacuum (process 7), holding ShareUpdateExclusiveLock";
    let mut with = |second, work| advisor.advise(&LoadSample { work, ..at(second) });
    assert_eq!(with(0, work(7)).pause.unwrap().says, format!("{who} works on the table"));
    assert!(with(119, work(7)).pause.is_some());
    let slow = with(120, work(7));
    assert_eq!((slow.pause.clone(), slow.workers, slow.delay_factor), (None, 1, 2.0));
    assert_eq!(slow.slow[0].says, format!("{who} still works on the table after 120 s"));
    assert!(with(121, work(8)).pause.is_some(), "another one is waited for in turn");
    assert_eq!(with(122, vec![]), full());
}

#[test]
fn wal_over_its_rate_stretches_batches_until_it_is_below() {
    let mut advisor = advisor();
    let (mut wal, mut rates) = (0, Vec::new());
    for second in 0..20 {
        // What two workers would write at full speed, slowed as was advised.
        let factor = rates.last().copied().unwrap_or(1.0);
        wal += (200.0 / factor * f64::from(1 << 20)) as u64;
        let advice = advisor.advise(&LoadSample { wal, ..at(second) });
        assert!(advice.pause.is_none() && advice.workers == 4);
        rates.push(advice.delay_factor);
    }
    let settled = &rates[10..];
    assert!(settled.iter().all(|factor| (2.5..=6.0).contains(factor)), "{rates:?}");
    let calm = (20..60).find(|second| advisor.advise(&LoadSample { wal, ..at(*second) }) == full());
    assert!(calm.is_some());
}

#[test]
fn what_cannot_be_read_is_named_and_one_worker_goes_on_slowly() {
    for signal in LoadSignal::ALL {
        let advice = advisor().advise(&LoadSample { unreadable: vec![hidden(signal)], ..at(0) });
        assert_eq!((advice.workers, advice.delay_factor, signals(&advice)), (1, 2.0, vec![signal]));
    }
}

#[test]
fn a_look_that_fails_is_nothing_read_and_not_a_quiet_server() {
    let mut advisor = advisor();
    advisor.advise(&at(0));
    let advice = advisor.advise(&LoadSample::blind(at(1).at, "the server is gone"));
    assert_eq!((advice.workers, signals(&advice)), (1, LoadSignal::ALL.to_vec()));
    assert_eq!(advisor.advise(&at(2)), full());
}

#[test]
fn at_full_speed_nothing_holds_it_back() {
    let mut advisor = Advisor::new(ThrottleLimits { full_speed: true, ..ThrottleLimits::default() }, 4);
    let worst = LoadSample { waiters: 9, active: 9, unreadable: vec![hidden(LoadSignal::TableWork)], ..at(0) };
    assert_eq!(advisor.advise(&worst), full());
}

#[test]
fn a_single_worker_is_not_slowed_by_others() {
    let mut advisor = Advisor::new(ThrottleLimits::default(), 1);
    assert_eq!(advisor.advise(&LoadSample { active: 9, ..at(0) }).slow, vec![]);
}

fn samples() -> impl Strategy<Value = Vec<LoadSample>> {
    let unreadable = proptest::sample::subsequence(LoadSignal::ALL.to_vec(), 0..=5);
    let unreadable = prop_oneof![3 => Just(Vec::new()), 1 => unreadable];
    let replica = (0.0..20.0, 0u64..1 << 29).prop_map(|(seconds, bytes)| replica(seconds, bytes));
    let one = (
        1u64..4,
        0u64..1 << 30,
        proptest::collection::vec(replica, 0..3),
        proptest::collection::vec(1i32..4, 0..2),
        prop_oneof![4 => Just(0u64), 1 => 1u64..5],
        0u64..4,
        unreadable,
    );
    proptest::collection::vec(one, 1..60).prop_map(|steps| {
        let (mut second, mut position) = (0, 0);
        let sample =
            |(seconds, wal, replicas, pids, waiters, active, unreadable): (u64, u64, _, Vec<i32>, _, _, Vec<_>)| {
                second += seconds;
                position += wal;
                LoadSample {
                    wal: position,
                    replicas,
                    work: pids.into_iter().map(vacuum).collect(),
                    waiters,
                    active,
                    unreadable: unreadable.into_iter().map(hidden).collect(),
                    ..at(second)
                }
            };
        steps.into_iter().map(sample).collect()
    })
}

proptest! {
    #[test]
    fn whatever_is_read_the_advice_can_be_followed_and_says_why(samples in samples(), workers in 1u32..9) {
        let limits = ThrottleLimits::default();
        let mut advisor = Advisor::new(limits.clone(), workers);
        let quiet = Advice::full_speed(workers, &limits);
        for sample in &samples {
            let advice = advisor.advise(sample);
            prop_assert!((1..=workers).contains(&advice.workers));
            prop_assert!((1.0..=16.0).contains(&advice.delay_factor));
            prop_assert_eq!(advice.reasons().next().is_none(), advice == quiet, "held back without a reason");
            let told = signals(&advice);
            for unreadable in &sample.unreadable {
                prop_assert!(told.contains(&unreadable.signal) && advice.workers == 1 && advice.delay_factor >= 2.0);
            }
            let seen = |signal| sample.unreadable(signal).is_none();
            let behind = sample.replicas.iter().any(|f| f.behind > limits.max_lag || f.bytes > limits.max_lag_bytes);
            if seen(LoadSignal::ReplicationLag) && behind || seen(LoadSignal::Waiters) && sample.waiters > 0 {
                prop_assert!(advice.pause.is_some());
            }
        }
        // Whatever was before: a quiet server has all workers again soon.
        let last = samples.last().unwrap();
        let mut sample = LoadSample { at: last.at, wal: last.wal, ..LoadSample::default() };
        let mut advice = quiet.clone();
        for _ in 0..40 {
            sample.at += Duration::from_secs(1);
            advice = advisor.advise(&sample);
        }
        prop_assert_eq!(advice, quiet);
    }
}
