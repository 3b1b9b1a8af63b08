//! The dashboard in a real terminal: tmux gives it one, presses keys, and says what is on the screen.

#![cfg(unix)]

mod common;

use std::io::Write;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use common::Place;
use serde_json::Value;

/// A terminal with a shell in it, in the folder of a [`Place`].
struct Terminal<'a> {
    place: &'a Place,
    name: String,
}

impl<'a> Terminal<'a> {
    /// None, with a word on standard error, where there is no tmux.
    fn open(place: &'a Place, name: &str, size: (u16, u16)) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            let _ = writeln!(std::io::stderr(), "skipped: there is no tmux");
            return None;
        }
        // A server of its own: whoever runs the tests may be in tmux.
        let terminal = Self { place, name: format!("downhill-{name}-{}", std::process::id()) };
        let (width, height) = (size.0.to_string(), size.1.to_string());
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", &width, "-y", &height, "sh"]);
        terminal.keys(&["PS1='ready$ '; clear", "Enter"]);
        terminal.shows(&["ready$"]);
        Some(terminal)
    }

    fn tmux(&self, words: &[&str]) -> Output {
        let mut tmux = Command::new("tmux");
        tmux.current_dir(self.place.root()).env_remove("TMUX").env_remove("NO_COLOR").env("ENV", "");
        tmux.env("downhill", env!("CARGO_BIN_EXE_downhill"));
        let output = tmux.args(["-L", &self.name]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn screen(&self) -> String {
        String::from_utf8(self.tmux(&["capture-pane", "-p"]).stdout).unwrap()
    }

    /// What tmux knows of the terminal: whether the alternate screen is on, and whether the cursor is shown.
    fn modes(&self) -> String {
        let modes = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        String::from_utf8(modes.stdout).unwrap().trim().to_string()
    }

    /// Waits until the screen has each of these, and returns it.
    #[track_caller]
    fn shows(&self, parts: &[&str]) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            let Some(missing) = parts.iter().find(|part| !screen.contains(**part)) else { return screen };
            assert!(began.elapsed() < Duration::from_secs(60), "no {missing:?} in\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Checks that a shell can be worked with: no alternate screen, a cursor, and what is typed is seen.
    #[track_caller]
    fn is_clean(&self) {
        self.shows(&["ready$"]);
        assert_eq!(self.modes(), "0 1");
        self.keys(&["clear", "Enter"]);
        let began = Instant::now();
        while self.screen().trim() != "ready$" {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", self.screen());
            thread::sleep(Duration::from_millis(50));
        }
        self.keys(&["stty -a | tr ' ' '\\n' | grep -cxE 'echo;?|icanon;?|isig;?|opost;?'", "Enter"]);
        let screen = self.shows(&["stty", "\n4\n"]);
        assert!(screen.contains("ready$ stty"), "{screen}");
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.name, "kill-server"]).output();
    }
}

/// What the log of a run says it was told.
fn told(place: &Place, run: &str) -> Vec<Value> {
    let log = place.read(&format!("runs/{run}/events.jsonl"));
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == "command").collect()
}

#[test]
fn a_run_is_steered_with_keys() {
    let place = Place::new();
    let Some(terminal) = Terminal::open(&place, "steered", (80, 24)) else { return };
    let run = "$downhill train digits --epochs 100000 --early-stop off --lr 'cosine(0.01)'";
    terminal.keys(&[&format!("{run}; echo code=$?"), "Enter"]);
    terminal.shows(&["epoch", "/100000", "digits", "rows/s", "━ validation", "rate", "events", "? help"]);
    assert_eq!(terminal.modes(), "1 0");

    // What cannot be done is answered.
    terminal.keys(&["u"]);
    terminal.shows(&["Not done"]);
    terminal.keys(&["h"]);
    terminal.shows(&["0.5 times the rate"]);
    terminal.keys(&["Up"]);
    terminal.shows(&["1.25 times the rate", "0.625 × schedule"]);
    terminal.keys(&["u"]);
    terminal.shows(&["undo the last change", "0.5 × schedule"]);
    terminal.keys(&["p"]);
    let paused = terminal.shows(&[" paused ", "p go on"]);
    let step = |screen: &str| {
        let after = screen.split("step ").nth(1).unwrap();
        after.split('/').next().unwrap().parse::<u64>().unwrap()
    };
    // A rate that is typed, after something that is none.
    terminal.keys(&["m", "-l", "cosin(1)"]);
    terminal.keys(&["Enter"]);
    terminal.shows(&["did you mean `cosine`?"]);
    terminal.keys(&["C-u"]);
    terminal.keys(&["-l", "0.003"]);
    terminal.keys(&["Enter"]);
    let typed = terminal.shows(&["a rate of 0.003", "lr 3.00e-3"]);
    assert_eq!(step(&typed), step(&paused), "a run that is paused makes no step");
    terminal.keys(&["p"]);
    terminal.shows(&["p pause", "go on"]);
    terminal.keys(&["s"]);
    terminal.shows(&["the rate as the schedule says"]);
    terminal.keys(&["c"]);
    terminal.shows(&["write a checkpoint"]);

    // Another size, and another.
    for (width, height) in [(20, 5), (40, 10), (120, 40), (80, 24)] {
        terminal.tmux(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
        terminal.shows(&["epoch", "? help"]);
    }
    terminal.keys(&["?"]);
    terminal.shows(&["half the rate"]);
    terminal.keys(&["Escape"]);
    terminal.keys(&["Right"]);
    terminal.keys(&["Left"]);

    terminal.keys(&["e"]);
    terminal.shows(&["end the run here, for good? y/n"]);
    terminal.keys(&["n"]);
    terminal.shows(&["? help"]);
    terminal.keys(&["e"]);
    terminal.shows(&["y/n"]);
    terminal.keys(&["y"]);
    terminal.shows(&["ended after", "validation loss", "runs/digits-1", "code=0"]);
    terminal.is_clean();

    let told = told(&place, "digits-1");
    let commands: Vec<String> = told
        .iter()
        .map(|event| {
            let rate = event["command"]["lr"].as_str().map_or(String::new(), |lr| format!(" {lr}"));
            format!("{}{rate}", event["command"]["command"].as_str().unwrap())
        })
        .collect();
    let expected = [
        "set-lr 0.5x",
        "set-lr 1.25x",
        "undo",
        "pause",
        "set-lr 0.003",
        "continue",
        "set-lr schedule",
        "checkpoint",
        "end",
    ];
    assert_eq!(commands, expected);
    // Steered by hand, and made again from the log alone.
    let replayed = place.run("replay digits-1 --format json --quiet").done();
    assert_eq!(replayed.json()["matches"], true);
}

#[test]
fn a_run_of_another_process_is_watched_and_steered() {
    let place = Place::new();
    let Some(terminal) = Terminal::open(&place, "watched", (80, 24)) else { return };
    let settings =
        "train digits --epochs 100000 --early-stop off --lr cosine(0.01) --threads 1 --quiet --name far";
    let mut run = place.program().args(settings.split(' ')).spawn().unwrap();
    let began = Instant::now();
    while !place.exists("runs/far/control.sock") {
        assert!(began.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(20));
    }
    terminal.keys(&["$downhill watch far; echo code=$?", "Enter"]);
    terminal.shows(&["epoch", "/100000", "digits", "━ validation", "? help"]);
    terminal.keys(&["h"]);
    terminal.shows(&["0.5 times the rate", "0.5 × schedule"]);
    terminal.keys(&["q"]);
    terminal.shows(&["detached; the run", "goes on", "code=0"]);
    terminal.is_clean();
    assert!(run.try_wait().unwrap().is_none(), "the run goes on");
    terminal.keys(&["$downhill watch far; echo code=$?", "Enter"]);
    terminal.shows(&["epoch", "0.5 × schedule"]);
    place.run("end far").done();
    terminal.shows(&["it was ended after", "code=0"]);
    terminal.is_clean();
    assert!(run.wait().unwrap().success());
    assert_eq!(told(&place, "far").len(), 2);
}

#[test]
fn the_terminal_is_given_back_however_a_run_ends() {
    let place = Place::new();
    let Some(terminal) = Terminal::open(&place, "ends", (80, 24)) else { return };
    let run = "$downhill train digits --epochs 100000 --early-stop off --lr 0.001 --name";
    let clear = || terminal.keys(&["clear", "Enter"]);

    terminal.keys(&[&format!("{run} quit; echo code=$?"), "Enter"]);
    terminal.shows(&["? help"]);
    terminal.keys(&["q"]);
    terminal.shows(&["interrupted and saved", "resume runs/quit", "code=130"]);
    terminal.is_clean();

    clear();
    terminal.keys(&["$downhill resume runs/quit; echo code=$?", "Enter"]);
    // What it did before is there again.
    terminal.shows(&["digits", "━ validation", "? help"]);
    terminal.keys(&["C-c"]);
    terminal.shows(&["interrupted and saved", "code=130"]);
    terminal.is_clean();

    // While it cannot stop, because it is looking for the rate or reading, a second one ends it at once.
    clear();
    terminal.keys(&[&format!("{run} twice; echo code=$?"), "Enter"]);
    terminal.shows(&["? help"]);
    terminal.keys(&["C-c", "C-c"]);
    terminal.shows(&["code=130"]);
    terminal.is_clean();

    // A signal from elsewhere.
    clear();
    let exec = run.replace("$downhill", "exec $downhill");
    terminal.keys(&[&format!("sh -c 'echo $$ > pid; {exec} killed'; echo code=$?"), "Enter"]);
    terminal.shows(&["? help"]);
    assert!(Command::new("kill").arg(place.read("pid").trim()).status().unwrap().success());
    terminal.shows(&["interrupted and saved", "code=130"]);
    terminal.is_clean();

    // An error before there is anything to draw, and one that is a matter of the rate.
    clear();
    terminal.keys(&["$downhill train no-such-file.csv; echo code=$?", "Enter"]);
    terminal.shows(&["error:", "no-such-file.csv", "code=1"]);
    terminal.is_clean();
    clear();
    terminal.keys(&["$downhill train digits --optimizer sgd --lr 1e30 --guard off; echo code=$?", "Enter"]);
    terminal.shows(&["error:", "code=1"]);
    terminal.is_clean();
}

#[test]
fn the_view_is_chosen() {
    let place = Place::new();
    let plain = place.run("train good.csv --epochs 3 --view plain").done();
    plain.says(&["epoch   3/3"]);
    place.run("train good.csv --epochs 3 --view dashboard").refused(&["needs a terminal", "--view plain"]);
    place.run("train good.csv --epochs 3 --view bar").refused(&["needs a terminal", "--view plain"]);
    let quiet = place.run("train good.csv --epochs 3 --view dashboard --quiet").done();
    assert_eq!(quiet.stderr, "");

    let Some(terminal) = Terminal::open(&place, "chosen", (80, 24)) else { return };
    let run = "$downhill train digits --epochs 100000 --early-stop off --lr 0.001 --name";
    terminal.keys(&[&format!("{run} bar --view bar"), "Enter"]);
    terminal.shows(&["left", "rows/s"]);
    assert_eq!(terminal.modes().split(' ').next(), Some("0"));
    terminal.keys(&["C-c"]);
    terminal.shows(&["interrupted and saved"]);
    // In the background nobody presses keys, and who takes the terminal there is stopped.
    terminal.keys(&["clear", "Enter"]);
    terminal.keys(&[&format!("{run} background & sleep 1"), "Enter"]);
    terminal.shows(&["left", "rows/s"]);
    assert_eq!(terminal.modes().split(' ').next(), Some("0"));
    terminal.keys(&["kill $!", "Enter"]);
    terminal.shows(&["interrupted and saved"]);
    // Where there is little room, a bar is the default.
    terminal.tmux(&["resize-window", "-x", "50", "-y", "12"]);
    terminal.keys(&["clear", "Enter"]);
    terminal.keys(&[&format!("{run} small"), "Enter"]);
    terminal.shows(&["left", "rows/s"]);
    assert_eq!(terminal.modes().split(' ').next(), Some("0"));
    terminal.keys(&["C-c"]);
    terminal.shows(&["interrupted and saved"]);
}

#[test]
fn a_bar_survives_other_sizes() {
    let place = Place::new();
    let Some(terminal) = Terminal::open(&place, "bar", (100, 24)) else { return };
    let run = "$downhill train digits --epochs 100000 --early-stop off --lr 0.001 --threads 1 --view bar";
    terminal.keys(&[&format!("{run}; echo code=$?"), "Enter"]);
    terminal.shows(&["left", "rows/s", "lr 1.0e-3"]);
    for (width, height) in [(60, 24), (40, 10), (120, 24), (30, 24), (100, 12), (100, 24)] {
        terminal.tmux(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
        // Drawn a few times since, in the new size.
        thread::sleep(Duration::from_millis(700));
        let screen = terminal.shows(&["epoch ", "loss "]);
        for (part, most) in [("epoch ", 1), ("loss ", 1), ("╸", 1), ("left out", 1)] {
            let found = screen.matches(part).count();
            assert!(found <= most, "{found} times {part:?} in {width} columns:\n{screen}");
        }
    }
    // What was above it is still there, once, and nothing of it above that.
    let all = String::from_utf8(terminal.tmux(&["capture-pane", "-p", "-S", "-"]).stdout).unwrap();
    for part in ["1438 rows to train on", "note: Columns", "epoch ", "loss ", "╸"] {
        assert_eq!(all.matches(part).count(), 1, "{part:?} in\n{all}");
    }
    terminal.keys(&["C-c"]);
    let screen = terminal.shows(&["interrupted and saved", "code=130"]);
    assert!(!screen.contains("rows/s"), "{screen}");
    terminal.is_clean();
}
