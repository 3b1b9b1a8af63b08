//! The API's answers about runs that nobody trained: a record is enough.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::Served;
use downhill_run::{Channels, Command, Epoch, Event, Metrics, Regression, RunFolder, RunState, Stop};

const SETTINGS: &str = "[data]\nfrom = \"numbers.csv\"\n[training]\nepochs = 4\nlr = \"LR\"\n";

fn epoch(epoch: u64, loss: f64) -> Event {
    Event::Epoch(Epoch {
        epoch,
        step: 10 * (epoch + 1),
        lr: 0.1,
        train_loss: loss,
        valid_loss: loss,
        metrics: Metrics::Regression(Regression { rmse: loss, mae: loss, r2: Some(0.5) }),
        best: true,
        seconds: 0.1,
        rows_per_second: 100.0,
    })
}

/// A run whose record is so many epochs long.
fn run(runs: &Path, name: &str, settings: &str, epochs: u64, stop: bool) -> (RunFolder, Channels) {
    let folder = RunFolder::create(runs, Some(name), "numbers", settings).unwrap();
    let mut channels = Channels::kept(&folder, mpsc::channel().1).unwrap();
    channels.tell(&Event::start("numbers", 10, 4)).unwrap();
    for number in 0..epochs {
        channels.tell(&epoch(number, 1.0 / (number + 1) as f64)).unwrap();
    }
    if stop {
        let (step, reason) = (10 * epochs, Stop::Finished);
        channels.tell(&Event::Stop { step, steps_executed: step, reason, weights_sha256: None }).unwrap();
    }
    (folder, channels)
}

fn settings(lr: &str) -> String {
    SETTINGS.replace("LR", lr)
}

#[test]
fn all_runs_are_told_with_what_differs() {
    let lab = Served::new();
    drop(run(&lab.runs(), "a", &settings("linear(0.1, end=0)"), 4, true));
    let open = run(&lab.runs(), "b", &settings("0.5"), 2, false);
    fs::create_dir(lab.runs().join("broken")).unwrap();
    fs::create_dir(lab.runs().join(".hidden")).unwrap();
    let all = lab.get("api/runs").json();
    let names: Vec<&str> =
        all["runs"].as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "broken"]);
    let [a, b, broken] = [0, 1, 2].map(|at| &all["runs"][at]);
    assert_eq!((a["state"].as_str(), a["settings"].as_object().unwrap().len()), (Some("finished"), 0));
    assert_eq!((b["state"].as_str(), b["settings"]["training.lr"].as_str()), (Some("running"), Some("0.5")));
    assert_eq!(all["base"]["training.lr"], "linear(0.1, end=0)");
    assert_eq!((a["curve"].as_array().unwrap().len(), a["curve"][1].as_f64()), (4, Some(0.5)));
    assert_eq!(a["metrics"]["rmse"], 0.25);
    assert_eq!(broken["state"], "broken");
    assert!(broken["why"].as_str().unwrap().contains("run.toml"));
    drop(open);
    fs::remove_dir_all(lab.runs().join("a")).unwrap();
    let all = lab.get("api/runs").json();
    assert_eq!((all["runs"].as_array().unwrap().len(), &all["gone"]), (2, &serde_json::json!(["a"])));
    assert_eq!(all["runs"][0]["state"], "crashed", "its process is gone");
}

#[test]
fn the_record_has_its_rates_past_and_to_come() {
    let lab = Served::new();
    let (_, mut channels) = run(&lab.runs(), "a", &settings("linear(0.1, end=0)"), 2, false);
    let rates = |lab: &Served| lab.get("api/run/a").json()["record"]["rates"].clone();
    let at = |rates: &serde_json::Value, step: u64| {
        let steps = rates["steps"].as_array().unwrap();
        rates["rates"][steps.iter().position(|at| *at == step).unwrap()].as_f64().unwrap()
    };
    let before = rates(&lab);
    assert_eq!((before["total_steps"].as_u64(), before["step"].as_u64()), (Some(40), Some(20)));
    assert!((at(&before, 10) - 0.075).abs() < 1e-12 && (at(&before, 30) - 0.025).abs() < 1e-12);
    // By hand: half of it from step 20 on, and what was is as it was.
    let command = Command::SetLr { lr: "0.5x".parse().unwrap() };
    channels
        .tell(&Event::Command { step: 20, steps_executed: 20, command, lr_before: 0.05, lr: 0.025 })
        .unwrap();
    let after = rates(&lab);
    assert!((at(&after, 10) - 0.075).abs() < 1e-12 && (at(&after, 30) - 0.0125).abs() < 1e-12);
    assert!((at(&after, 19) - 0.0525).abs() < 1e-12 && (at(&after, 20) - 0.025).abs() < 1e-12);
    // The fold that everybody uses says the same.
    let mut state = RunState::new("linear(0.1, end=0)".parse::<downhill_schedule::Schedule>().unwrap());
    let text = fs::read_to_string(lab.runs().join("a/events.jsonl")).unwrap();
    for line in text.lines() {
        state.apply(&serde_json::from_str::<downhill_run::log::Record>(line).unwrap().event);
    }
    for step in 20..=40 {
        assert!((at(&after, step) - state.rate(step).unwrap()).abs() < 1e-15);
    }
}

#[test]
fn a_record_is_told_as_it_grows() {
    let lab = Served::new();
    let (_, mut channels) = run(&lab.runs(), "a", &settings("0.1"), 1, false);
    let mut stream = lab.connect();
    let (token, host) = (&lab.token, lab.host());
    write!(stream, "GET /{token}/api/run/a/events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut text = String::new();
    let mut until = |part: &str| {
        let mut bytes = [0; 4096];
        while !text.contains(part) {
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "no {part} in {text}");
            text += &String::from_utf8_lossy(&bytes[..count]);
        }
    };
    until("\"epoch\":0");
    until("event: running\ndata: true");
    channels.tell(&epoch(1, 0.5)).unwrap();
    until("\"epoch\":1");
    drop(channels);
    until("event: running\ndata: false");
}

#[test]
fn a_long_record_is_thinned_out_and_keeps_the_best() {
    let lab = Served::new();
    let (folder, channels) = run(&lab.runs(), "long", &settings("0.1"), 0, false);
    drop(channels);
    let mut log = fs::read_to_string(folder.log_path()).unwrap();
    for number in 0..20_000u64 {
        let Event::Epoch(mut epoch) = epoch(number, 1.0) else { panic!() };
        epoch.best = number == 7;
        let record = downhill_run::log::Record { time: 1.0, event: Event::Epoch(epoch) };
        log += &format!("{}\n", serde_json::to_string(&record).unwrap());
    }
    fs::write(folder.log_path(), log).unwrap();
    let records = lab.get("api/run/long").json()["record"]["records"].clone();
    let records = records.as_array().unwrap();
    assert!((3500..5000).contains(&records.len()), "{}", records.len());
    assert!(records.iter().any(|record| record["epoch"] == 7));
    let short = lab.get("api/run/long?short=true").json();
    assert!(short["record"]["records"].as_array().unwrap().len() < 1200);
}

#[test]
fn notes_are_kept_in_the_runs_folder() {
    let lab = Served::new();
    drop(run(&lab.runs(), "a", &settings("0.1"), 1, true));
    let script = r#"{"tags":["<script>alert(1)</script>","good"],"note":"see\nbelow"}"#;
    assert_eq!(lab.post("api/run/a/notes", script).status, 200);
    let row = lab.get("api/runs").json()["runs"][0].clone();
    assert_eq!((row["tags"][1].as_str(), row["note"].as_str()), (Some("good"), Some("see\nbelow")));
    let kept = fs::read_to_string(lab.runs().join("a/lab.json")).unwrap();
    assert!(kept.contains("<script>"), "text is text: {kept}");
    for wrong in ["", "[]", r#"{"tags":"x"}"#, r#"{"tags":[],"note":"","more":1}"#, r#"{"tags":["\u0007"]}"#]
    {
        let reply = lab.post("api/run/a/notes", wrong);
        assert!(reply.status == 422 && reply.json()["error"].is_string(), "{wrong}: {reply:?}");
    }
    assert_eq!(fs::read_to_string(lab.runs().join("a/lab.json")).unwrap(), kept);
}

#[test]
fn what_cannot_be_done_is_told_and_does_nothing() {
    let lab = Served::new();
    drop(run(&lab.runs(), "a", &settings("0.1"), 1, true));
    fs::write(lab.folder.path().join("run.toml"), "").unwrap();
    for (path, body, status, says) in [
        ("api/run/a/command", r#"{"command":"pause"}"#, 422, "no process is making the run a"),
        ("api/run/a/command", r#"{"command":"jump"}"#, 422, "unknown variant `jump`"),
        ("api/run/a/command", r#"{"command":"set-lr","lr":"cosin(1)"}"#, 422, "did you mean `cosine`"),
        ("api/run/a/cool", r#"{"epochs":2}"#, 422, "no process is making the run a"),
        ("api/run/a/cool", r#"{"epochs":0}"#, 422, "over one epoch or more"),
        ("api/run/b/command", r#"{"command":"pause"}"#, 404, "is not there"),
        ("api/run/..%2f../command", r#"{"command":"pause"}"#, 404, "is not the name of a run"),
        ("api/run/%2e%2e/command", r#"{"command":"pause"}"#, 404, "is not the name of a run"),
        ("api/start", r#"{"data":"digits"}"#, 422, "can begin no runs"),
        ("api/start", r#"{"data":"--help"}"#, 422, "give the name of bundled data"),
        ("api/start", r#"{"data":"digits","settings":{"config":"x"}}"#, 422, "there is no setting `config`"),
        ("api/run/a/branch", r#"{"epoch":1,"lr":"0.1"}"#, 422, "can begin no runs"),
    ] {
        let reply = lab.post(path, body);
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
        assert!(reply.json()["error"].as_str().unwrap().contains(says), "{path} {body}: {reply:?}");
    }
    for (path, status) in
        [("api/run/..%2f..", 404), ("api/run/no", 404), ("api/study/..", 404), ("api/nothing", 404)]
    {
        assert_eq!(lab.get(path).status, status, "{path}");
    }
    let huge = format!(r#"{{"tags":[],"note":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(lab.post("api/run/a/notes", &huge).status, 413);
}

#[test]
fn a_schedule_is_shown_before_it_is_followed() {
    let lab = Served::new();
    let ask =
        |spec: &str| lab.get(&format!("api/schedule?spec={spec}&from=10&total_steps=30&steps_per_epoch=5"));
    let found = ask("sequence(linear(0.2,end=0.1),10,linear(0.1,end=0))").json();
    let steps = found["steps"].as_array().unwrap();
    let rate = |step: u64| found["rates"][steps.iter().position(|at| *at == step).unwrap()].as_f64().unwrap();
    assert_eq!((steps[0].as_u64(), steps.last().unwrap().as_u64()), (Some(10), Some(30)));
    assert!((rate(10) - 0.2).abs() < 1e-12 && (rate(15) - 0.15).abs() < 1e-12);
    assert!((rate(20) - 0.1).abs() < 1e-12 && (rate(25) - 0.05).abs() < 1e-12 && rate(30) == 0.0);
    assert_eq!(ask("linaer(1)").status, 422);
}

#[test]
fn files_are_taken_whole_or_not_at_all() {
    let lab = Served::new();
    let (token, host) = (&lab.token, lab.host());
    let send = |name: &str, length: u64, bytes: &[u8]| {
        let mut request = format!(
            "POST /{token}/api/upload?name={name} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(bytes);
        let mut stream = lab.connect();
        let _ = stream.write_all(&request);
        // A file that breaks off has no more to come.
        if (bytes.len() as u64) < length && length < 1000 {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        common::Reply::read(&text)
    };
    let taken = send("t.csv", 8, b"a,b\n1,2\n").json();
    assert_eq!((taken["head"].as_str(), taken["bytes"].as_u64()), (Some("a,b\n1,2\n"), Some(8)));
    assert_eq!(fs::read(taken["path"].as_str().unwrap()).unwrap(), b"a,b\n1,2\n");
    let second = send("t.csv", 4, b"x\n1\n").json();
    assert!(second["path"].as_str().unwrap().ends_with("t-2.csv"), "the first is not replaced: {second}");
    for name in ["..%2fx.csv", ".x.csv", "x.exe", "", "a%00.csv", "%2e%2e"] {
        assert_eq!(send(name, 1, b"x").status, 422, "{name}");
    }
    let large = send("big.csv", 1 << 30, b"a,b\n");
    assert!(large.status == 422 && large.body.contains("MiB"), "{large:?}");
    send("torn.csv", 100, b"a,b\n");
    let began = Instant::now();
    let left = || -> Vec<String> {
        let entries = fs::read_dir(lab.runs().join(".lab/data")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    while left() != ["t-2.csv", "t.csv"] {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", left());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_thousand_runs_are_told_at_once() {
    let lab = Served::new();
    let (folder, channels) = run(&lab.runs(), "run-0", &settings("0.1"), 20, true);
    drop(channels);
    let log = fs::read(folder.log_path()).unwrap();
    for number in 1..1000 {
        let path = lab.runs().join(format!("run-{number}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("run.toml"), settings(&format!("0.{number:03}"))).unwrap();
        fs::write(path.join("events.jsonl"), &log).unwrap();
    }
    assert_eq!(lab.get("api/runs").json()["runs"].as_array().unwrap().len(), 1000);
    // What has not changed is not read again.
    let began = Instant::now();
    let body = lab.get("api/runs").body;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(body.len() < 1_200_000, "{}", body.len());
}

#[test]
fn readers_who_do_not_read_keep_nobody_else_waiting() {
    let lab = Served::new();
    let (_, mut channels) = run(&lab.runs(), "a", &settings("0.1"), 1, false);
    let (token, host) = (&lab.token, lab.host());
    let deaf: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = lab.connect();
            write!(stream, "GET /{token}/api/run/a/events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
            stream
        })
        .collect();
    for number in 0..200 {
        channels.tell(&Event::Note { text: format!("{number} {}", "x".repeat(5000)) }).unwrap();
    }
    let began = Instant::now();
    assert_eq!(lab.get("api/run/a").status, 200);
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(deaf);
}
