//! What may be in the executable, as `.deny.toml` says: crates, licences, origins.
//!
//! The same file is read by cargo-deny. This needs nothing but cargo, so that no build leaves the policy out. It does
//! not know of security advisories: those need the network, and `cargo deny check advisories`.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the graph has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[derive(Deserialize)]
struct Policy {
    bans: Bans,
    licenses: Licenses,
    sources: Sources,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// The crate itself may be used, in one version.
    #[serde(default)]
    deny_multiple_versions: bool,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    /// None for the product itself.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

#[test]
fn no_banned_crate_is_used() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in graph() {
        versions.entry(package.name).or_default().push(package.version);
    }
    none(policy().bans.deny.iter().filter_map(|ban| {
        let used = versions.get(&ban.name)?;
        let allowed = if ban.deny_multiple_versions { 1 } else { 0 };
        (used.len() > allowed).then(|| format!("{} {}: {}", ban.name, used.join(", "), ban.reason))
    }));
}

#[test]
fn every_licence_is_allowed() {
    let allowed = policy().licenses.allow;
    none(graph().iter().filter(|package| package.source.is_some()).filter_map(|package| {
        let Some(license) = &package.license else { return Some(format!("{}: no licence", package.name)) };
        (!permits(license, &allowed)).then(|| format!("{}: {license}", package.name))
    }));
}

#[test]
fn every_crate_comes_from_the_registry() {
    let allowed: Vec<String> = policy().sources.allow_registry.iter().map(|url| format!("registry+{url}")).collect();
    let graph = graph();
    none(graph.iter().filter_map(|package| match &package.source {
        Some(source) => (!allowed.contains(source)).then(|| format!("{}: {source}", package.name)),
        None => (package.name != env!("CARGO_PKG_NAME")).then(|| format!("{}: from a folder", package.name)),
    }));
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT", "ISC", "Zlib"].map(str::to_owned).into();
    let cases = [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only/MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("MIT OR GPL-3.0-only AND ISC", true),
        ("(MIT OR GPL-3.0-only) AND (ISC AND Zlib)", true),
        ("(MIT OR ISC) AND GPL-3.0-only", false),
        ("MIT WITH LLVM-exception", false),
    ];
    none(
        cases
            .iter()
            .filter(|(license, fits)| permits(license, &allowed) != *fits)
            .map(|(license, _)| license.to_string()),
    );
}

/// Whether an SPDX expression can be met with these licences. `AND` binds tighter than `OR`; the slash is how `OR` was
/// once written; an exception is a licence of its own.
fn permits(license: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = license.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "-WITH-");
    let mut words = spaced.split_whitespace().peekable();
    return any(&mut words, allowed);

    type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

    fn any(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
        let mut fits = all(words, allowed);
        while words.next_if_eq(&"OR").is_some() {
            fits |= all(words, allowed);
        }
        fits
    }

    fn all(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
        let mut fits = one(words, allowed);
        while words.next_if_eq(&"AND").is_some() {
            fits &= one(words, allowed);
        }
        fits
    }

    fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
        match words.next() {
            Some("(") => {
                let fits = any(words, allowed);
                words.next_if_eq(&")").is_some() && fits
            }
            Some(license) => allowed.contains(license),
            None => false,
        }
    }
}

/// The crates that the product and its tests are built from on this machine.
fn graph() -> Vec<Package> {
    let arguments = ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform=host-tuple"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    let used: BTreeSet<String> = metadata.resolve.nodes.into_iter().map(|node| node.id).collect();
    metadata.packages.into_iter().filter(|package| used.contains(&package.id)).collect()
}

fn policy() -> Policy {
    toml::from_str(&fs::read_to_string(Path::new(ROOT).join(".deny.toml")).unwrap()).unwrap()
}

/// Fails with all faults, one per line.
fn none(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
