//! Answers that do not end: server-sent events, in bounded memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Who does not read for so long is let go.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where events are sent to: one waits, and the next only once that was read.
pub struct Events(Sender<Bytes>);

struct Stream(Receiver<Bytes>);

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// An answer that does not end, and where its events are sent to.
pub fn events() -> (Events, Response) {
    let (sender, receiver) = channel(1);
    let mut response = Response::new(Body::new(Stream(receiver)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    (Events(sender), response)
}

impl Events {
    /// Sends an event, and waits until there is room for it; whether somebody is still there.
    pub async fn send(&self, name: &str, data: &impl Serialize) -> bool {
        // JSON has no line breaks outside of its texts, and there they are escaped.
        let data = serde_json::to_string(data).expect("events are plain data");
        self.put(format!("event: {name}\ndata: {data}\n\n").into()).await
    }

    /// Sends a sign of life, which finds out whether somebody is still there.
    pub async fn beat(&self) -> bool {
        self.put(Bytes::from_static(b":\n\n")).await
    }

    async fn put(&self, bytes: Bytes) -> bool {
        matches!(tokio::time::timeout(PATIENCE, self.0.send(bytes)).await, Ok(Ok(())))
    }

    /// Whether somebody is still there, as far as is known.
    pub fn is_open(&self) -> bool {
        !self.0.is_closed()
    }
}
