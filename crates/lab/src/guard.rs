//! Who is answered, and what every answer is sent with.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::lab::Shared;

/// What a page may do. Scripts and styles come from files of this server alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // The token is in the address.
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Lets a request through that was made by the page itself, or by somebody who knows its address.
pub async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let refusal = refusal(&shared, request.method(), request.uri().path(), request.headers());
    let mut response = match refusal {
        Some((status, why)) => answer(status, why),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not answered, if it is not.
fn refusal(
    shared: &Shared,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Option<(StatusCode, &'static str)> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let own =
        |host: &str| ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{}", shared.port));
    // Another site can have its own name point here; its pages then have another host name.
    if !text(header::HOST).is_some_and(own) {
        return Some((StatusCode::FORBIDDEN, "this server answers only as 127.0.0.1 and localhost\n"));
    }
    let from_elsewhere = text(header::ORIGIN)
        .is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(own))
        || text(HeaderName::from_static("sec-fetch-site"))
            .is_some_and(|site| site == "cross-site" || site == "same-site");
    if from_elsewhere {
        return Some((StatusCode::FORBIDDEN, "this server does not answer other sites\n"));
    }
    let token = path.split('/').nth(1).unwrap_or_default();
    if !same(token.as_bytes(), shared.token.as_bytes()) {
        return Some((
            StatusCode::FORBIDDEN,
            "The address has no token or an old one. Open the address that the program printed when it was \
             started; it is another one each time.\n",
        ));
    }
    if method != Method::GET && method != Method::HEAD && method != Method::POST {
        return Some((StatusCode::METHOD_NOT_ALLOWED, "only GET, HEAD and POST are answered\n"));
    }
    None
}

/// Whether two texts are the same, which takes as long wherever they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// An answer in plain text.
pub fn answer(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// The answer where nothing is.
pub async fn nothing_there() -> Response {
    answer(StatusCode::NOT_FOUND, "there is nothing at this address\n")
}
