//! The first screen of the README is what the program prints, and the picture is there.

use std::fs;
use std::path::Path;

/// A picture that loads at once.
const LARGEST_PICTURE: u64 = 200 * 1024;

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let output = assert_cmd::Command::cargo_bin("qantara").unwrap().args(["demo", "--once"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(
        shown == printed,
        "README.md is stale: its first ```text block must be the output of `qantara demo --once`, which is\n{printed}"
    );
    let widest = printed.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 110, "a line of {widest} characters does not fit");
}

#[test]
fn the_picture_is_there_and_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let picture =
        readme.split("](").filter_map(|rest| rest.split(')').next()).find(|file| file.ends_with(".png")).unwrap();
    let size = fs::metadata(root.join(picture)).unwrap().len();
    assert!(size <= LARGEST_PICTURE, "{picture} has {size} bytes");
}
