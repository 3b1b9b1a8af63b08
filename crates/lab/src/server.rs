//! Connections: how many there are, how long they may be silent, and what answers them.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;

use crate::lab::Shared;
use crate::{api, guard, pages};

/// More connections than these are sent away. A browser has six with one server.
const MOST_CONNECTIONS: usize = 256;

/// Who has not sent a whole head of a request by then is let go.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How many threads read files and wait for runs at most.
const MOST_THREADS: usize = 32;

/// What a head may have in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Serves for as long as the process is there.
pub fn serve(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    // One thread answers; whatever blocks goes to others. The rest of the machine is for training.
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(MOST_THREADS).build()?;
    runtime.block_on(accept(listener, shared))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let app = app(shared);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // There may be no file descriptors left just now.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        match places.clone().try_acquire_owned() {
            Ok(place) => {
                let service = TowerToHyperService::new(app.clone());
                tokio::spawn(async move {
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD_WITHIN)
                        .max_buf_size(LONGEST_HEAD)
                        .serve_connection(TokioIo::new(stream), service);
                    let _ = connection.await; // whoever broke off knows why
                    drop(place);
                });
            }
            Err(_) => _ = tokio::spawn(send_away(stream)),
        }
    }
}

/// Tells somebody that there are too many.
async fn send_away(stream: TcpStream) {
    const ANSWER: &[u8] =
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 21\r\n\r\ntoo many connections\n";
    // So few bytes fit into what the system keeps for a connection.
    if stream.writable().await.is_ok() {
        let _ = stream.try_write(ANSWER);
    }
}

fn app(shared: Arc<Shared>) -> Router {
    // The token is the first part of every path, so that nothing has to be remembered by the browser and
    // nothing is sent by it that another page could use.
    let inner = Router::new().nest("/api", api::routes()).merge(pages::routes());
    Router::new()
        // With the slash at its end, so that the page itself is at the address with one.
        .nest("/{token}/", inner)
        .fallback(guard::nothing_there)
        .layer(from_fn_with_state(shared.clone(), guard::guard))
        .with_state(shared)
}
