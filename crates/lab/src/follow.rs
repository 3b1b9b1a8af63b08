//! Reading a log as it grows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What is read at once.
const AT_ONCE: u64 = 512 * 1024;

/// A line has no more bytes than these; a log with a longer one is not followed further.
const LONGEST: usize = 16 << 20;

/// A log that is read from its beginning, and then as it grows.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    offset: u64,
    /// What was read of a line that is not whole yet.
    rest: Vec<u8>,
}

/// What has been appended.
#[derive(Debug, Default)]
pub struct Grown {
    /// Whole lines, without their ends.
    pub lines: Vec<String>,
    /// Whether the file is another one than before, or was cut: what was read of it does not count.
    pub anew: bool,
    /// Whether there is more to be read at once.
    pub more: bool,
}

impl Follow {
    /// From the beginning of a file, which may not be there yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf(), offset: 0, rest: Vec::new() }
    }

    /// What has been appended since the last time.
    pub fn grown(&mut self) -> io::Result<Grown> {
        let mut grown = Grown::default();
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(grown),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        // A torn last line is cut off when a run goes on; what was read of it is not a line yet.
        if length < self.offset - self.rest.len() as u64 {
            (self.offset, grown.anew) = (0, true);
            self.rest.clear();
        } else if length < self.offset {
            self.offset -= self.rest.len() as u64;
            self.rest.clear();
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let before = self.rest.len();
        self.offset += file.take(AT_ONCE).read_to_end(&mut self.rest)? as u64;
        grown.more = self.offset < length && self.rest.len() > before;
        if let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') {
            let whole: Vec<u8> = self.rest.drain(..=end).collect();
            let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
            grown.lines = whole[..end].split(|&byte| byte == b'\n').map(text).collect();
        }
        if self.rest.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the log is too long"));
        }
        Ok(grown)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_come_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut follow = Follow::new(&path);
        assert!(follow.grown().unwrap().lines.is_empty());
        let mut write = |text: &str| {
            fs::write(&path, text).unwrap();
            let grown = follow.grown().unwrap();
            (grown.lines, grown.anew)
        };
        let lines = |text: &[&str]| text.iter().map(|line| line.to_string()).collect::<Vec<_>>();
        assert_eq!(write("a\nb"), (lines(&["a"]), false));
        assert_eq!(write("a\nbc\nd"), (lines(&["bc"]), false));
        assert_eq!(write("a\nbc\n"), (lines(&[]), false), "the torn line is cut off");
        assert_eq!(write("a\nbc\nnew\n"), (lines(&["new"]), false));
        assert_eq!(write("x\n"), (lines(&["x"]), true), "another file");
    }
}
