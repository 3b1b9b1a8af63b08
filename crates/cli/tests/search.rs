//! The search for a learning rate, in a pipe: when it begins, how far it is, and what Ctrl-C leaves.
#![cfg(unix)]

mod common;

use common::Place;

/// Rows enough for a search that takes a while.
fn many() -> String {
    let row = |i: usize| format!("{},{},{}\n", i * 7 % 101, i * 13 % 97, i % 2);
    format!("a,b,y\n{}", (0..20_000).map(row).collect::<String>())
}

#[test]
fn a_search_says_when_it_begins_and_how_far_it_is() {
    let place = Place::new();
    place.run("find-lr good.csv").done().says(&["finding the learning rate, in at most a fifth"]);
    place.run("train good.csv --epochs 3").done().says(&["finding the learning rate, in at most a fifth"]);
    assert_eq!(place.run("find-lr good.csv --quiet").done().stderr, "");
    place.write("many.csv", many());
    // Slow enough for a line on the way, and then it is stopped.
    for command in ["find-lr many.csv", "train many.csv"] {
        let flags = "--hidden 512,512,512 --batch 16 --epochs 400 --threads 1";
        let line = format!(
            "$downhill {command} {flags} 2>said & pid=$!; \
             for i in $(seq 400); do grep -q 'of at most' said && break; sleep 0.1; done; \
             kill -INT $pid; wait $pid; code=$?; cat said >&2; exit $code"
        );
        let stopped = place.shell(&line);
        assert_eq!(stopped.code, Some(130), "{stopped:?}");
        stopped.says(&["finding the learning rate: ", " of at most ", "nothing was saved"]);
        assert!(!place.exists("runs") || place.files("runs") == ["good-1"]);
    }
}
