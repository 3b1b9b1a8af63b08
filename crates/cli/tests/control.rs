//! Runs that are steered and watched from another process.

#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Outcome, Place};
use serde_json::{Value, json};

/// Far more than can be made while a test looks.
const ENDLESS: &str =
    "train iris --hidden 8 --batch 40 --epochs 1000000 --early-stop off --lr 0.001 --threads 1 --name run";

/// A run under way; it is killed when this goes.
struct Running<'a> {
    child: Option<Child>,
    place: &'a Place,
}

impl<'a> Running<'a> {
    fn start(place: &'a Place, words: &str) -> Self {
        let mut program = place.program();
        program.args(words.split_whitespace()).args(["--format", "json"]);
        let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child: Some(child), place }.until(|| place.exists("runs/run/control.sock"))
    }

    /// Waits for something that the run does.
    fn until(mut self, done: impl Fn() -> bool) -> Self {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not happen");
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() && !done() {
                panic!("the run is over: {}", String::from_utf8_lossy(&self.end().stderr));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn kill(mut self) {
        let child = self.child.as_mut().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits for its end.
    fn end(&mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }

    /// A connection with it.
    fn connect(&self) -> Talk {
        let stream = UnixStream::connect(self.place.path("runs/run/control.sock")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Talk(BufReader::new(stream))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

struct Talk(BufReader<UnixStream>);

impl Talk {
    fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    fn ask(&mut self, request: &str) -> Value {
        self.say(format!("{request}\n"));
        self.hear()
    }
}

fn events(place: &Place, run: &str) -> Vec<Value> {
    let log = place.read(&format!("{run}/events.jsonl"));
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn told(place: &Place) -> Vec<Value> {
    let told = events(place, "runs/run").into_iter().filter(|event| event["event"] == "command");
    told.map(|event| event["command"].clone()).collect()
}

#[test]
fn a_run_does_what_commands_tell_it_and_replays_it() {
    let place = Place::new();
    // With dropout, so that a step more or less would show.
    let words = format!("{ENDLESS} --dropout 0.2 --batch-norm --ema 0.9");
    let mut running = Running::start(&place, &words);

    let half = place.run("set-lr run 0.5x --format json").done().json();
    assert_eq!(half["command"], "set-lr");
    assert_eq!(half["lr"], json!(0.0005));
    assert_eq!(half["lr_before"], json!(0.001));
    let undone = place.run("undo run").done();
    assert!(undone.stdout.contains("the rate was 5.000e-4 and is 1.000e-3 from step"), "{undone:?}");
    place.run("undo run").fails(&["there is no change of the rate to undo"]);
    place.run_with("set-lr run", &["linear(0.002, end=0.001)"]).done();
    let csv = place.run("set-lr run schedule --format csv").done().csv();
    assert_eq!(csv[0][..2], ["run", "command"]);

    let paused = place.run("pause run --format json").done().json();
    let mut talk = running.connect();
    let status = talk.ask(r#"{"status":true}"#);
    assert_eq!((&status["ok"], &status["paused"]), (&json!(true), &json!(true)));
    assert_eq!(status["step"], paused["step"], "no step is made");
    assert_eq!((&status["pid"], &status["steps_per_epoch"]), (&json!(running.pid()), &json!(3)));
    let saved = place.run("checkpoint run --format json").done().json();
    assert_eq!(saved["step"], paused["step"]);
    let name = format!("runs/run/checkpoints/step-{:08}.safetensors", saved["step"].as_u64().unwrap());
    assert!(place.exists(&name), "{name} in {:?}", place.files("runs/run/checkpoints"));
    assert_eq!(talk.ask(r#"{"status":true}"#)["step"], paused["step"]);
    place.run("continue run").done();
    place.run("end run").done();

    let output = running.end();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["stop"], "ended");
    let commands = [
        json!({"command": "set-lr", "lr": "0.5x"}),
        json!({"command": "undo"}),
        json!({"command": "set-lr", "lr": "linear(initial=0.002, end=0.001, over=100%, per=step)"}),
        json!({"command": "set-lr", "lr": "schedule"}),
        json!({"command": "pause"}),
        json!({"command": "checkpoint"}),
        json!({"command": "continue"}),
        json!({"command": "end"}),
    ];
    assert_eq!(told(&place), commands);
    assert_eq!(events(&place, "runs/run").iter().filter(|event| event["event"] == "refused").count(), 1);
    assert!(!place.exists("runs/run/control.sock") && !place.exists("runs/run/holder"));
    let replayed = place.run("replay run --format json").done();
    assert_eq!(replayed.hash(), summary["weights_sha256"].as_str().unwrap());
    place.run("undo run").fails(&["no process is making the run runs/run: it was ended after"]);
    place.run("watch run").done().says(&["not under way", "it was ended after"]);
}

#[test]
fn a_run_is_stopped_and_killed_and_resumed() {
    let place = Place::new();
    let mut running = Running::start(&place, ENDLESS);
    let socket = place.path("runs/run/control.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let pid = running.pid();
    place.run("resume run").fails(&[&format!("under way in process {pid} (for less than a minute)")]);
    let stopped = place.run("stop run").done();
    assert!(stopped.stdout.contains("downhill resume runs/run"), "{stopped:?}");
    assert_eq!(running.end().status.code(), Some(130));
    assert!(!socket.exists());
    place.run("stop run").fails(&["no process", "it was interrupted after", "downhill resume runs/run"]);
    place.run("watch run").fails(&["it was interrupted after", "downhill resume runs/run"]);

    // Killed, it leaves its socket behind.
    let resumed = || place.read("runs/run/events.jsonl").contains("\"event\":\"resume\"");
    Running::start(&place, "resume run").until(resumed).kill();
    assert!(std::fs::metadata(&socket).unwrap().file_type().is_socket());
    for words in ["set-lr run 0.5x", "watch run"] {
        place.run(words).fails(&["it was cut off; go on with: downhill resume runs/run"]);
    }
    let running = Running::start(&place, "resume run")
        .until(|| UnixStream::connect(place.path("runs/run/control.sock")).is_ok());
    place.run("set-lr run 0.5x").done();
    assert_eq!(running.connect().ask(r#"{"status":true}"#)["ok"], true);
    running.kill();
    place.run("pause nothing").fails(&["there is no run nothing"]);
    place.run("set-lr run fast").refused(&["0.5x"]);
}

#[test]
fn a_run_in_a_deep_folder_is_steered_too() {
    let place = Place::new();
    let deep = ["deep"; 60].join("/");
    std::fs::create_dir_all(place.path(&deep)).unwrap();
    let words = format!("{ENDLESS} --runs {deep}");
    let mut running = Running {
        child: Some(place.program().args(words.split_whitespace()).stderr(Stdio::piped()).spawn().unwrap()),
        place: &place,
    };
    running = running.until(|| place.exists(&format!("{deep}/run/events.jsonl")));
    if cfg!(target_os = "linux") {
        running = running.until(|| place.exists(&format!("{deep}/run/control.sock")));
        place.run(&format!("end run --runs {deep}")).done();
        assert!(running.end().status.success());
    } else {
        std::thread::sleep(Duration::from_secs(1));
        place.run(&format!("end run --runs {deep}")).fails(&["longer than"]);
        running.kill();
    }
}

#[test]
fn a_run_is_watched_from_its_beginning_to_its_end() {
    let place = Place::new();
    let mut running = Running::start(&place, ENDLESS);
    place.run("pause run").done();
    let mut talk = running.connect();
    let epochs = talk.ask(r#"{"status":true}"#)["step"].as_u64().unwrap() / 3 + 500;
    talk.say(format!("{{\"command\":\"set-epochs\",\"epochs\":{epochs}}}\n"));
    assert_eq!(talk.hear()["ok"], true);
    let spawn = |words: &str| {
        let mut program = place.program();
        program.args(words.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
        program.spawn().unwrap()
    };
    // Whoever does not read what it prints holds it up.
    let read = |program: std::process::Child| std::thread::spawn(move || program.wait_with_output().unwrap());
    let json = read(spawn("watch run --format json"));
    let text = read(spawn("watch run"));
    let mut detached = spawn("watch run");
    let mut detached_says = BufReader::new(detached.stderr.take().unwrap());
    let mut line = String::new();
    detached_says.read_line(&mut line).unwrap();
    assert!(line.starts_with("iris: 120 rows"), "{line}");
    std::process::Command::new("kill").args(["-INT", &detached.id().to_string()]).status().unwrap();
    assert_eq!(detached.wait().unwrap().code(), Some(130));
    detached_says.read_to_string(&mut line).unwrap();
    assert!(line.contains("detached; the run runs/run goes on"), "{line}");
    std::thread::sleep(Duration::from_millis(300));
    place.run("continue run").done();
    assert!(running.end().status.success());

    let json = json.join().unwrap();
    assert!(json.status.success(), "{}", String::from_utf8_lossy(&json.stderr));
    let watched = String::from_utf8(json.stdout).unwrap();
    let watched: Vec<Value> = watched.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let without_time = |events: Vec<Value>| -> Vec<Value> {
        let mut events: Vec<Value> = events.into_iter().filter(|event| event["event"] != "step").collect();
        events.iter_mut().for_each(|event| event["time"] = Value::Null);
        events
    };
    // Nothing is missing, nothing is there twice, where the log ends and the socket begins.
    let logged = without_time(events(&place, "runs/run"));
    assert!(logged.len() as u64 > epochs);
    assert!(without_time(watched) == logged);

    let text = text.join().unwrap();
    let said = String::from_utf8(text.stderr).unwrap();
    assert!(text.status.success(), "{said}");
    let finished = format!("finished after {} steps", 3 * epochs);
    for part in ["iris: 120 rows", "note: Told at step", &format!("epoch {epochs}/"), &finished] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    place.run("watch run --format csv").refused(&["--format json"]);
}

#[test]
fn what_is_no_request_harms_nothing() {
    let place = Place::new();
    let running = Running::start(&place, ENDLESS);
    let mut talk = running.connect();
    let mut refused = |bytes: &[u8], why: &str| {
        talk.say(bytes);
        let answer = talk.hear();
        assert_eq!(answer["ok"], false);
        assert!(answer["error"].as_str().unwrap().contains(why), "{answer}");
    };
    refused(b"hello\n", "no request");
    refused(b"\xff\x00\x80\n", "no request");
    refused(b"{\"command\":\"explode\"}\n", "unknown variant");
    refused(
        &[&b"{\"command\":\"set-lr\",\"lr\":\""[..], &b"warmup(1,then=".repeat(1000), b"\"}\n"].concat(),
        "deep",
    );
    refused(&[&b"[".repeat(16_000)[..], b"\n"].concat(), "no request");
    refused(&[&b"x".repeat(300_000)[..], b"\n"].concat(), "more than 16384 bytes");
    assert_eq!(talk.ask(r#"{"command":"set-lr","lr":"0.5x"}"#)["ok"], true);

    // Noise, from many at once, which do not wait for an answer.
    let mut state = 7_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let byte = (state >> 56) as u8;
        if byte.is_multiple_of(16) { b'\n' } else { byte }
    })
    .take(30_000)
    .collect();
    for _ in 0..20 {
        running.connect().say(&noise);
    }
    let began = Instant::now();
    while talk.ask(r#"{"command":"undo"}"#)["error"] != json!("there is no change of the rate to undo") {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
    assert_eq!(told(&place).len(), 2, "the noise told it nothing");
    place.run("end run").done();
}

#[test]
fn more_connections_than_are_served_are_told_so() {
    let place = Place::new();
    let running = Running::start(&place, ENDLESS);
    let limit = place.shell("ulimit -n").stdout.trim().parse().unwrap_or(usize::MAX);
    let many = 1000.min(limit.saturating_sub(100));
    let mut talks: Vec<Talk> = (0..many).map(|_| running.connect()).collect();
    // Those that are served do not answer before they are asked; the others are told at once.
    let (served, refused) = talks.split_at_mut(64);
    for talk in refused {
        let answer = talk.hear();
        assert!(answer["error"].as_str().unwrap().contains("64 others are connected"), "{answer}");
        assert_eq!(talk.0.read(&mut [0]).unwrap_or(0), 0, "and the connection is over");
    }
    for talk in served {
        assert_eq!(talk.ask(r#"{"status":true}"#)["ok"], true);
    }
    place.run("pause run").fails(&["64 others are connected"]);
    // One that goes makes room.
    drop(talks.swap_remove(0));
    let began = Instant::now();
    while place.run("end run").code != Some(0) {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_watcher_that_does_not_read_is_let_go_and_holds_nothing_up() {
    let place = Place::new();
    let mut running = Running::start(&place, &ENDLESS.replace("1000000", "20000"));
    let mut lazy = running.connect();
    assert_eq!(lazy.ask(r#"{"watch":true}"#)["ok"], true);
    let output = running.end();
    assert!(output.status.success());
    let mut heard = String::new();
    lazy.0.read_to_string(&mut heard).unwrap();
    // It has what was in the socket when it was let go, in whole lines but the last.
    assert!(heard.len() < 2_000_000, "{} bytes", heard.len());
    let lines: Vec<&str> = heard.lines().collect();
    for line in &lines[..lines.len() - 1] {
        serde_json::from_str::<Value>(line).unwrap();
    }
    let epochs = lines.iter().filter(|line| line.contains("\"event\":\"epoch\"")).count();
    assert!(epochs < 19_000, "{epochs}");
}

#[test]
fn a_folder_without_room_for_a_socket_is_no_hindrance() {
    let place = Place::new();
    let made = place.train("good.csv --name run").done();
    assert!(!place.exists("runs/run/control.sock"));
    // Something else is in its place.
    std::fs::create_dir(place.path("runs/run/control.sock")).unwrap();
    let resumed: Outcome = place.run("resume run --format json --epochs 4").done();
    resumed.says(&["note: the run cannot be steered from elsewhere"]);
    assert_eq!(made.code, Some(0));
}
