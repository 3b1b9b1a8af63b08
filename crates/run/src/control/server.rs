//! The thread that serves all connections of a run.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};

use super::connection::{Asked, Connection};
use super::protocol::{Status, Took, Watching, answer};
use super::socket;
use crate::log::{self, Record};
use crate::{Command, Event, Phase, RunState, View};

/// More connections than these are refused.
const MOST_CONNECTIONS: usize = 64;

/// Who watches sees a step at most this often.
const BETWEEN_STEPS: Duration = Duration::from_millis(50);

/// More events than these do not wait for the thread; then all watchers are let go.
const MOST_EVENTS: usize = 16 * 1024;

/// Who asks nothing and does not watch is let go after this time.
const IDLE: Duration = Duration::from_secs(60);

/// Who breaks off without a word, or does not read its last line, is waited for no longer than this at the
/// end of a run.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The thread rests so many times as long as it worked, so that whatever comes in, nearly all of the machine
/// trains.
const REST: u32 = 200;
const SHORTEST_REST: Duration = Duration::from_millis(2);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// What is read, and how many lines are looked at, from each connection before the thread rests.
const AT_ONCE: usize = 4 * 1024;
const LINES_AT_ONCE: usize = 4;

/// So many commands go to the run in a second, after a first handful; others wait.
const COMMANDS_PER_SECOND: f64 = 50.0;

/// The socket of a run; as long as this is there, it listens.
pub struct Control {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread that trains and the one that serves know both.
struct Shared {
    /// Whether somebody waits for events.
    wanted: AtomicBool,
    /// The last step, its rate and its loss.
    step: AtomicU64,
    lr: AtomicU64,
    loss: AtomicU64,
    closing: AtomicBool,
    published: Mutex<Published>,
    /// A byte here wakes the thread that serves.
    wake: UnixStream,
}

struct Published {
    /// The number of lines in the log.
    logged: u64,
    /// What watchers were not sent yet, each with the number of lines in the log up to it.
    events: VecDeque<(u64, Record)>,
    /// Whether there were too many of them.
    lost: bool,
    /// Where the run is, but for its steps.
    state: RunState,
    /// What is planned for the rate, which the log does not have.
    plan: Option<Record>,
}

impl Shared {
    fn published(&self) -> MutexGuard<'_, Published> {
        // Nobody panics with it; if somebody did, what is in it is still good.
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        let _ = (&self.wake).write(&[0]); // if it is full, the thread will wake anyway
    }

    /// Shows an event to those who wait for one. This is called by the thread that trains.
    fn show(&self, event: &Event, last_step: &mut Option<Instant>) {
        if let Event::Step { step, lr, loss, .. } = event {
            self.step.store(step + 1, Relaxed);
            self.lr.store(lr.to_bits(), Relaxed);
            self.loss.store(loss.to_bits(), Relaxed);
            if !self.wanted.load(Relaxed)
                || !loss.is_finite()
                || last_step.is_some_and(|last| last.elapsed() < BETWEEN_STEPS)
            {
                return;
            }
            *last_step = Some(Instant::now());
        }
        let mut published = self.published();
        if event.is_logged() {
            published.logged += 1;
            if let Some(back) = published.state.apply(event) {
                self.step.store(back, Relaxed);
            }
        }
        if let Event::Plan { .. } = event {
            published.plan = Some(Record { time: log::now(), event: event.clone() });
        }
        if !self.wanted.load(Relaxed) {
            return;
        }
        let alone = published.events.is_empty();
        if published.events.len() < MOST_EVENTS {
            let logged = published.logged;
            published.events.push_back((logged, Record { time: log::now(), event: event.clone() }));
        } else {
            published.lost = true;
        }
        drop(published);
        if alone {
            self.wake();
        }
    }
}

/// An event as it is told.
fn line(record: &Record) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).expect("events are plain data");
    line.push(b'\n');
    line
}

impl Control {
    /// Listens at `path` for a run whose log has so many lines, and hands what it is told to `commands`. The
    /// view is to see every event of the run.
    pub fn open(path: &Path, logged: u64, commands: Sender<Command>) -> io::Result<(Self, View)> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            wanted: false.into(),
            step: 0.into(),
            lr: f64::NAN.to_bits().into(),
            loss: f64::NAN.to_bits().into(),
            closing: false.into(),
            published: Mutex::new(Published {
                logged,
                events: VecDeque::new(),
                lost: false,
                state: RunState::default(),
                plan: None,
            }),
            wake,
        });
        let listener = socket::open(path)?;
        let mut server = Server {
            listener,
            woken,
            shared: shared.clone(),
            commands,
            clients: Vec::new(),
            asked: VecDeque::new(),
            allowed: COMMANDS_PER_SECOND,
            saving: None,
            over: false,
        };
        let serving = std::thread::Builder::new().name("control".into()).spawn(move || server.serve());
        let thread = serving.inspect_err(|_| _ = std::fs::remove_file(path))?;
        let mut last_step = None;
        let view = {
            let shared = shared.clone();
            move |event: &Event| shared.show(event, &mut last_step)
        };
        Ok((Self { path: path.to_path_buf(), shared, thread: Some(thread) }, Box::new(view)))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        self.shared.closing.store(true, Relaxed);
        self.shared.wake();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// The time that a processor has spent on this thread: asking the system for something counts, waiting does
/// not.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

struct Client {
    stream: UnixStream,
    connection: Connection,
    /// Which one it is, for the answers.
    id: u64,
    /// The last line of the log that was there when it began to watch.
    since: u64,
    /// When it last asked something.
    active: Instant,
    /// Whether the other end is closed, though something may be left to read.
    hung_up: bool,
    /// Whether this end can be closed, too.
    gone: bool,
}

struct Server {
    listener: UnixListener,
    woken: UnixStream,
    shared: Arc<Shared>,
    commands: Sender<Command>,
    clients: Vec<Client>,
    /// The commands that are with the run, in their order, each with who asked.
    asked: VecDeque<(u64, Command)>,
    /// How many commands may go to the run now.
    allowed: f64,
    /// What the command to write a checkpoint came to, which is still being written.
    saving: Option<Took>,
    /// Whether the run has stopped.
    over: bool,
}

impl Server {
    fn serve(&mut self) {
        let mut next_id = 0;
        let mut closing_since = None;
        let mut last_round = Instant::now();
        let mut woken = true;
        loop {
            let worked = processor_time();
            let ready = self.wait(closing_since.is_some(), woken);
            let began = Instant::now();
            let closing = self.shared.closing.load(Relaxed);
            let _ = (&self.woken).read(&mut [0; 64]);
            self.allowed += COMMANDS_PER_SECOND * (began - last_round).as_secs_f64();
            self.allowed = self.allowed.min(COMMANDS_PER_SECOND);
            last_round = began;

            if !closing {
                if ready {
                    self.accept(&mut next_id);
                }
                self.read();
                self.take_requests();
            }
            self.tell_events();
            if closing {
                closing_since.get_or_insert(began);
                self.say_goodbye();
            }
            self.write();
            let late = closing_since.is_some_and(|since| since.elapsed() > LAST_WORDS);
            if closing && (self.clients.is_empty() || late) {
                return;
            }
            self.note_who_waits();
            woken = self.clients.iter().any(|client| client.connection.has_request());
            let rest = if closing { SHORTEST_REST } else { REST * (processor_time() - worked) };
            std::thread::park_timeout(rest.clamp(SHORTEST_REST, LONGEST_REST));
        }
    }

    /// Waits until there is something to do; whether somebody wants to connect.
    fn wait(&mut self, closing: bool, more: bool) -> bool {
        let mut sources =
            vec![PollFd::new(&self.listener, PollFlags::IN), PollFd::new(&self.woken, PollFlags::IN)];
        // One that has hung up would wake the thread at once, again and again.
        let there: Vec<usize> = (0..self.clients.len()).filter(|&i| !self.clients[i].hung_up).collect();
        for client in there.iter().map(|&i| &self.clients[i]) {
            let mut wanted = PollFlags::empty();
            wanted.set(PollFlags::IN, client.connection.wants_input());
            wanted.set(PollFlags::OUT, !client.connection.output().is_empty());
            sources.push(PollFd::new(&client.stream, wanted));
        }
        let timeout = match () {
            () if closing || more => Some(Duration::from_millis(5)),
            () if self.clients.is_empty() => None,
            () => Some(IDLE / 10),
        };
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        // If it fails, as by a signal, the round finds nothing to do.
        let _ = poll(&mut sources, timeout.as_ref());
        let happened: Vec<PollFlags> = sources.iter().map(PollFd::revents).collect();
        for (&i, happened) in there.iter().zip(&happened[2..]) {
            self.clients[i].hung_up = happened.intersects(PollFlags::HUP | PollFlags::ERR);
        }
        !happened[0].is_empty()
    }

    fn accept(&mut self, next_id: &mut u64) {
        for _ in 0..MOST_CONNECTIONS {
            let Ok((mut stream, _)) = self.listener.accept() else { return };
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            if self.clients.len() >= MOST_CONNECTIONS {
                let error = format!("{MOST_CONNECTIONS} others are connected already; try again later");
                let _ = stream.write(&answer::<()>(Err(error)));
                continue;
            }
            *next_id += 1;
            self.clients.push(Client {
                stream,
                connection: Connection::default(),
                id: *next_id,
                since: 0,
                active: Instant::now(),
                hung_up: false,
                gone: false,
            });
        }
    }

    fn read(&mut self) {
        let mut bytes = [0; AT_ONCE];
        for Client { stream, connection, active, hung_up, gone, .. } in &mut self.clients {
            if !connection.wants_input() {
                *gone |= *hung_up && !connection.has_request() && !connection.is_waiting();
                continue;
            }
            match stream.read(&mut bytes) {
                Ok(read) => {
                    connection.receive(&bytes[..read]);
                    *active = Instant::now();
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => {
                    connection.receive(&[]);
                    *gone = true;
                }
            }
        }
    }

    /// Takes the next lines of each connection.
    fn take_requests(&mut self) {
        // Whoever comes first is not always the same.
        if !self.clients.is_empty() {
            self.clients.rotate_left(1);
        }
        for client in &mut self.clients {
            for _ in 0..LINES_AT_ONCE {
                if self.allowed < 1.0 || !client.connection.has_request() {
                    break;
                }
                match client.connection.next_request() {
                    None => {}
                    Some(Asked::Status) => {
                        let number = |bits: &AtomicU64| Some(f64::from_bits(bits.load(Relaxed)));
                        let published = self.shared.published();
                        let RunState { total_steps, steps_per_epoch, last, phase, .. } = &published.state;
                        let status = Status {
                            pid: std::process::id(),
                            step: self.shared.step.load(Relaxed),
                            lr: number(&self.shared.lr).filter(|lr| lr.is_finite()),
                            loss: number(&self.shared.loss).filter(|loss| loss.is_finite()),
                            total_steps: *total_steps,
                            steps_per_epoch: *steps_per_epoch,
                            epoch: last.clone(),
                            paused: *phase == Phase::Paused,
                        };
                        drop(published);
                        client.connection.answer(Ok(status));
                    }
                    Some(Asked::Watch) => {
                        let published = self.shared.published();
                        // From here on all events are kept.
                        self.shared.wanted.store(true, Relaxed);
                        client.since = published.logged;
                        client.connection.watch(Watching { logged: published.logged });
                        if let Some(plan) = &published.plan {
                            client.connection.tell(&line(plan), false);
                        }
                    }
                    Some(Asked::Command(_)) if self.over => {
                        client.connection.answer::<()>(Err("the run is over".into()));
                    }
                    Some(Asked::Command(command)) => {
                        self.allowed -= 1.0;
                        self.shared.wanted.store(true, Relaxed);
                        if self.commands.send(command.clone()).is_ok() {
                            self.asked.push_back((client.id, command));
                        } else {
                            client.connection.answer::<()>(Err("the run takes no commands any more".into()));
                        }
                    }
                }
            }
        }
    }

    /// Tells watchers what has happened, and who asked for it what became of it.
    fn tell_events(&mut self) {
        let (events, lost) = {
            let mut published = self.shared.published();
            (std::mem::take(&mut published.events), std::mem::take(&mut published.lost))
        };
        for (number, (logged, record)) in events.into_iter().enumerate() {
            // Who reads has read some of them before the last ones are there.
            if number % 64 == 63 {
                self.write();
            }
            self.answer(&record.event);
            let is_step = matches!(record.event, Event::Step { .. });
            let is_logged = record.event.is_logged();
            if !self.clients.iter().any(|client| client.connection.is_watching()) {
                continue;
            }
            let line = line(&record);
            let behind = |client: &&mut Client| !is_logged || client.since < logged;
            for client in self.clients.iter_mut().filter(behind) {
                let watching = client.connection.is_watching();
                client.connection.tell(&line, is_step);
                if watching && !client.connection.is_watching() {
                    client.active = Instant::now();
                }
            }
        }
        if lost {
            self.lose_track();
        }
    }

    /// Some events are not known here.
    fn lose_track(&mut self) {
        const LOST: &str = "too much happened at once; see events.jsonl";
        for (id, _) in std::mem::take(&mut self.asked) {
            self.reply(id, Err(LOST.into()));
        }
        for client in &mut self.clients {
            if client.connection.is_watching() {
                client.connection.close(LOST);
                client.active = Instant::now();
            }
        }
    }

    /// Answers who asked for what has happened here.
    fn answer(&mut self, event: &Event) {
        let (command, result) = match event {
            Event::Command { step, steps_executed, command, lr_before, lr } => {
                let (lr_before, lr) = (Some(*lr_before), Some(*lr));
                let took = Took { step: *step, steps_executed: *steps_executed, lr_before, lr };
                if let Command::Checkpoint = command {
                    self.saving = Some(took); // it is done when it is written
                    return;
                }
                (command, Ok(took))
            }
            Event::Refused { command, why, .. } => (command, Err(why.clone())),
            Event::Checkpoint { .. } => {
                let Some(took) = self.saving.take() else { return };
                (&Command::Checkpoint, Ok(took))
            }
            Event::Stop { step, steps_executed, .. } => {
                self.over = true;
                let took = Took { step: *step, steps_executed: *steps_executed, lr_before: None, lr: None };
                for (id, command) in std::mem::take(&mut self.asked) {
                    let stops = command == Command::Stop;
                    let over = || format!("the run was over at step {step}, before it came to that");
                    self.reply(id, if stops { Ok(took.clone()) } else { Err(over()) });
                }
                return;
            }
            _ => return,
        };
        if let Some(place) = self.asked.iter().position(|(_, asked)| asked == command) {
            let (id, _) = self.asked.remove(place).expect("it is there");
            self.reply(id, result);
        }
    }

    fn reply(&mut self, id: u64, result: Result<Took, String>) {
        if let Some(client) = self.clients.iter_mut().find(|client| client.id == id) {
            client.connection.answer(result);
            client.active = Instant::now();
        }
    }

    /// The run is over, or has failed.
    fn say_goodbye(&mut self) {
        for (id, _) in std::mem::take(&mut self.asked) {
            self.reply(id, Err("the run ended before it came to that".into()));
        }
        self.clients.retain(|client| !client.connection.output().is_empty());
    }

    fn write(&mut self) {
        for Client { stream, connection, active, gone, .. } in &mut self.clients {
            if !connection.output().is_empty() {
                match stream.write(connection.output()) {
                    Ok(written) => connection.written(written),
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                    Err(_) => *gone = true,
                }
            }
            let idle = !connection.is_watching() && !connection.is_waiting() && active.elapsed() > IDLE;
            if idle {
                connection.close("nothing was asked for a minute");
            }
            // What was let go and does not even read that is let go without it.
            *gone |= active.elapsed() > 2 * IDLE && !connection.is_watching() && !connection.is_waiting();
        }
        self.clients.retain(|client| !client.gone && !client.connection.is_over());
    }

    /// Lets the thread that trains know whether anybody waits for events.
    fn note_who_waits(&mut self) {
        let published = self.shared.published();
        let watching = self.clients.iter().any(|client| client.connection.is_watching());
        self.shared.wanted.store(watching || !self.asked.is_empty(), Relaxed);
        drop(published);
    }
}
