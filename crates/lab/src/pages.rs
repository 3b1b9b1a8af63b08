//! The files that the page is made of, which are in the program.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use axum::routing::get;

use crate::guard;
use crate::lab::Shared;

/// A line for every file of the page: its path, and its content.
macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../page/", $path)))),*]
    };
}

/// Every file of the page. What is not in this table is not served.
pub const FILES: &[(&str, &[u8])] = files![
    "compare.js",
    "index.html",
    "learn/ball.js",
    "learn/curves.js",
    "learn/finder.js",
    "learn/index.js",
    "learn/learn.css",
    "learn/lesson.js",
    "learn/noise.js",
    "learn/overfitting.js",
    "learn/plot.js",
    "learn/schedules.js",
    "learn/search.js",
    "learn/wall.js",
    "learn/weights.js",
    "learn/words.js",
    "lib/api.js",
    "lib/chart.js",
    "lib/dom.js",
    "lib/drag.js",
    "lib/format.js",
    "lib/record.js",
    "lib/schedule.js",
    "main.js",
    "run.js",
    "runs.js",
    "start.js",
    "studies.js",
    "style.css",
    "vendor/uPlot.iife.min.js",
    "vendor/uPlot.min.css",
    "words/en.js",
    "words/ko.js",
];

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(async || file("index.html")))
        .route("/page/{*path}", get(async |Path(path): Path<Parts>| file(&path.path)))
}

/// The parts of the path behind the token.
#[derive(serde::Deserialize)]
struct Parts {
    path: String,
}

fn file(path: &str) -> Response {
    let Some((_, bytes)) = FILES.iter().find(|(name, _)| *name == path) else {
        return guard::answer(axum::http::StatusCode::NOT_FOUND, "there is no such file\n");
    };
    let kind = match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let mut response = Response::new((*bytes).into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
