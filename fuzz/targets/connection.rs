//! Whatever comes in on a connection, what it holds is bounded, what goes out is lines of JSON, and how the
//! bytes were cut into pieces makes no difference to what is asked.

use downhill::train::control::{Asked, Connection};

/// What is read at once, at most.
const PIECE: usize = 16 * 1024;

/// More than a connection ever holds.
const BOUND: usize = 1024 * 1024;

/// Takes requests and answers them; every third command waits for other events to be sent first.
fn take(connection: &mut Connection, asked: &mut Vec<Asked>) {
    while connection.has_request() {
        let Some(request) = connection.next_request() else { continue };
        match &request {
            Asked::Watch => connection.watch(()),
            Asked::Status => connection.answer(Ok(())),
            Asked::Command(_) => {
                assert!(connection.is_waiting() && !connection.wants_input() && !connection.has_request());
                connection.tell(b"{\"event\":\"note\",\"text\":\"\"}\n", asked.len().is_multiple_of(3));
                connection.answer(Ok(()));
            }
        }
        asked.push(request);
    }
}

fn converse(bytes: &[u8], mut piece: impl FnMut() -> usize, reads: bool) -> Vec<Asked> {
    let mut connection = Connection::default();
    let (mut asked, mut heard) = (Vec::new(), Vec::new());
    let mut rest = bytes;
    loop {
        if connection.wants_input() {
            let (now, later) = rest.split_at(piece().clamp(1, PIECE).min(rest.len()));
            connection.receive(now);
            rest = later;
        }
        take(&mut connection, &mut asked);
        assert!(connection.output().len() < BOUND);
        if reads {
            heard.extend_from_slice(connection.output());
            connection.written(connection.output().len());
        } else if !connection.wants_input() {
            heard = connection.output().to_vec();
            break;
        }
        if !connection.wants_input() && !connection.has_request() {
            break;
        }
    }
    for line in heard.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let line: serde_json::Value = serde_json::from_slice(line).expect("a line of JSON");
        assert!(line.get("ok").is_some() != line.get("event").is_some());
    }
    asked
}

/// The first bytes say how the others are cut.
pub fn run(bytes: &[u8]) {
    let (cuts, bytes) = bytes.split_at(bytes.len().min(8));
    let mut cuts = cuts.iter().cycle();
    let whole = converse(bytes, || PIECE, true);
    let cut = converse(bytes, || cuts.next().map_or(1, |&cut| 1 + usize::from(cut) * 7), true);
    assert_eq!(cut, whole);
    converse(bytes, || PIECE, false);
}
