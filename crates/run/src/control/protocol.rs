//! The lines of the protocol.

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{Command, Epoch};

/// The longest request that is read.
pub(super) const LONGEST_LINE: usize = 16 * 1024;

/// A message about a request repeats no more of it.
const LONGEST_MESSAGE: usize = 500;

/// What somebody asks of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    /// Do this.
    Command(Command),
    /// Tell all events from now on.
    Watch,
    /// Say where you are.
    Status,
}

impl Request {
    /// Reads a line. The error is for whoever wrote it.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Keys {
            command: Option<IgnoredAny>,
            watch: Option<bool>,
            status: Option<bool>,
            #[serde(flatten)]
            others: BTreeMap<String, IgnoredAny>,
        }
        const KINDS: &str = r#"give {"command":"set-lr","lr":"0.5x"}, {"watch":true} or {"status":true}"#;
        let short = |error: serde_json::Error| -> String {
            let error = error.to_string();
            if error.len() <= LONGEST_MESSAGE {
                return error;
            }
            error.chars().take(LONGEST_MESSAGE).chain("…".chars()).collect()
        };
        let keys: Keys = serde_json::from_slice(line)
            .map_err(|error| format!("this is no request ({}); {KINDS}", short(error)))?;
        match keys {
            Keys { command: Some(_), watch: None, status: None, .. } => {
                serde_json::from_slice(line).map(Self::Command).map_err(short)
            }
            Keys { others, .. } if !others.is_empty() => {
                let key = others.keys().next().map(String::as_str).unwrap_or_default();
                let key: String = key.chars().take(LONGEST_MESSAGE).collect();
                Err(format!("unknown key `{key}`; {KINDS}"))
            }
            Keys { command: None, watch: Some(true), status: None, .. } => Ok(Self::Watch),
            Keys { command: None, watch: None, status: Some(true), .. } => Ok(Self::Status),
            _ => Err(format!("this is no request; {KINDS}")),
        }
    }
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Took {
    /// The next step, the first that knows of it.
    pub step: u64,
    /// The number of steps made, those gone back over included.
    #[serde(alias = "made")]
    pub steps_executed: u64,
    /// The rate that the next step would have been made with; none if the run is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_before: Option<f64>,
    /// The rate that it is made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
}

/// The answer to who wants to watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watching {
    /// How many lines of `events.jsonl` tell what has happened; the events on the socket are those behind
    /// them.
    pub logged: u64,
}

/// Where a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The process that makes it.
    pub pid: u32,
    /// The number of steps made since its start, without those gone back over.
    pub step: u64,
    /// The length of the run in steps, unless it stops early.
    pub total_steps: u64,
    /// The length of an epoch in steps.
    pub steps_per_epoch: u64,
    /// Whether it makes no step until it is told to continue.
    pub paused: bool,
    /// The rate of the last step, and the mean loss of its batch before it, if they are known and finite.
    pub lr: Option<f64>,
    /// See `lr`.
    pub loss: Option<f64>,
    /// The last epoch.
    pub epoch: Option<Epoch>,
}

/// An answer: `{"ok":true, …}` with what was asked for, or `{"ok":false,"error":"…"}`.
#[derive(Serialize)]
struct Answer<T> {
    ok: bool,
    #[serde(flatten)]
    content: T,
}

#[derive(Serialize, Deserialize)]
struct Refusal {
    error: String,
}

/// The line of an answer.
pub(super) fn answer<T: Serialize>(answer: Result<T, String>) -> Vec<u8> {
    let line = match answer {
        Ok(content) => serde_json::to_vec(&Answer { ok: true, content }),
        Err(error) => serde_json::to_vec(&Answer { ok: false, content: Refusal { error } }),
    };
    let mut line = line.expect("answers are plain data");
    line.push(b'\n');
    line
}

/// Reads the line of an answer: what was asked for, or why not.
pub(super) fn read_answer<T: for<'a> Deserialize<'a>>(
    line: &[u8],
) -> Result<Result<T, String>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Ok {
        ok: Option<bool>,
    }
    match serde_json::from_slice::<Ok>(line)?.ok {
        Some(true) => serde_json::from_slice(line).map(Result::Ok),
        Some(false) => serde_json::from_slice::<Refusal>(line).map(|refusal| Err(refusal.error)),
        None => Err(serde_json::Error::custom("no answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_or_refused_with_a_reason() {
        let parse = |line: &str| Request::parse(line.as_bytes());
        assert_eq!(parse(r#"{"command":"stop"}"#), Ok(Request::Command(Command::Stop)));
        let half = Request::Command(Command::SetLr { lr: "0.5x".parse().unwrap() });
        assert_eq!(parse(r#" {"lr":"0.5x","command":"set-lr"} "#), Ok(half));
        assert_eq!(parse(r#"{"watch":true}"#), Ok(Request::Watch));
        assert_eq!(parse(r#"{"status":true}"#), Ok(Request::Status));
        for (line, why) in [
            ("", "no request"),
            ("stop", "no request"),
            ("[]", "no request"),
            ("{}", "no request; give"),
            (r#"{"watch":false}"#, "no request"),
            (r#"{"watch":true,"status":true}"#, "no request"),
            (r#"{"watch":true,"since":7}"#, "unknown key `since`"),
            (r#"{"stop":true}"#, "unknown key `stop`"),
            (r#"{"command":"stop","watch":true}"#, "no request"),
            (r#"{"command":"halt"}"#, "unknown variant `halt`"),
            (r#"{"command":"set-lr"}"#, "missing field `lr`"),
            (r#"{"command":"set-lr","lr":"-1"}"#, "must be above 0"),
            (r#"{"command":"set-lr","lr":"0.5x","now":1}"#, "unknown field `now`"),
            (r#"{"command":"stop"}{"command":"stop"}"#, "trailing characters"),
        ] {
            let refused = parse(line).unwrap_err();
            assert!(refused.contains(why), "{line}: {refused}");
        }
        assert!(Request::parse(b"\xff\xfe{").is_err());
        assert!(Request::parse("[".repeat(60_000).as_bytes()).is_err());
        let long = format!(r#"{{"command":"set-lr","lr":"cosi{}ne(1)"}}"#, "é".repeat(5000));
        let refused = parse(&long).unwrap_err();
        assert!(refused.starts_with("`cosié") && refused.ends_with('…') && refused.len() < 1100, "{refused}");
    }

    #[test]
    fn answers_are_read_as_they_are_written() {
        let took = Took { step: 7, steps_executed: 9, lr_before: Some(0.1), lr: Some(0.05) };
        let line = answer(Ok(&took));
        assert_eq!(line, b"{\"ok\":true,\"step\":7,\"steps_executed\":9,\"lr_before\":0.1,\"lr\":0.05}\n");
        assert_eq!(read_answer(&line).unwrap(), Ok(took));
        let line = answer::<Took>(Err("no \"rate\"\n".into()));
        assert_eq!(line, b"{\"ok\":false,\"error\":\"no \\\"rate\\\"\\n\"}\n");
        assert_eq!(read_answer::<Took>(&line).unwrap(), Err("no \"rate\"\n".into()));
        assert!(read_answer::<Took>(b"{\"event\":\"note\",\"text\":\"x\"}").is_err());
    }
}
