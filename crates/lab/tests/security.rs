//! Who is answered, and what becomes of everybody else.

mod common;

use std::io::{Read, Write};

use common::Served;

#[test]
fn the_page_is_served_with_its_token_and_a_policy() {
    let lab = Served::new();
    let page = lab.get("");
    assert_eq!(page.status, 200, "{page:?}");
    let head = page.head.to_lowercase();
    assert!(head.contains("content-type: text/html"), "{head}");
    assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{head}");
    assert!(!head.contains("unsafe") && !head.contains("set-cookie"), "{head}");
    assert!(head.contains("referrer-policy: no-referrer") && head.contains("nosniff"), "{head}");
    assert_eq!(lab.get("page/main.js").status, 200);
}

#[test]
fn without_the_token_nothing_is_answered() {
    let lab = Served::new();
    let (host, token) = (lab.host(), &lab.token);
    let wrong = "0".repeat(token.len());
    let short = &token[..token.len() - 1];
    for path in ["/", "/page/main.js", &format!("/{wrong}/"), &format!("/{short}/"), "//", "/%2f"] {
        let reply =
            lab.raw(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
        assert_eq!(reply.status, 403, "{path}: {reply:?}");
        assert!(!reply.body.contains(token.as_str()) && reply.body.contains("token"), "{reply:?}");
    }
}

#[test]
fn other_sites_and_other_names_of_this_machine_are_refused() {
    let lab = Served::new();
    for line in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: https://127.0.0.1\r\n",
        "Origin: http://127.0.0.1:1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        assert_eq!(lab.get_with("", line).status, 403, "{line}");
    }
    assert_eq!(lab.get_with("", "Sec-Fetch-Site: none\r\n").status, 200);
    let token = &lab.token;
    let port = lab.port;
    for host in
        ["evil.example".to_string(), format!("evil.example:{port}"), "127.0.0.1".into(), String::new()]
    {
        let reply = lab
            .raw(format!("GET /{token}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
        assert_eq!(reply.status, 403, "{host}: {reply:?}");
    }
    let named = format!("GET /{token}/ HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    assert_eq!(lab.raw(named.as_bytes()).status, 200);
    let delete = format!("DELETE /{token}/ HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    assert_eq!(lab.raw(delete.as_bytes()).status, 405);
}

#[test]
fn only_files_of_the_page_are_served() {
    let lab = Served::new();
    std::fs::write(lab.folder.path().join("secret"), "secret").unwrap();
    for path in [
        "page/../../secret",
        "page/..%2f..%2fsecret",
        "page/%2e%2e/%2e%2e/Cargo.toml",
        "page//etc/passwd",
        "page/vendor/../../Cargo.toml",
        "page/main.js%00.html",
    ] {
        let reply = lab.get(path);
        assert!(reply.status == 404 || reply.status == 400, "{path}: {reply:?}");
    }
}

#[test]
fn a_thousand_connections_do_not_keep_the_next_one_out() {
    let lab = Served::new();
    let mut silent: Vec<_> = (0..1000).map(|_| lab.connect()).collect();
    // Those beyond the limit are told so, or find the connection closed.
    let mut last = silent.pop().unwrap();
    let mut text = String::new();
    let _ = last.read_to_string(&mut text);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 503"), "{text}");
    drop((silent, last));
    let mut tries = (0..50).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        lab.get("").status
    });
    assert!(tries.any(|status| status == 200));
}

#[test]
fn what_is_no_request_is_refused() {
    let lab = Served::new();
    assert!(matches!(lab.raw(b"rubbish\r\n\r\n").status, 400 | 0));
    let mut stream = lab.connect();
    let _ = stream.write_all(format!("GET /{} HTTP/1.1\r\nX: {}", lab.token, "x".repeat(100_000)).as_bytes());
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    assert_eq!(lab.get("").status, 200);
}
