//! Figures in Korean: what is drawn is named in it, and nothing else changes.

mod common;

use common::Place;

/// What a command draws.
fn figure(place: &Place, command: &str, lang: &str) -> String {
    place.run(&format!("{command} --lang {lang} --plot figure.svg --quiet --format json")).done();
    place.read("figure.svg")
}

#[test]
fn figures_are_labelled_in_korean() {
    let place = Place::new();
    place.train("iris --name a").done();
    for (command, korean, english) in [
        ("path x^2 --start 1 --lr 0.1 9", &["출발점", "발산"][..], &["start", "diverges"][..]),
        ("path x^2+y^2 --start 1,1 --lr 0.1", &["등고선"], &["contour lines"]),
        (
            "schedule cosine(0.1) --log",
            &["학습률", "스텝", "로그 눈금"],
            &["learning rate", "step", "log scale"],
        ),
        (
            "compare iris --lr 0.00001,0.01,50 --epochs 20",
            &["에포크", "훈련 손실", "적당함"],
            &["epoch", "training loss", "good"],
        ),
        ("compare iris --dropout 0,0.1 --lr 0.01 --epochs 3", &["검증 손실"], &["validation loss"]),
        ("find-lr iris", &["추천", "범위 시험"], &["recommended", "range test"]),
        (
            "init --activation relu --scheme normal(1) --layers 50x6",
            &["활성화 값", "기울기", "폭주", "6층"],
            &["activation", "gradient", "exploding", "layer 6"],
        ),
        ("report a", &["훈련", "검증", "에포크"], &["training", "validation", "epoch"]),
    ] {
        let [ko, en] = ["ko", "en"].map(|lang| figure(&place, command, lang));
        assert!(ko.contains("lang=\"ko\"") && ko.contains("Noto Sans KR"), "{command}");
        assert!(!en.chars().any(|c| ('가'..='힣').contains(&c)), "{command}");
        for word in korean {
            assert!(ko.contains(word), "{command}: {word}");
        }
        for word in english {
            assert!(en.contains(word), "{command}: {word}");
            assert!(!ko.contains(&format!(">{word}")), "{command}: {word}");
        }
    }
}

#[test]
fn a_language_there_is_none_of_is_named() {
    Place::new().run("schedule 0.1 --lang kr").refused(&["the languages are en and ko"]);
}
