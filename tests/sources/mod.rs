//! The project's files, and what the rules read off a Rust source without a compiler.
//!
//! Comments and literals are cut away; what is left are names, and names joined by `::` are paths. That sees every
//! import and every path written out. It does not see through macros and glob imports, and the rules do not need it to.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::fs;
use std::iter::Peekable;
use std::path::Path;
use std::process::Command;
use std::str::Chars;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files of the project: what git tracks or would, else all but what is built.
pub(crate) fn tracked() -> Vec<String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let mut files = match Command::new("git").args(list).current_dir(ROOT).output() {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8(output.stdout).unwrap();
            names.split('\0').filter(|name| Path::new(ROOT).join(name).is_file()).map(str::to_owned).collect()
        }
        Ok(_) | Err(_) => Vec::new(),
    };
    if files.is_empty() {
        walk(Path::new(ROOT), &mut files);
    }
    files.sort();
    files.dedup();
    files
}

fn walk(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(ROOT).unwrap().to_str().unwrap();
        match path.is_dir() {
            true if [".git", "target"].contains(&name) || name.ends_with("/node_modules") => {}
            true => walk(&path, files),
            false => files.push(name.to_owned()),
        }
    }
}

pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The sources of the product.
pub(crate) fn sources() -> Vec<Source> {
    let files = tracked().into_iter().filter(|file| file.starts_with("src/") && file.ends_with(".rs"));
    files.map(|file| Source { words: words(&read(&file)), file }).collect()
}

/// One file of `src/`, without comments and literals.
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) words: Vec<Word>,
}

/// A name or number, `::`, or one other character.
pub(crate) struct Word {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Source {
    /// `src/db/log.rs` is `db::log`, `src/db/mod.rs` is `db`.
    pub(crate) fn module(&self) -> Vec<String> {
        let inside = self.file.trim_start_matches("src/").trim_end_matches(".rs");
        inside.split('/').filter(|part| *part != "mod").map(str::to_owned).collect()
    }

    pub(crate) fn top(&self) -> &str {
        self.file.trim_start_matches("src/").trim_end_matches(".rs").split('/').next().unwrap()
    }

    pub(crate) fn places<'a>(&'a self, words: &'a [&str]) -> impl Iterator<Item = (String, &'a str)> {
        let found = self.words.iter().filter(|word| words.contains(&word.text.as_str()));
        found.map(|word| (format!("{}:{}", self.file, word.line), word.text.as_str()))
    }

    /// Every path of more than one name, imports unfolded; those into this crate from its root.
    pub(crate) fn paths(&self) -> Vec<(usize, Vec<String>)> {
        let mut module = self.module();
        // Where each inline module that is open began: how many braces were open.
        let mut inline: Vec<usize> = Vec::new();
        let mut open = 0;
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.words.len() {
            match self.text(at) {
                "{" => {
                    if at >= 2 && self.text(at - 2) == "mod" {
                        module.push(self.text(at - 1).to_owned());
                        inline.push(open);
                    }
                    open += 1;
                }
                "}" => {
                    open -= 1;
                    if inline.last() == Some(&open) {
                        inline.pop();
                        module.pop();
                    }
                }
                text if is_name(text) && self.text(at + 1) == "::" => {
                    let line = self.words[at].line;
                    let mut paths = Vec::new();
                    self.unfold(&mut at, &[], &mut paths);
                    found.extend(paths.into_iter().map(|path| (line, absolute(path, &module))));
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    /// Reads one path, or one branch of a `use`, from `at` and leaves `at` behind it.
    fn unfold(&self, at: &mut usize, before: &[String], found: &mut Vec<Vec<String>>) {
        let mut path = before.to_vec();
        loop {
            match self.text(*at) {
                "{" => {
                    *at += 1;
                    while self.text(*at) != "}" {
                        match self.text(*at) {
                            "," => *at += 1,
                            _ => self.unfold(at, &path, found),
                        }
                    }
                    *at += 1;
                    return;
                }
                // `{self}` is the module itself.
                "self" if !path.is_empty() => *at += 1,
                text if is_name(text) || text == "*" => {
                    path.push(text.to_owned());
                    *at += 1;
                }
                // A generic argument: the path is known well enough.
                _ => break,
            }
            if self.text(*at) != "::" {
                break;
            }
            *at += 1;
        }
        if self.text(*at) == "as" {
            *at += 2;
        }
        found.push(path);
    }

    fn text(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| &word.text)
    }
}

/// The same path from the root of the crate, if it goes into the crate.
fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let inside = match path[0].as_str() {
        "super" => &module[..module.len() - ups],
        "self" => module,
        "qantara" => &[],
        _ => return path,
    };
    let rest = path.iter().skip(ups.max(1)).cloned();
    std::iter::once("crate".to_owned()).chain(inside.iter().cloned()).chain(rest).collect()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Cuts a file into words and leaves out comments and what stands in quotes.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut reader = Reader { rest: text.chars().peekable(), line: 1 };
    let mut words = Vec::new();
    while let Some(first) = reader.next() {
        let line = reader.line;
        match first {
            '/' if reader.peek() == Some('/') => while reader.next_if(|c| c != '\n').is_some() {},
            '/' if reader.peek() == Some('*') => reader.skip_comment(),
            '"' => reader.skip_text(),
            '\'' => reader.skip_letter(),
            ':' if reader.next_if(|c| c == ':').is_some() => words.push(Word { line, text: "::".to_owned() }),
            _ if first.is_alphanumeric() || first == '_' => {
                let mut text = String::from(first);
                while let Some(more) = reader.next_if(|c| c.is_alphanumeric() || c == '_') {
                    text.push(more);
                }
                if matches!(text.as_str(), "r" | "br" | "cr") && matches!(reader.peek(), Some('"' | '#')) {
                    reader.skip_raw_text();
                } else {
                    words.push(Word { line, text });
                }
            }
            _ if first.is_whitespace() => {}
            _ => words.push(Word { line, text: first.to_string() }),
        }
    }
    words
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        if self.peek().is_some_and(wanted) { self.next() } else { None }
    }

    fn skip_text(&mut self) {
        while let Some(next) = self.next() {
            match next {
                '"' => return,
                '\\' => _ = self.next(),
                _ => {}
            }
        }
    }

    /// After the `r` of `r#"…"#`.
    fn skip_raw_text(&mut self) {
        let mut marks = 0;
        while self.next_if(|c| c == '#').is_some() {
            marks += 1;
        }
        if self.next_if(|c| c == '"').is_none() {
            return;
        }
        while let Some(next) = self.next() {
            if next == '"' && (0..marks).all(|_| self.next_if(|c| c == '#').is_some()) {
                return;
            }
        }
    }

    /// A character in quotes, or the quote before the name of a lifetime.
    fn skip_letter(&mut self) {
        let Some(letter) = self.next() else { return };
        if letter == '\\' {
            self.next();
            while self.next_if(|c| c != '\'').is_some() {}
            self.next();
        } else if self.next_if(|c| c == '\'').is_none() {
            while self.next_if(|c| c.is_alphanumeric() || c == '_').is_some() {}
        }
    }

    fn skip_comment(&mut self) {
        self.next();
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some('*') if self.next_if(|c| c == '/').is_some() => depth -= 1,
                Some('/') if self.next_if(|c| c == '*').is_some() => depth += 1,
                Some(_) => {}
                None => return,
            }
        }
    }
}
