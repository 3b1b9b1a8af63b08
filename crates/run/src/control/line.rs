//! Lines from another process, which may send anything.

use std::io::{self, BufRead, ErrorKind};
use std::time::Instant;

/// A run has no longer events than these; one that sends more is not a run.
const LONGEST: usize = 16 << 20;

/// Reads a line, with its end; nothing if there is none any more. What is behind the last end of a line is
/// one.
///
/// # Errors
///
/// As reading; if the line is longer than any that a run sends; or if it is not there by the time given,
/// however it comes in. Each read waits as long as its source does.
pub(super) fn read_line(source: &mut impl BufRead, until: Option<Instant>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(ErrorKind::TimedOut.into());
        }
        let bytes = match source.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let end = bytes.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
        let taken = end.unwrap_or(bytes.len());
        if line.len() + taken > LONGEST {
            let why = format!("it sends a line of more than {LONGEST} bytes, which no run does");
            return Err(io::Error::new(ErrorKind::InvalidData, why));
        }
        line.extend_from_slice(&bytes[..taken]);
        source.consume(taken);
        if end.is_some() || taken == 0 {
            return Ok(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read, repeat};
    use std::time::Duration;

    use super::*;

    #[test]
    fn lines_end_and_are_bounded() {
        let mut source = BufReader::with_capacity(3, &b"first\n\nlast"[..]);
        let mut next = || String::from_utf8(read_line(&mut source, None).unwrap()).unwrap();
        assert_eq!([next(), next(), next(), next()], ["first\n", "\n", "last", ""]);
        let endless = read_line(&mut BufReader::new(repeat(b'x')), None).unwrap_err();
        assert!(endless.to_string().contains("more than 16777216 bytes"), "{endless}");
    }

    /// A byte now and then.
    struct Slow;

    impl Read for Slow {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            std::thread::sleep(Duration::from_millis(5));
            bytes[0] = b'x';
            Ok(1)
        }
    }

    #[test]
    fn who_sends_a_byte_now_and_then_is_not_waited_for() {
        let until = Instant::now() + Duration::from_millis(50);
        let error = read_line(&mut BufReader::new(Slow), Some(until)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
