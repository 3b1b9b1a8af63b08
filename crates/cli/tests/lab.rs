//! `downhill lab`, and what a browser makes of it.
#![cfg(all(unix, feature = "lab"))]

#[path = "../../lab/tests/browser/mod.rs"]
mod browser;
mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use browser::Browser;
use common::Place;
use serde_json::{Value, json};

/// A lab that is served in a place of its own.
struct Lab {
    place: Place,
    process: Child,
    address: String,
}

impl Lab {
    fn open(place: Place) -> Self {
        let mut command = place.program();
        command.args(["lab", "--no-open", "--port", "0"]).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("http://127.0.0.1:"), "{address}");
        Self { place, process, address: address.trim().into() }
    }

    fn events(&self, run: &str) -> Vec<Value> {
        let text = self.place.read(&format!("runs/{run}/events.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for an event in the log of a run.
    #[track_caller]
    fn event(&self, run: &str, is: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            if let Some(event) = self.events(run).into_iter().find(&is) {
                return event;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{:?}", self.events(run));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The middle of an element, which is moved into view.
#[track_caller]
fn middle(browser: &mut Browser, selector: &str) -> (f64, f64) {
    let selector = json!(selector);
    browser.until(&format!("document.querySelector({selector})"));
    let place = browser.value(&format!(
        "(() => {{ const e = document.querySelector({selector}); e.scrollIntoView({{ block: 'center' }});
         const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
    ));
    (place[0].as_f64().unwrap(), place[1].as_f64().unwrap())
}

#[track_caller]
fn click(browser: &mut Browser, selector: &str) {
    let (x, y) = middle(browser, selector);
    browser.mouse("mousePressed", x, y);
    browser.mouse("mouseReleased", x, y);
}

/// Drags an element so far down, or up if it is negative.
#[track_caller]
fn drag(browser: &mut Browser, selector: &str, down: f64) {
    let (x, y) = middle(browser, selector);
    browser.mouse("mouseMoved", x, y);
    browser.mouse("mousePressed", x, y);
    for part in 1..=4 {
        browser.mouse("mouseMoved", x, y + down * f64::from(part) / 4.0);
    }
    browser.mouse("mouseReleased", x, y + down);
}

/// Puts text into an element, as if it were typed.
#[track_caller]
fn fill(browser: &mut Browser, selector: &str, text: &str) {
    let (selector, text) = (json!(selector), json!(text));
    browser.until(&format!("document.querySelector({selector})"));
    browser.value(&format!(
        "(() => {{ const e = document.querySelector({selector}); e.value = {text};
         for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind, {{ bubbles: true }})); }})()"
    ));
}

#[test]
fn runs_are_listed_compared_and_looked_at() {
    let Some(mut browser) = Browser::open() else { return };
    let place = Place::new();
    for (name, lr) in [("first", "0.01"), ("second", "0.1"), ("<img src=x onerror=alert(1)>", "0.03")] {
        place.run_with(&format!("train good.csv --hidden 8 --epochs 3 --lr {lr}"), &["--name", name]).done();
    }
    place
        .run("search good.csv --trials 12 --epochs 2 --lr log(1e-3,1e-1) --dropout uniform(0,0.5) -q")
        .done();
    let lab = Lab::open(place);
    browser.width(1600);
    browser.go(&lab.address);
    browser.until("document.querySelectorAll('table.runs tbody tr a').length === 3");
    assert_eq!(browser.value("document.querySelectorAll('main img').length"), 0, "names are text");
    assert_eq!(browser.value("document.querySelectorAll('svg.spark polyline').length"), 3);
    browser.until("[...document.querySelectorAll('th')].some((th) => th.innerText.trim() === 'lr')");
    // Sorted by its name, and found by what differs.
    browser.until("document.querySelector('table.runs thead button.sort')");
    click(&mut browser, "table.runs thead th:nth-child(2) button");
    browser.until("document.querySelector('table.runs tbody a').innerText.startsWith('<img')");
    fill(&mut browser, "input[type=search]", "lr=constant(rate=0.1)");
    browser.until("document.querySelectorAll('table.runs tbody tr a').length === 1");
    fill(&mut browser, "input[type=search]", "");
    browser.until("document.querySelectorAll('table.runs tbody tr a').length === 3");
    // Tags and notes are kept in the run's folder.
    click(&mut browser, "table.runs tbody button.tags");
    fill(&mut browser, "#tags", "odd, <b>");
    fill(&mut browser, "#note", "a name with a script");
    click(&mut browser, "dialog button.main");
    browser.until("[...document.querySelectorAll('.tag')].map((tag) => tag.innerText).join() === 'odd,<b>'");
    let notes = lab.place.read("runs/<img src=x onerror=alert(1)>/lab.json");
    assert!(notes.contains("a name with a script"), "{notes}");
    // On top of each other.
    for row in 2..=3 {
        click(&mut browser, &format!("table.runs tbody tr:nth-child({row}) input"));
    }
    browser.until("document.querySelector('.bar button').innerText.includes('2')");
    click(&mut browser, ".view.runs .bar button");
    browser.until("document.querySelectorAll('.view.compare .chart canvas').length === 4");
    browser.until("[...document.querySelectorAll('.view.compare th')].some((th) => th.innerText === 'lr')");
    // One run: its charts, and what happened.
    browser.go(&format!("{}#/run/second", lab.address));
    browser.until("document.querySelectorAll('.view.run .grid canvas').length === 5");
    browser.until("document.querySelector('.events').innerText.includes('all epochs are done')");
    // A search.
    browser.go(&format!("{}#/studies", lab.address));
    browser.until("document.querySelector('.view.studies td a')");
    click(&mut browser, ".view.studies td a");
    browser.until("document.querySelectorAll('polyline.trial').length === 12");
    browser.until("document.querySelectorAll('.share').length === 2 && document.querySelectorAll('circle').length === 12");
    assert_eq!(browser.trouble(), [""; 0]);
}

#[test]
fn a_live_run_is_begun_and_steered_by_hand_to_its_log() {
    let Some(mut browser) = Browser::open() else { return };
    let lab = Lab::open(Place::new());
    browser.width(1600);
    browser.go(&format!("{}#/start", lab.address));
    // What the program says of a wrong value is shown.
    fill(&mut browser, "#data", &lab.place.path("good.csv").display().to_string());
    fill(&mut browser, "#set-lr", "cosin(0.01)");
    click(&mut browser, ".view.start button.main");
    browser.until("document.querySelector('.start .error').innerText.includes('did you mean `cosine`')");
    fill(&mut browser, "#set-lr", "0.01");
    fill(&mut browser, "#set-epochs", "1000000");
    fill(&mut browser, "#set-early-stop", "off");
    fill(&mut browser, "#set-hidden", "64,64");
    fill(&mut browser, "#name", "live");
    click(&mut browser, ".view.start button.main");
    browser.until("location.hash === '#/run/live'");
    browser.until("document.querySelector('.steering button')");
    let button = |at: usize| format!(".steering button:nth-of-type({at})");
    let set = |event: &Value, lr: &str| event["event"] == "command" && event["command"]["lr"] == lr;
    click(&mut browser, &button(1));
    let half = lab.event("live", |event| set(event, "0.5x"));
    assert_eq!((half["lr_before"].as_f64(), half["lr"].as_f64()), (Some(0.01), Some(0.005)));
    click(&mut browser, &button(3));
    lab.event("live", |event| event["command"]["command"] == "undo");
    browser.until("document.querySelector('.events').innerText.includes('undo')");
    // The second handle of the rate to come is dragged up: a schedule, followed from the next step on.
    browser.until("document.querySelectorAll('.handle').length > 4");
    drag(&mut browser, ".handle:nth-child(3)", -25.0);
    let dragged = lab
        .event("live", |event| event["command"]["lr"].as_str().is_some_and(|lr| lr.starts_with("sequence(")));
    let spec = dragged["command"]["lr"].as_str().unwrap();
    assert!(spec.contains("linear("), "{spec}");
    let highest =
        spec.split("end=").skip(1).map(|part| part.split([')', ',']).next().unwrap().parse::<f64>().unwrap());
    assert!(highest.fold(0.0, f64::max) > 0.0105, "{spec}");
    browser.until("document.querySelector('.events').innerText.includes('sequence(linear(')");
    // By keys, as a slider is.
    let followed = |lab: &Lab| {
        let is = |event: &Value| event["command"]["command"] == "set-lr";
        lab.events("live").iter().filter(|event| is(event)).count()
    };
    let before = followed(&lab);
    let began = Instant::now();
    while followed(&lab) == before {
        assert!(began.elapsed() < Duration::from_secs(60), "no key was heard");
        // What was told before may still be drawn: a key that came too early is pressed again.
        browser.value("document.querySelector('.handle:nth-child(4)').focus()");
        browser.press("ArrowUp", 38);
        let pressed = Instant::now();
        while followed(&lab) == before && pressed.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    // Written by hand: what is none is said, what is one is followed.
    click(&mut browser, &button(5));
    fill(&mut browser, "#schedule-spec", "cosin(0.01)");
    browser.until("document.querySelector('.panel .error').innerText.includes('did you mean `cosine`')");
    fill(&mut browser, "#schedule-spec", "cosine(0.004)");
    browser.until("!document.querySelector('.panel button.main').disabled");
    click(&mut browser, ".panel button.main");
    lab.event("live", |event| event["command"]["lr"].as_str().is_some_and(|lr| lr.starts_with("cosine(")));
    // Paused, and on again; then it is ended.
    click(&mut browser, &button(6));
    lab.event("live", |event| event["command"]["command"] == "pause");
    browser.until("document.querySelector('.badge').innerText === 'paused'");
    click(&mut browser, &button(6));
    lab.event("live", |event| event["command"]["command"] == "continue");
    browser.until("document.querySelector('.badge').innerText === 'running'");
    // It cools down: two commands, behind which it comes to its end by itself.
    fill(&mut browser, ".steering input", "40");
    click(&mut browser, &button(10));
    lab.event("live", |event| event["command"]["command"] == "set-epochs");
    lab.event("live", |event| {
        event["command"]["lr"].as_str().is_some_and(|lr| lr.starts_with("linear(") && lr.contains("end=0"))
    });
    lab.event("live", |event| event["event"] == "stop" && event["reason"] == "finished");
    browser.until("document.querySelector('.badge').innerText === 'finished'");
    assert!(browser.trouble().iter().all(|trouble| trouble.contains("422")), "the wrong value alone");
}

#[test]
fn a_finished_run_is_branched_off_by_dragging_its_rate() {
    let Some(mut browser) = Browser::open() else { return };
    let place = Place::new();
    place
        .run("train good.csv --hidden 8 --epochs 8 --name parent --lr linear(0.02,end=0) --keep-every 1 --early-stop off")
        .done();
    let lab = Lab::open(place);
    browser.width(1600);
    browser.go(&format!("{}#/run/parent", lab.address));
    browser.until("document.querySelectorAll('.handle').length > 4");
    drag(&mut browser, ".handle:nth-child(5)", -30.0);
    browser.until("document.querySelector('#schedule-spec')?.value.startsWith('sequence(')");
    fill(&mut browser, "#branch-name", "child");
    click(&mut browser, ".panel button.main");
    browser.until("location.hash.includes('with=child')");
    lab.event("child", |event| event["event"] == "stop" && event["reason"] == "finished");
    let settings = lab.place.read("runs/child/run.toml");
    assert!(settings.contains("parent"), "{settings}");
    let first = lab.event("child", |event| event["event"] == "command");
    assert!(first["command"]["lr"].as_str().unwrap().starts_with("sequence("), "{first}");
    // Its curve is beside its parent's.
    browser.until("[...document.querySelectorAll('.series')].some((one) => one.innerText.includes('child'))");
    assert_eq!(browser.trouble(), [""; 0]);
}

#[test]
fn every_page_is_there_in_both_languages_at_any_width_light_and_dark() {
    let Some(mut browser) = Browser::open() else { return };
    let place = Place::new();
    place.run("train good.csv --hidden 8 --epochs 3 --name one --lr 0.01").done();
    let lab = Lab::open(place);
    let korean = "/[가-힣]/.test(document.querySelector('main').innerText)";
    for width in [390, 1600] {
        browser.width(width);
        for (view, ready) in [
            ("runs", "document.querySelector('table.runs tbody a')"),
            ("run/one", "document.querySelectorAll('.grid canvas').length === 5"),
            ("compare?runs=%5B%22one%22%5D", "document.querySelectorAll('.grid canvas').length === 4"),
            ("studies", "document.querySelector('.view.studies .empty')"),
            ("start", "document.querySelector('#set-epochs')"),
            ("learn", "document.querySelector('.stops a')"),
        ] {
            for lang in ["en", "ko"] {
                let more = if view.contains('?') { '&' } else { '?' };
                browser.go(&format!("{}#/{view}{more}lang={lang}", lab.address));
                browser.until(ready);
                browser.until(&format!("document.documentElement.lang === '{lang}'"));
                if lang == "ko" {
                    browser.until(korean);
                } else if view != "learn" {
                    assert_eq!(browser.value(korean), false, "{view} in English");
                }
                let wide = browser.value("document.documentElement.scrollWidth - innerWidth");
                assert!(wide.as_i64().unwrap() <= 0, "{view} is {wide} pixels too wide at {width}");
                for scheme in ["dark", "light"] {
                    let features =
                        json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                    browser.call("Emulation.setEmulatedMedia", features);
                    browser.until(&format!("document.documentElement.dataset.theme === '{scheme}'"));
                }
            }
        }
    }
    assert_eq!(browser.trouble(), [""; 0]);
}

#[test]
fn what_is_wrong_with_the_command_line_is_said() {
    let place = Place::new();
    place.write("file", "");
    place.run("lab --no-open --runs file").fails(&["the folder of runs, file", "--runs"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    place.run(&format!("lab --no-open --port {port}")).fails(&["in use by another program", "--port"]);
    place.run("lab --port 70000").refused(&["70000"]);
}
