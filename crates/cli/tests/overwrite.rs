//! `--overwrite`: commands that name a run can be given twice.

mod common;

use common::Place;

#[test]
fn the_same_commands_can_be_given_twice() {
    let place = Place::new();
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let small = "--lr 0.01 --early-stop off --overwrite";
        place.train(&format!("good.csv {small} --name a")).done();
        let longer = place.run("resume a --lr 0.1x --epochs 3 --format json").done();
        let branch = place.run("branch a@2ep --epochs 4 --name b --overwrite --format json").done();
        assert_eq!(place.run("replay a --format json").done().json()["epochs"], 3);
        hashes.push([longer.hash(), branch.hash()]);
        assert_eq!(place.files("runs"), ["a", "b"]);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn what_does_not_begin_overwrites_nothing() {
    let place = Place::new();
    let hash = place.train("good.csv --name a --lr 0.01").done().hash();
    place.train("none.csv --name a --overwrite").fails(&["none.csv"]);
    place.train("good.csv --name a --overwrite --loss mse").fails(&["mse"]);
    assert_eq!(place.run("replay a --format json").done().hash(), hash);
    place.train("good.csv --overwrite").refused(&["--overwrite needs --name"]);
    place.run("branch a@1ep --name a --overwrite").refused(&["cannot replace the run that is branched off"]);
    // What is no run is not removed.
    std::fs::create_dir(place.path("runs/mine")).unwrap();
    place.write("runs/mine/file", "text");
    place.train("good.csv --name mine --overwrite").fails(&["not a run's folder"]);
    assert_eq!(place.read("runs/mine/file"), "text");
    assert_eq!(place.files("runs"), ["a", "mine"]);
}
