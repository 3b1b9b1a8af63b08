//! Data that has changed since a run was trained with it: whatever makes the run again says so, and does not
//! go on.

mod common;

use common::Place;

/// Rows with a column of categories among them.
fn rows() -> Vec<String> {
    let colours = ["red", "green", "blue"];
    let row = |i: usize| {
        format!("{},{},{}", i * 7 % 41, colours[i * 5 % 3], if i.is_multiple_of(2) { "p" } else { "q" })
    };
    (0..60).map(row).collect()
}

fn table(rows: &[String]) -> String {
    format!("n,colour,y\n{}\n", rows.join("\n"))
}

/// The table with its rows in another order, with more rows, and with more of which one has a new category.
fn changed() -> [(&'static str, String); 3] {
    let rows = rows();
    let reversed: Vec<_> = rows.iter().rev().cloned().collect();
    let more = |text: &str| [&rows[..], &[text.to_string()]].concat();
    [
        ("shuffled", table(&reversed)),
        ("longer", table(&more("5,red,p"))),
        ("with a new category", table(&more("5,violet,p"))),
    ]
}

#[test]
fn changed_data_is_named_and_nothing_goes_on() {
    let place = Place::new();
    place.write("cat.csv", table(&rows()));
    let train = "train cat.csv --hidden 4 --epochs 6 --lr 0.01 --early-stop off --quiet --keep-every 2";
    place.run(&format!("{train} --name run")).done();
    place.run("branch run@2ep --epochs 5 --name twig --quiet").done();
    // One that a version made which did not log the fingerprint.
    place.run(&format!("{train} --name old")).done();
    let log = place.read("runs/old/events.jsonl");
    let (before, after) = log.split_once(",\"data_fingerprint\":\"").expect("the log has the fingerprint");
    place.write("runs/old/events.jsonl", format!("{before}{}", after.split_once('"').unwrap().1));
    place.run("replay old --quiet").done();
    // One that was killed before its first checkpoint.
    place.run(&format!("{train} --name new")).done();
    let log = place.read("runs/new/events.jsonl");
    place.write("runs/new/events.jsonl", format!("{}\n", log.lines().next().unwrap()));
    for file in place.files("runs/new/checkpoints") {
        std::fs::remove_file(place.path(&format!("runs/new/checkpoints/{file}"))).unwrap();
    }

    for (how, text) in changed() {
        place.write("cat.csv", text);
        for run in ["run", "twig", "old", "new"] {
            let mut commands = vec![format!("resume {run}"), format!("resume {run} --epochs 20")];
            if run != "new" {
                commands.extend(["replay", "diagnose"].map(|command| format!("{command} {run}")));
                let points =
                    ["", "@last", "@best", "@2ep", "@3ep", "@-1ep", "@-3ep", "@step:7", "@step:9999"];
                commands.extend(points.map(|at| format!("branch {run}{at} --epochs 20")));
            }
            let before = place.read(&format!("runs/{run}/events.jsonl"));
            for command in commands {
                let said = place.run(&command).fails(&["the data of the run ", "has changed"]).stderr;
                for wrong in ["damaged", "epochs)", "has only", "no checkpoint"] {
                    assert!(!said.contains(wrong), "{how}: {command}: {said}");
                }
            }
            assert_eq!(place.read(&format!("runs/{run}/events.jsonl")), before, "{how}: {run}");
        }
        assert_eq!(place.files("runs").len(), 4, "{how}");
    }

    place.write("cat.csv", table(&rows()));
    place.run("replay run --quiet").done();
    place.run("resume new --quiet").done();
}
