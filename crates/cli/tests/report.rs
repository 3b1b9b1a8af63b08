//! `downhill report`, and what a browser makes of it.

mod common;

use std::path::Path;
use std::process::Command;

use common::Place;
use serde_json::Value;

#[test]
fn a_report_is_written_where_it_is_asked_for() {
    let place = Place::new();
    place.train("good.csv --name a").done();
    place.train("good.csv --name b --lr 0.1").done();
    place.train("numbers.csv --name c").done();

    std::fs::remove_file(place.path("runs/a/report.html")).unwrap();
    assert_eq!(place.run("report a").done().stdout, "runs/a/report.html\n");
    assert!(place.read("runs/a/report.html").contains("a <small>trained on good</small>"));

    let both = place.run("report a runs/b --format json").done().json();
    assert_eq!(both["report"], "report-a-b.html");
    let page = place.read("report-a-b.html");
    assert!(page.contains("a, b <small>side by side</small>") && page.contains("<h2>Validation loss</h2>"));
    // Accuracy and R² are of different runs.
    assert_eq!(place.run("report a b c a --format csv").done().csv()[1], ["report-a-b-c-and-1-more.html"]);
    let page = place.read("report-a-b-c-and-1-more.html");
    assert!(page.contains("<h2>Accuracy</h2>") && page.contains("<h2>R²</h2>"));

    assert_eq!(place.run("report b --output b.html").done().stdout, "b.html\n");
    assert!(place.exists("b.html"));
}

#[test]
fn several_runs_begin_with_what_differs_and_share_an_axis() {
    let place = Place::new();
    let train = "numbers.csv --early-stop off --guard off --optimizer sgd";
    place.train(&format!("{train} --name a --lr 0.01")).done();
    place.train(&format!("{train} --name b --lr 0.02")).done();
    place.train(&format!("{train} --name wild --lr 30 --clip-norm 1")).done();
    place.train("good.csv --name classes --lr 0.01").done();
    place.run("report wild a classes b --output all.html").done();
    let page = place.read("all.html");
    let table = page.find("<h2>What differs</h2>").unwrap();
    assert!(table < page.find("<svg").unwrap() && table < page.find("<li>").unwrap());
    let table = &page[table..page[table..].find("</table>").unwrap() + table];
    for part in [
        "<th scope=\"col\" class=\"text\">lr</th>",
        "<td class=\"text\">constant(rate=0.02)</td>",
        "<th scope=\"col\" class=\"text\">data.from</th>",
        "<th scope=\"col\">accuracy or R²</th>",
    ] {
        assert!(table.contains(part), "no {part} in {table}");
    }
    assert!(!table.contains("network"), "{table}");
    // Each run has one colour: those of the third and the fourth, whatever else a chart has.
    let chart = |title: &str| {
        let from = page.find(&format!("<h2>{title}</h2>")).unwrap();
        page[from..from + page[from..].find("</section>").unwrap()].to_string()
    };
    for (title, colours) in [("Validation loss", 4), ("R²", 3), ("Accuracy", 1)] {
        let chart = chart(title);
        let used = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"].map(|colour| chart.contains(colour));
        assert_eq!(used.iter().filter(|used| **used).count(), colours, "{title}");
        assert_eq!(used[2], title != "R²", "{title}");
    }
    place.run("report a b --plot two.svg").done();
    let svg = place.read("two.svg");
    assert!(svg.contains("#0072b2") && svg.contains("#d55e00") && !svg.contains("#009e73"));
}

#[test]
fn a_report_that_cannot_be_written_says_why() {
    let place = Place::new();
    place.train("good.csv --name a").done();
    place.run("report ab").fails(&["there is no run ab", "did you mean a?"]);
    place.run("report").refused(&["RUN"]);
    place.run("report a --output runs").fails(&["runs, which is a folder", "runs/report.html"]);
    place.run("report a --output no/such/a.html").fails(&["could not write the report", "no/such/a.html"]);
    place.write("runs/a/run.toml", "rubbish");
    place.run("report a").fails(&["run.toml", "line 1"]);
}

/// What a browser does with a page: the messages on its console, and the addresses that the page asks for.
fn opened(chromium: &Path, page: &Path, folder: &Path) -> (Vec<String>, Vec<String>, String) {
    let log = folder.join("net.json");
    let _ = std::fs::remove_file(&log);
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
        ])
        // Nothing gets out, whatever is asked for.
        .args([
            "--proxy-server=127.0.0.1:9",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let messages = said.lines().filter(|line| line.contains(":CONSOLE")).map(String::from).collect();
    let log: Value = serde_json::from_slice(&std::fs::read(log).unwrap()).unwrap();
    let asked = log["events"].as_array().unwrap().iter().filter_map(|event| {
        // What the browser asks for by itself has no origin.
        let by = event["params"]["initiator"].as_str().filter(|by| *by != "not an origin")?;
        Some(format!("{} for {by}", event["params"]["url"].as_str()?))
    });
    (messages, asked.collect(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
#[allow(clippy::print_stderr)] // a test that is skipped says so
fn a_browser_opens_it_without_a_message_and_without_a_request() {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths)
        .flat_map(|folder| ["chromium", "chromium-browser"].map(|name| folder.join(name)))
        .find(|path| path.is_file());
    let Some(chromium) = found else {
        eprintln!("skipped: there is no chromium on the path");
        return;
    };
    let place = Place::new();
    place
        .write("bad.html", "<img src=\"http://example.invalid/x.png\"><script>console.log('hello')</script>");
    let (messages, asked, _) = opened(&chromium, &place.path("bad.html"), place.root());
    assert!(messages.iter().any(|message| message.contains("hello")), "the test must be able to fail");
    assert!(asked.iter().any(|address| address.contains("example.invalid")), "the test must be able to fail");

    place.run("train good.csv --hidden 8 --name a --plateau cut(0.5,patience=1) --epochs 8").done();
    place.train("numbers.csv --name b").done();
    place.run("report a b").done();
    for page in ["runs/a/report.html", "report-a-b.html"] {
        let (messages, asked, dom) = opened(&chromium, &place.path(page), place.root());
        assert_eq!((messages, asked), (vec![], vec![]), "{page}");
        assert!(dom.contains("<h2>Learning rate</h2>") && dom.contains("<path d=\"M"), "{page}: {dom}");
    }
}
