//! What is said on one connection, without the reading and writing.

use serde::Serialize;

use super::protocol::{LONGEST_LINE, Request, answer};
use crate::Command;

/// What is kept for somebody who does not read: no more requests are taken then, and no steps are told.
const FULL: usize = 64 * 1024;

/// What is kept for a watcher who does not read, before it is let go.
const OVERFULL: usize = 4 * 1024 * 1024;

/// One connection: bytes come in, requests come out, and the answers are bytes again.
///
/// However many bytes come in, it holds a bounded number of them.
#[derive(Debug, Default)]
pub struct Connection {
    input: Vec<u8>,
    /// How many lines end in it.
    lines: usize,
    /// Whether the rest of the line is left out, which was too long.
    skipping: bool,
    /// Nothing comes in any more.
    ended: bool,
    output: Vec<u8>,
    /// A request is being answered.
    waiting: bool,
    watching: bool,
    /// No more is read or told; it is over once the output is written.
    closing: bool,
}

/// What is asked on a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Do this. Nothing else is asked until [`Connection::answer`] says what became of it.
    Command(Command),
    /// Tell the events; [`Connection::watch`] begins it.
    Watch,
    /// Say where the run is, by [`Connection::answer`].
    Status,
}

impl Connection {
    /// Whether it would take more bytes.
    pub fn wants_input(&self) -> bool {
        !self.ended && !self.closing && !self.waiting && self.output.len() < FULL && !self.has_line()
    }

    /// Takes bytes that came in. None at all: that was the last of them.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.ended |= bytes.is_empty();
        if !self.closing {
            self.input.extend_from_slice(bytes);
            self.lines += ends(bytes);
        }
        while (self.skipping && !self.input.is_empty())
            || (self.input.len() > LONGEST_LINE && !self.has_line())
        {
            self.skip();
        }
        if self.ended && !self.skipping && self.input.last().is_some_and(|&byte| byte != b'\n') {
            self.input.push(b'\n');
            self.lines += 1;
        }
    }

    /// Leaves out what there is of a line that is too long.
    fn skip(&mut self) {
        if !self.skipping {
            let error = format!("a line of more than {LONGEST_LINE} bytes is no request");
            self.answer::<()>(Err(error));
        }
        let end = self.input.iter().position(|&byte| byte == b'\n');
        self.input.drain(..end.map_or(self.input.len(), |end| end + 1));
        self.lines = ends(&self.input);
        self.skipping = end.is_none();
    }

    /// Whether a whole line has come in that was not looked at.
    fn has_line(&self) -> bool {
        self.lines > 0
    }

    /// Whether a request could be taken from what has come in.
    pub fn has_request(&self) -> bool {
        !self.waiting && !self.closing && self.output.len() < FULL && self.has_line()
    }

    /// The next request in what has come in. What is none is answered here, which takes a line at each call.
    pub fn next_request(&mut self) -> Option<Asked> {
        if !self.has_request() {
            return None;
        }
        let end = self.input.iter().position(|&byte| byte == b'\n')?;
        let line: Vec<u8> = self.input.drain(..=end).collect();
        self.lines -= 1;
        if line.trim_ascii().is_empty() {
            return None;
        }
        let request = if line.len() > LONGEST_LINE {
            Err(format!("a line of more than {LONGEST_LINE} bytes is no request"))
        } else {
            Request::parse(&line)
        };
        match request {
            Ok(Request::Command(command)) => {
                self.waiting = true;
                Some(Asked::Command(command))
            }
            Ok(Request::Watch) => Some(Asked::Watch),
            Ok(Request::Status) => Some(Asked::Status),
            Err(error) => {
                self.answer::<()>(Err(error));
                None
            }
        }
    }

    /// Answers the request that came last.
    pub fn answer<T: Serialize>(&mut self, content: Result<T, String>) {
        self.waiting = false;
        self.output.extend(answer(content));
    }

    /// Begins to tell events, after this answer.
    pub fn watch<T: Serialize>(&mut self, content: T) {
        self.watching = true;
        self.answer(Ok(content));
    }

    /// Whether events are told.
    pub fn is_watching(&self) -> bool {
        self.watching && !self.closing
    }

    /// Whether a request is being answered.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Tells an event, a line of JSON. Whoever does not read misses steps first, and then is let go.
    pub fn tell(&mut self, line: &[u8], is_step: bool) {
        if !self.is_watching() || (is_step && self.output.len() >= FULL) {
            return;
        }
        if self.output.len() + line.len() > OVERFULL {
            return self.close("you have not read for too long; the rest is in events.jsonl");
        }
        self.output.extend_from_slice(line);
    }

    /// Says that and takes no more.
    pub fn close(&mut self, why: &str) {
        if !self.closing {
            self.answer::<()>(Err(why.into()));
            self.closing = true;
            (self.input, self.lines) = (Vec::new(), 0);
        }
    }

    /// The bytes to be written.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// So many of them were written.
    pub fn written(&mut self, bytes: usize) {
        self.output.drain(..bytes);
    }

    /// Whether there is nothing left to do.
    pub fn is_over(&self) -> bool {
        let idle = self.output.is_empty() && !self.waiting;
        idle && (self.closing || (self.ended && !self.watching && !self.has_line()))
    }
}

fn ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked and answered if these bytes come in, cut into pieces; commands are done at once.
    fn converse(bytes: &[u8], piece: usize) -> (Vec<Asked>, Vec<u8>) {
        let mut connection = Connection::default();
        let mut asked = Vec::new();
        let mut pieces = bytes.chunks(piece);
        loop {
            if connection.wants_input() {
                connection.receive(pieces.next().unwrap_or_default());
            }
            while connection.has_request() {
                if let Some(request) = connection.next_request() {
                    connection.answer(Ok(()));
                    asked.push(request);
                }
            }
            if connection.is_over() || connection.ended {
                return (asked, connection.output().to_vec());
            }
        }
    }

    #[test]
    fn how_bytes_arrive_makes_no_difference() {
        let long = "x".repeat(LONGEST_LINE + 100);
        let lines = format!(
            "{{\"command\":\"pause\"}}\n\n{long}\r\nnonsense\n{{\"status\":true}}\n{{\"watch\":true}}\n{{\"command\":\"stop\"}}"
        );
        let whole = converse(lines.as_bytes(), lines.len());
        assert_eq!(
            whole.0,
            [Asked::Command(Command::Pause), Asked::Status, Asked::Watch, Asked::Command(Command::Stop)]
        );
        let text = String::from_utf8(whole.1.clone()).unwrap();
        let answers: Vec<bool> = text.lines().map(|line| line.contains("\"ok\":true")).collect();
        assert_eq!(answers, [true, false, false, true, true, true]);
        for piece in [1, 2, 3, 7, 100, 4096, LONGEST_LINE] {
            assert_eq!(converse(lines.as_bytes(), piece), whole, "in pieces of {piece}");
        }
    }

    #[test]
    fn requests_wait_for_the_answer_of_the_one_before() {
        let mut connection = Connection::default();
        connection.receive(b"{\"command\":\"pause\"}\n{\"status\":true}\n");
        assert_eq!(connection.next_request(), Some(Asked::Command(Command::Pause)));
        assert!(connection.is_waiting() && !connection.has_request() && !connection.wants_input());
        assert_eq!(connection.next_request(), None);
        connection.answer(Ok(()));
        assert_eq!(connection.next_request(), Some(Asked::Status));
    }

    #[test]
    fn a_watcher_that_does_not_read_misses_steps_and_is_let_go() {
        let mut connection = Connection::default();
        connection.receive(b"{\"watch\":true}\n");
        assert_eq!(connection.next_request(), Some(Asked::Watch));
        connection.watch(());
        let event = [b'x'; 1000];
        for _ in 0..70 {
            connection.tell(&event, true);
        }
        let full = connection.output().len();
        assert!(full < FULL + 1000 && !connection.wants_input());
        connection.tell(&event, false);
        assert_eq!(connection.output().len(), full + 1000, "other events are told");
        for _ in 0..OVERFULL / event.len() {
            connection.tell(&event, false);
        }
        assert!(connection.output().len() <= OVERFULL + 200);
        assert!(connection.output().ends_with(b"the rest is in events.jsonl\"}\n"));
        assert!(!connection.is_over());
        connection.written(connection.output().len());
        assert!(connection.is_over());
    }
}
