//! Adds up what records tell, in constant memory.

use std::collections::HashMap;

use crate::counts::{ByName, Counts, MOST_NAMES};
use crate::event::Event;
use crate::kind::{Kind, What};
use crate::route::{normalised, short};
use crate::time::Millis;
use crate::timeline::Timeline;
use crate::window::{LinePlace, Window};

/// How many requests are named for each place.
const MOST_REQUESTS: usize = 3;

/// Where trouble happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) kind: Kind,
    pub(crate) route: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) model: Option<String>,
}

/// What happened there.
#[derive(Debug, Default)]
pub(crate) struct AtSpot {
    pub(crate) now: u64,
    pub(crate) before: u64,
    pub(crate) first: Option<Millis>,
    pub(crate) last: Option<Millis>,
    pub(crate) requests: Vec<String>,
}

/// Counts of the time that the report is about, and of the time before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Both {
    pub(crate) now: Counts,
    pub(crate) before: Counts,
}

/// The sums so far.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(crate) window: Window,
    pub(crate) all: Both,
    pub(crate) timeline: Timeline,
    pub(crate) spots: ByName<Spot, AtSpot>,
    pub(crate) routes: ByName<String, Both>,
    pub(crate) tenants: ByName<String, Both>,
    pub(crate) models: ByName<String, Both>,
    /// Records that have no time, where the report is about one.
    pub(crate) without_time: Counts,
    /// Records of other times.
    pub(crate) outside: Counts,
    route: String,
}

impl Sums {
    pub(crate) fn new(window: Window) -> Self {
        let timeline = match window {
            Window::All => Timeline::open(),
            Window::Last { since, until, .. } => Timeline::between(since, until),
        };
        Self {
            window,
            all: Both::default(),
            timeline,
            spots: ByName { named: HashMap::new(), others: AtSpot::default() },
            routes: ByName::default(),
            tenants: ByName::default(),
            models: ByName::default(),
            without_time: Counts::default(),
            outside: Counts::default(),
            route: String::new(),
        }
    }

    pub(crate) fn add(&mut self, event: &Event<'_>) {
        let what = event.what;
        let is_now = match self.window.place(event.time) {
            LinePlace::Now => true,
            LinePlace::Before => false,
            LinePlace::Outside => return self.outside.add(what),
            LinePlace::Unknown => return self.without_time.add(what),
        };
        let add = |both: &mut Both| if is_now { both.now.add(what) } else { both.before.add(what) };
        add(&mut self.all);
        if let (true, Some(time)) = (is_now, event.time) {
            self.timeline.add(time, what);
        }
        if let Some(path) = event.path {
            normalised(path, &mut self.route);
            self.routes.update(&self.route, add);
        }
        // A name that is short enough is its own key.
        for (name, names) in [(event.tenant, &mut self.tenants), (event.model, &mut self.models)] {
            match name {
                Some(name) if name.len() <= 120 => names.update(name, add),
                Some(name) => names.update(&short(name), add),
                None => {}
            }
        }
        if let What::Trouble(kind) = what {
            self.trouble(kind, is_now, event);
        }
    }

    fn trouble(&mut self, kind: Kind, is_now: bool, event: &Event<'_>) {
        let route = event.path.map(|_| self.route.clone());
        let spot = Spot { kind, route, tenant: event.tenant.map(short), model: event.model.map(short) };
        let has_room = self.spots.named.len() < MOST_NAMES || self.spots.named.contains_key(&spot);
        let at = if has_room { self.spots.named.entry(spot).or_default() } else { &mut self.spots.others };
        if !is_now {
            at.before += 1;
            return;
        }
        at.now += 1;
        if let Some(time) = event.time {
            at.first = Some(at.first.map_or(time, |first| first.min(time)));
            at.last = Some(at.last.map_or(time, |last| last.max(time)));
        }
        if let Some(request) = event.request.filter(|_| at.requests.len() < MOST_REQUESTS).map(short)
            && !at.requests.contains(&request)
        {
            at.requests.push(request);
        }
    }
}
