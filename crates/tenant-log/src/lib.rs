//! What the logs of the application, and of its server, tell of tenant trouble: requests without a tenant, queries without one,
//! and rows that a policy refused. It reads streams line by line, in constant memory, and connects to nothing.
//!
//! | where | what |
//! | --- | --- |
//! | `read` | the flow: inputs, lines, records, sums, report |
//! | `input`, `lines` | files and standard input, compressed or not; lines of any length |
//! | `patterns` | which lines may matter, and what a message tells |
//! | `parser` | from a line to its records: behind prefixes, wrapped by platforms, several in a line |
//! | `json`, `server_log`, `time`, `route` | one record of each form; moments; paths without ids |
//! | `collect`, `counts`, `timeline`, `window` | sums by kind, place, name and time |
//! | `finish`, `report`, `gate` | the report, and whether the log is quiet enough |

mod collect;
mod counts;
mod error;
mod event;
mod finish;
mod gate;
mod input;
mod json;
mod kind;
mod lines;
mod parser;
mod patterns;
mod read;
mod report;
mod route;
mod server_log;
mod time;
mod timeline;
mod unread;
mod window;

pub use error::Error;
pub use gate::{GateVerdict, MeasuredShare, MostUnresolved, WhyNotTried};
pub use input::Input;
pub use kind::Kind;
pub use read::{LogOptions, judge, read, read_streams};
pub use report::{
    ClockReport, InputReport, IntervalsReport, KindReport, LogReport, NameReport, SpotReport, TrafficReport,
    UnreadReport, WindowReport,
};
pub use unread::UnreadReason;
