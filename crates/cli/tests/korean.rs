//! Under `--lang ko`, or in a Korean locale, people read Korean: every command is run, right and wrong, and no
//! line may have an English sentence left. What programs read does not change.

mod common;

use common::{Outcome, Place, classes};

/// Commands, one a line, in their order: later ones use what earlier ones made.
const COMMANDS: &str = "
    train goood.csv
    train irs
    train quite/elsewhere.csv
    train .
    train empty.csv
    train header.csv
    train noise.csv
    train wide.csv
    train sheet.csv
    train latin.csv
    train ragged.csv
    train open.csv
    train infinite.csv
    train text.csv --numeric a
    train good.csv --task regression
    train good.csv --target 7
    train good.csv --target -4
    train good.csv --drop c --target y
    train good.csv --drop y --target y
    train good.csv --numeric a --drop a
    train missing.csv
    train one.csv
    train same.csv
    train keys.csv
    train column.csv
    train row.csv
    train single.csv --epochs 2 --name single
    train good.csv --batch 5000 --epochs 2 --name batch
    train good.csv --epochs 3 --name a
    train numbers.csv --epochs 3 --name n
    train mixed.csv --epochs 2 --name mixed
    train cat.csv --epochs 2 --name cat
    train good.csv --epochs 2 --name e --members 2
    train good.csv --epochs 2 --name f --folds 3
    train good.csv --epochs 60 --early-stop 3 --name early
    train good.csv --lr auto --epochs 30 --name auto
    train good.csv --optimiser adam
    train good.csv --learning-rate 0.1
    train good.csv --zzz
    trian good.csv
    train
    train good.csv numbers.csv
    train good.csv --images x --labels y
    train --labels y
    train --images good.csv
    evaluate
    predict only-a-run
    train good.csv --lr cosin(0.01)
    train good.csv --lr -1
    train good.csv --lr cosine(0.1,foo=2)
    train good.csv --lr warmup(5q,then=0.1)
    train good.csv --epochs 0
    train good.csv --epochs x
    train good.csv --batch 0
    train good.csv --hidden 0
    train good.csv --hidden x
    train good.csv --dropout 2
    train good.csv --optimizer adm
    train good.csv --optimizer adam(beta1=2)
    train good.csv --activation rel
    train good.csv --init foo
    train good.csv --loss foo
    train good.csv --ema 1
    train good.csv --seed -1
    train good.csv --early-stop 0
    train good.csv --keep bst
    train good.csv --guard foo
    train good.csv --plateau cut(2)
    train good.csv --group foo(bar)
    train good.csv --valid 2
    train good.csv --valid nothing.csv
    train good.csv --delimiter ab
    train good.csv --encoding foo
    train good.csv --header maybe
    train good.csv --format xml
    train good.csv --clip-norm 1 --clip-tensor-norm 1
    train good.csv --lr
    train good.csv --epochs 2 --epochs 3
    train numbers.csv --class-weights balanced
    train numbers.csv --label-smoothing 0.1
    train numbers.csv --loss cross-entropy
    train good.csv --loss huber
    train good.csv --loss mse --label-smoothing 0.1
    train iris --loss binary-cross-entropy
    train good.csv --early-stop after(3,monitor=r2)
    train numbers.csv --early-stop after(3,monitor=accuracy)
    train good.csv --hidden 1000000000
    train good.csv --hidden 100000,100000
    train numbers.csv --lr 1e30 --optimizer sgd --guard off --name hopeless
    train numbers.csv --lr 1e30 --optimizer sgd --name guarded --epochs 20
    train good.csv --runs good.csv
    train good.csv --name a/b
    train --config conf.toml
    train --config conf2.toml
    train --config noise.toml
    train --config nowhere.toml
    train --config .
    train --config layers.toml --hidden 8
    train good.csv --momentum 0.9 --optimizer sgd
    train good.csv --view dashboard
    train good.csv --overwrite
    train good.csv --accumulate 0
    train digits --epochs 2 --name d
    train diabetes --epochs 3 --name dia
    evaluate d digits
    evaluate a good.csv
    evaluate a good.csv --costs 1,5
    evaluate d digits --costs 1,5
    evaluate a good.csv --costs x
    evaluate n numbers.csv
    evaluate dia diabetes
    evaluate e good.csv
    evaluate a nolabel.csv
    evaluate a lackb.csv
    predict a lackb.csv
    predict a extra.csv
    predict a nolabel.csv
    predict cat cat2.csv
    predict n numbers.csv --interval 0.9
    predict a good.csv --interval 0.9
    predict n numbers.csv --interval 2
    predict a text.csv
    predict good.csv good.csv
    predict nobody good.csv
    predict . good.csv
    predict hopeless numbers.csv
    explain a good.csv
    explain d digits
    explain dia diabetes
    explain n numbers.csv
    export a a.onnx
    export a a.json
    export a a.txt
    export a b.json --inputs table
    export d d.onnx
    runs
    runs --state foo
    runs --state finishd
    runs --runs nowhere
    runs zzz
    resume a
    resume mien
    resume runs
    resume a --epochs 1
    resume a --epochs 5
    resume a --lr 0.5x
    resume a --epochs 7 --lr 0.5x
    branch a@2ep --lr 0.001 --name b1
    branch a@99ep
    branch a@foo
    branch a@best --epochs 1
    branch nobody@2ep
    branch a@last --epochs 9 --optimizer sgd --lr 0.1 --name b2
    replay a
    replay n
    replay nobody
    diagnose a
    diagnose n
    diagnose nobody
    find-lr good.csv
    compare good.csv --lr 0.001,0.01,50 --epochs 3
    compare good.csv --dropout 0,0.1 --lr 0.01 --epochs 3 --out cmp
    compare good.csv --dropout 0,0.1 --lr 0.01 --epochs 3 --out cmp
    compare numbers.csv --dropout 0,0.1 --lr 0.01 --epochs 3
    compare good.csv
    compare good.csv --lr 0.1,0.1
    search good.csv --trials 3 --epochs 4 --name s1
    search good.csv --trials 4 --epochs 9 --name s2 --stop halving(3)
    search good.csv --trials 4 --epochs 9 --name s3 --stop median --sampler random
    search good.csv --trials 0
    search good.csv --sampler foo
    search good.csv --lr uniform(1,1)
    search good.csv --lr log(0,1)
    search good.csv --lr log(1,0.1)
    search good.csv --dropout foo(1,2)
    search good.csv --dropout choice()
    search good.csv --metric foo
    search good.csv --time 0s
    search good.csv --time x
    search --resume studies/s1
    search --resume nowhere
    search good.csv --epochs-total 1 --epochs 9
    work studies/s1
    work nowhere
    report a
    report a n
    report studies/s1
    report nobody
    report a --output runs
    datasets
    schedule cosine(0.1)
    schedule cosine(0.1) --steps-per-epoch 10
    schedule
    schedule foo(1)
    schedule cosine(
    schedule 0.1 --lang kr
    path x^2 --start 1 --lr 0.1 9
    path x^2+y^2 --start 1,1 --lr 0.1
    path rosenbrok
    path x^2 --start 1,2
    path x^2
    path foo(x) --start 1
    path (x --start 1
    path x) --start 1
    path 3 --start 1
    path x*y*z --start 1
    path sin --start 1
    path ln(x) --start -1
    path x^2 --start 1 --lr 0.1 0.2 --optimizer sgd adam nesterov
    path x^2 --start 1 --frame 3,2
    init
    init --activation tanh --scheme normal(1) --layers 50x6
    init --activation sigmoid --scheme normal(0.01)
    init --layers 5x
    init --plot picture.jpg
    watch a
    watch nobody
    set-lr a 0.1
    set-lr a x
    pause nobody
    undo a
    stop a
    frobnicate
";

/// Words that stand in a row without being a sentence: names of data, classes, settings and the like.
const NAMES: [&str; 22] = [
    "sgd",
    "adam",
    "adamw",
    "nesterov",
    "downhill",
    "rows",
    "float",
    "int",
    "string",
    "iris",
    "setosa",
    "Downhill",
    "Sans",
    "dropout",
    "activation",
    "optimizer",
    "hidden",
    "batch",
    "silu",
    "gelu",
    "relu",
    "lr",
];

/// A place with tables that have something wrong, or worth a note.
fn place() -> Place {
    let place = Place::new();
    let rows = |row: &dyn Fn(usize) -> String| (0..40).map(row).collect::<String>();
    let colour = |i: usize| if i % 2 == 1 { "red" } else { "blue" };
    for (name, text) in [
        ("empty.csv", String::new()),
        ("header.csv", "a,b,y\n".into()),
        ("missing.csv", format!("a,b,y\n{}", rows(&|i| format!("{i},{i},\n")))),
        ("one.csv", format!("a,b,y\n{}", rows(&|i| format!("{i},{},red\n", i % 3)))),
        ("same.csv", format!("a,b,y\n{}", rows(&|i| format!("{i},{},1.5\n", i % 3)))),
        ("keys.csv", format!("a,b,y\n{}", rows(&|i| format!("{i},{},k{i}x\n", i % 3)))),
        ("column.csv", format!("a,y\n{}", rows(&|i| format!("1,{}\n", colour(i))))),
        ("row.csv", "a,b,y\n1,2,red\n".into()),
        ("single.csv", format!("{}5,5,green\n", classes())),
        ("nolabel.csv", format!("a,b\n{}", rows(&|i| format!("{i},{}\n", i * 7 % 11)))),
        ("lackb.csv", "a,y\n1,red\n2,blue\n".into()),
        ("extra.csv", "a,b,y,z\n1,2,red,4\n2,3,blue,4\n".into()),
        (
            "mixed.csv",
            format!(
                "# a comment\na,b,c,d,k,y\n{}",
                rows(&|i| {
                    let a = if i % 9 == 0 { "x".into() } else { i.to_string() };
                    let date = format!("2024-0{}-1{}", i % 9 + 1, i % 9);
                    format!("{a},\"{i},5\",{date},{},same,{}\n", i % 3, colour(i))
                })
            ),
        ),
        (
            "cat.csv",
            format!(
                "a,b,y\n{}",
                rows(&|i| format!("{},{},{}\n", ["p", "q", "r", "s"][i % 4], i % 5, colour(i)))
            ),
        ),
        (
            "cat2.csv",
            format!("a,b,y\n{}", rows(&|i| format!("{},,{}\n", ["p", "q", "z", "s"][i % 4], colour(i)))),
        ),
        ("conf.toml", "[data]\nfrom = \"good.csv\"\n[training]\nepochz = 3\n".into()),
        ("conf2.toml", "[training]\nepochs = \"x\"\n".into()),
        ("layers.toml", "[data]\nfrom=\"good.csv\"\n[training.network]\nlayers=[\"dense(3)\"]\n".into()),
    ] {
        place.write(name, text);
    }
    place.write("noise.csv", (0..=255).cycle().take(1000).collect::<Vec<u8>>());
    place.write("noise.toml", [0xff_u8, 0xfe]);
    place.write("wide.csv", classes().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    place.write("sheet.csv", [b"PK\x03\x04".to_vec(), vec![b'x'; 100]].concat());
    let latin = classes().replace("blue", "blx").into_bytes();
    place.write(
        "latin.csv",
        latin.iter().map(|&byte| if byte == b'x' { 0xe4 } else { byte }).collect::<Vec<_>>(),
    );
    for (name, line, text) in [
        ("ragged.csv", 7, "1,2"),
        ("open.csv", 5, "1,\"2,blue"),
        ("infinite.csv", 12, "inf,2,blue"),
        ("text.csv", 4, "oops,2,blue"),
    ] {
        place.write_with_line(name, line, text);
    }
    place
}

/// The first two words in a row of a line that are English, outside of names, flags, paths, specs and quotations.
fn english(line: &str) -> Option<String> {
    let mut plain = String::new();
    let mut open = None;
    for letter in line.chars() {
        match open {
            Some(mark) if mark == letter => open = None,
            Some(_) => {}
            None if matches!(letter, '`' | '"' | '\'') => {
                open = Some(letter);
                plain.push('|');
            }
            None => plain.push(letter),
        }
    }
    let is_word = |word: &str| {
        let word = word.trim_matches(['.', '?', '!']);
        word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic()) && !NAMES.contains(&word)
    };
    // What columns or marks separate is not in a row.
    let parts =
        plain.split(['|', '·', '│', ',', ':', ';', '(', ')', '[', ']']).flat_map(|part| part.split("  "));
    for part in parts {
        // A command to be typed is one.
        let part = part.split("downhill ").next().unwrap_or_default();
        let words: Vec<&str> = part.split(' ').collect();
        if let Some(pair) = words.windows(2).find(|pair| pair.iter().all(|word| is_word(word))) {
            return Some(pair.join(" "));
        }
    }
    None
}

fn lines(outcome: &Outcome) -> impl Iterator<Item = &str> {
    outcome.stdout.lines().chain(outcome.stderr.lines())
}

#[test]
fn no_line_has_an_english_sentence_left() {
    let place = place();
    let mut left = Vec::new();
    let mut korean = 0;
    for command in COMMANDS.lines().map(str::trim).filter(|command| !command.is_empty()) {
        let said = place.run(&format!("{command} --lang ko"));
        korean += usize::from(lines(&said).any(|line| line.contains(|c: char| ('가'..='힣').contains(&c))));
        for line in lines(&said) {
            if let Some(words) = english(line) {
                left.push(format!("{command}: {words:?} in {line}"));
            }
        }
    }
    assert!(left.is_empty(), "{} lines:\n{}", left.len(), left.join("\n"));
    assert!(korean > 150, "only {korean} commands spoke Korean");
    for report in ["report.html", "runs/a/report.html", "studies/s1/report.html"] {
        if place.exists(report) {
            let page = place.read(report);
            assert!(page.contains("<html lang=\"ko\">"), "{report}");
            let text = texts(&page);
            let left: Vec<String> =
                text.iter().filter_map(|text| Some(format!("{:?} in {text}", english(text)?))).collect();
            assert!(left.is_empty(), "{report}:\n{}", left.join("\n"));
        }
    }
}

/// What a page shows, but for what is shown as it is: configurations and commands.
fn texts(page: &str) -> Vec<String> {
    let body = page.split("<body>").nth(1).unwrap_or_default();
    let mut texts = Vec::new();
    for (at, part) in body.split("<pre>").enumerate() {
        let part = if at == 0 { part } else { part.split("</pre>").nth(1).unwrap_or_default() };
        texts.extend(part.split('<').filter_map(|tag| Some(tag.split_once('>')?.1.trim().to_string())));
    }
    texts.retain(|text| !text.is_empty());
    texts
}

#[test]
fn a_korean_locale_is_enough_and_a_flag_says_otherwise() {
    let place = Place::new();
    let run = |variables: &[(&str, &str)], words: &str| {
        let mut program = place.program();
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            program.env_remove(name);
        }
        let output = program.envs(variables.iter().copied()).args(words.split(' ')).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let korean = "nowhere.csv 파일이 없습니다";
    let english = "there is no file";
    for (variables, more, says) in [
        (&[][..], "", english),
        (&[("LANG", "ko_KR.UTF-8")], "", korean),
        (&[("LC_MESSAGES", "ko_KR.UTF-8"), ("LANG", "en_US.UTF-8")], "", korean),
        (&[("LC_ALL", "C.UTF-8"), ("LANG", "ko_KR.UTF-8")], "", english),
        (&[("LANG", "ko_KR.UTF-8")], " --lang en", english),
        (&[], " --lang=ko", korean),
    ] {
        let said = run(variables, &format!("train nowhere.csv{more}"));
        assert!(said.contains(says), "{variables:?}{more}: {said}");
    }
    // Arguments that cannot be read are told in the language as well.
    assert!(run(&[("LANG", "ko")], "train iris --epochs x").contains("오류: "));
    assert!(run(&[], "train iris --epochs x --lang ko").contains("오류: "));
    assert!(run(&[], "train iris --epochs x").contains("error: "));
}

#[test]
fn what_programs_read_does_not_change() {
    let place = Place::new();
    place.train("good.csv --name a").done();
    for command in [
        "train good.csv --epochs 2 --name b --overwrite",
        "evaluate a good.csv",
        "runs",
        "datasets",
        "diagnose a",
        "schedule cosine(0.1)",
        "compare good.csv --lr 0.01,0.1 --epochs 2",
        "export a a.onnx",
        "init --layers 9x3",
    ] {
        for format in ["json", "csv"] {
            let [en, ko] = ["en", "ko"]
                .map(|lang| place.run(&format!("{command} --format {format} --lang {lang}")).done());
            let plain = |outcome: &Outcome| without_seconds(&outcome.stdout);
            assert!(!ko.stdout.contains(|c: char| ('가'..='힣').contains(&c)), "{ko:?}");
            assert_eq!(plain(&en).len(), plain(&ko).len(), "{en:?}{ko:?}");
        }
    }
    let log = place.read("runs/b/events.jsonl") + &place.read("runs/b/run.toml");
    assert!(!log.contains(|c: char| ('가'..='힣').contains(&c)), "{log}");
}

/// A text without its digits, which differ from run to run where they are times.
fn without_seconds(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit() && !".e-".contains(*c)).collect()
}

#[test]
fn columns_of_tables_stand_below_each_other() {
    let place = Place::new();
    let table = place.run("datasets --lang ko").done().stdout;
    let columns = |line: &str, until: &str| -> usize {
        let before = &line[..line.find(until).unwrap_or_else(|| panic!("no {until} in {line}"))];
        before.chars().map(|c| if ('가'..='힣').contains(&c) { 2 } else { 1 }).sum()
    };
    let mut lines = table.lines();
    let head = columns(lines.next().unwrap(), "과제");
    assert!(lines.next().is_some_and(|line| columns(line, "분류") == head), "{table}");
}
