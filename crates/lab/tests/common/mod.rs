//! A lab on a thread, and a client that can be as rude as it likes.

#![allow(dead_code)] // each test file uses its part

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use downhill_lab::{Lab, Options};
use serde_json::Value;
use tempfile::TempDir;

/// A page that is served, with a folder of runs of its own.
pub struct Served {
    pub folder: TempDir,
    pub port: u16,
    pub token: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = match head.to_lowercase().contains("transfer-encoding: chunked") {
            true => unchunked(body),
            false => body.into(),
        };
        Self { status, head: head.into(), body }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

fn unchunked(mut text: &str) -> String {
    let mut all = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        all += rest.get(..size).unwrap_or_default();
        text = rest.get(size + 2..).unwrap_or_default();
    }
    all
}

impl Served {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::open(Options {
            runs: folder.path().join("runs"),
            studies: folder.path().join("studies"),
            ..Options::default()
        })
        .unwrap();
        let address = lab.address();
        let rest = address.strip_prefix("http://127.0.0.1:").unwrap();
        let (port, token) = rest.trim_end_matches('/').split_once('/').unwrap();
        let (port, token) = (port.parse().unwrap(), token.to_string());
        thread::spawn(|| lab.serve());
        Self { folder, port, token }
    }

    pub fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends bytes as they are, and returns what comes back until the end.
    pub fn raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        Reply::read(&String::from_utf8_lossy(&text))
    }

    /// Asks for a path behind the token, with more lines in the head.
    pub fn get_with(&self, path: &str, lines: &str) -> Reply {
        let Self { token, .. } = self;
        let host = self.host();
        self.raw(
            format!("GET /{token}/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n")
                .as_bytes(),
        )
    }

    pub fn get(&self, path: &str) -> Reply {
        self.get_with(path, "")
    }

    /// Posts JSON as the page does.
    pub fn post(&self, path: &str, body: &str) -> Reply {
        let Self { token, .. } = self;
        let (host, length) = (self.host(), body.len());
        self.raw(
            format!(
                "POST /{token}/{path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }
}
