//! The program in the README is the one that is compiled and run as an example.

#[test]
fn the_readme_shows_the_example() {
    let example = include_str!("../examples/breast_cancer.rs");
    let program = &example[example.find("use downhill").unwrap()..];
    assert!(
        include_str!("../../../README.md").contains(program),
        "README.md and examples/breast_cancer.rs differ"
    );
}
