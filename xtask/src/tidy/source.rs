//! The code as tokens: paths that each file names, where, and in which crate.
//!
//! Tokens rather than a syntax tree: macro bodies count like any other code, comments and strings do not. Doc comments
//! are read from the text.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};

/// Folders with code, from the workspace's folder.
const FOLDERS: [&str; 7] = ["src", "crates", "testkit", "tests", "xtask/src", "hosttests", "viewtests"];

/// One file of code.
#[derive(Debug)]
pub(super) struct Source {
    /// Path from the workspace's folder, with `/`.
    pub(super) file: String,
    /// Crate and module of product code: `link/ipc/worker`, `stemlink/engine`; `None` in tests and tools.
    pub(super) module: Option<String>,
    /// Lines of text.
    pub(super) lines: usize,
    /// Paths that it names outside tests.
    pub(super) names: Vec<Name>,
    /// Lines with unsafe code or the permission for it, tests included.
    pub(super) unsafe_lines: Vec<usize>,
    /// Lines that convert decibels by hand, outside tests.
    pub(super) decibel_lines: Vec<usize>,
    /// First lines of doc comments, tests included, with their line.
    pub(super) doc_lines: Vec<(usize, String)>,
    /// Modules declared by this file that exist for tests only.
    test_modules: Vec<String>,
}

/// A path as the code spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) line: usize,
    pub(super) path: Vec<String>,
}

impl Source {
    /// The crate of product code.
    pub(super) fn package(&self) -> Option<&str> {
        self.module.as_ref()?.split('/').next()
    }

    /// Tells whether the file is the module `link/ipc` or lies in it.
    pub(super) fn lies_in(&self, module: &str) -> bool {
        let Some(own) = &self.module else { return false };
        own == module || own.strip_prefix(module).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Reads every file of code in the workspace at `root`.
pub(super) fn read_all(root: &Path) -> Result<Vec<Source>, String> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(root, Path::new(folder), &mut files)?;
    }
    parse_all(files)
}

/// Understands files given as path and text; those that exist for tests only name nothing.
pub(super) fn parse_all(files: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Source>, String> {
    let mut sources =
        files.into_iter().map(|(file, text)| parse(file, &text)).collect::<Result<Vec<Source>, String>>()?;
    let tests: BTreeSet<String> = sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in &mut sources {
        if tests.iter().any(|module| source.lies_in(module)) {
            source.names.clear();
            source.decibel_lines.clear();
        }
    }
    Ok(sources)
}

/// Adds the Rust files below `folder`, sorted, build folders left out.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return Ok(()) };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let path = folder.join(&name);
        if root.join(&path).is_dir() {
            if name != "target" {
                collect(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.to_string_lossy().replace('\\', "/");
            let text =
                std::fs::read_to_string(root.join(&path)).map_err(|error| format!("{file}: {error}"))?;
            files.push((file, text));
        }
    }
    Ok(())
}

fn parse(file: String, text: &str) -> Result<Source, String> {
    let tokens = TokenStream::from_str(text).map_err(|error| format!("{file}: {error}"))?;
    let module = module_of(&file);
    let mut source = Source {
        lines: text.lines().count(),
        names: Vec::new(),
        unsafe_lines: Vec::new(),
        decibel_lines: Vec::new(),
        doc_lines: doc_lines(text),
        test_modules: Vec::new(),
        file,
        module: module.clone(),
    };
    find_unsafe(tokens.clone(), &mut source.unsafe_lines);
    Walk { source: &mut source, module: module.unwrap_or_default() }.tokens(tokens);
    Ok(source)
}

/// Crate and module of a product file; the root package is `stemlink`.
fn module_of(file: &str) -> Option<String> {
    let (package, path) = match file.strip_prefix("crates/") {
        Some(rest) => rest.split_once("/src/")?,
        None => ("stemlink", file.strip_prefix("src/")?),
    };
    let path = path.strip_suffix(".rs")?;
    Some(if matches!(path, "lib" | "main") { package.to_owned() } else { format!("{package}/{path}") })
}

/// First line of every doc comment, with its line number.
fn doc_lines(text: &str) -> Vec<(usize, String)> {
    let mark = |line: &str| {
        let line = line.trim_start();
        let kind = ["///", "//!"].into_iter().find(|kind| line.starts_with(kind))?;
        let rest = line.strip_prefix(kind).filter(|rest| !rest.starts_with('/'))?;
        Some((kind, rest.trim().to_owned()))
    };
    let mut before = None;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let now = mark(line);
        if let Some((kind, rest)) = &now
            && before != Some(*kind)
        {
            found.push((number, rest.clone()));
        }
        before = now.map(|(kind, _)| kind);
    }
    found
}

/// The keyword, and lint attributes that would permit it.
fn find_unsafe(tokens: TokenStream, lines: &mut Vec<usize>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == "unsafe" || word == "unsafe_code" => lines.push(line(&word)),
            TokenTree::Group(group) => find_unsafe(group.stream(), lines),
            _ => {}
        }
    }
}

fn line(word: &Ident) -> usize {
    word.span().start().line
}

/// A walk over the tokens of one file that knows which module it is in.
struct Walk<'a> {
    source: &'a mut Source,
    module: String,
}

impl Walk<'_> {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(mark) if mark.as_char() == '#' => match attribute(&tokens, at) {
                    Some(Attribute { tests: true, inner: true, .. }) => {
                        // the whole file or module is for tests
                        self.source.test_modules.push(self.module.clone());
                        return;
                    }
                    Some(Attribute { tests: true, end, .. }) => self.skip_item(&tokens, end),
                    Some(Attribute { end, .. }) => {
                        self.tokens(tokens[end - 1].clone().into());
                        end
                    }
                    None => at + 1,
                },
                TokenTree::Ident(word) if word == "mod" => self.inline_module(&tokens, at),
                TokenTree::Ident(_) => self.path(&tokens, at, &[]),
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// `mod name { ... }` is walked as that module.
    fn inline_module(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        if let [_, TokenTree::Ident(name), TokenTree::Group(body), ..] = &tokens[at..] {
            let outer = self.module.clone();
            self.module = format!("{outer}/{name}");
            self.tokens(body.stream());
            self.module = outer;
            return at + 3;
        }
        at + 1
    }

    /// Steps over an item that exists for tests only; a module in its own file is remembered.
    fn skip_item(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if word == "mod" => {
                    if let [_, TokenTree::Ident(name), ..] = &tokens[at..] {
                        self.source.test_modules.push(format!("{}/{name}", self.module));
                    }
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' => return at + 1,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at + 1,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// Reads `a::b::{c, d::e}` from `at` on, after the segments of `prefix`; returns where it ends.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize, prefix: &[String]) -> usize {
        let mut path = prefix.to_vec();
        let mut first = None;
        while let Some(TokenTree::Ident(word)) = tokens.get(at) {
            self.decibels(tokens, at);
            first.get_or_insert_with(|| line(word));
            if word != "self" || path.is_empty() {
                path.push(word.to_string());
            }
            at += 1;
            if !double_colon(tokens, at) {
                break;
            }
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(_)) => at += 2,
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branches(group.stream(), &path);
                    return at + 3;
                }
                _ => break,
            }
        }
        if let Some(line) = first {
            self.source.names.push(Name { line, path });
        }
        at
    }

    /// Each branch of `{c, d::e}` after `prefix`.
    fn branches(&mut self, tokens: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
        for branch in tokens.split(comma) {
            match branch {
                // all of the prefix
                [TokenTree::Punct(star), ..] => {
                    self.source.names.push(Name { line: star.span().start().line, path: prefix.to_vec() });
                }
                _ => _ = self.path(branch, 0, prefix),
            }
        }
    }

    /// Notes `10f64.powf(..)`, `f64::powf(10.0, ..)`, `.log10()` and the constants that replace it.
    fn decibels(&mut self, tokens: &[TokenTree], at: usize) {
        let TokenTree::Ident(word) = &tokens[at] else { return };
        let by_hand = match word.to_string().as_str() {
            "log10" | "LN_10" | "LOG10_E" | "LOG10_2" | "LOG2_10" => true,
            "powf" => {
                let base = at.checked_sub(2).and_then(|before| tokens.get(before));
                let argument = match tokens.get(at + 1) {
                    Some(TokenTree::Group(group)) => group.stream().into_iter().next(),
                    _ => None,
                };
                // behind `::` the base is the first argument, behind `.` it stands before
                let called = at >= 2 && double_colon(tokens, at - 2);
                let base = if called { argument } else { base.cloned() };
                base.is_some_and(|base| is_ten(&base))
            }
            _ => false,
        };
        if by_hand {
            self.source.decibel_lines.push(line(word));
        }
    }
}

fn double_colon(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    colon(tokens.get(at)) && colon(tokens.get(at + 1))
}

/// A literal 10 of any type, or one in parentheses.
fn is_ten(token: &TokenTree) -> bool {
    let ten = |literal: &Literal| {
        let text = literal.to_string().replace('_', "");
        let digits = text.trim_end_matches("f64").trim_end_matches("f32");
        digits.parse::<f64>().is_ok_and(|value| value == 10.0)
    };
    match token {
        TokenTree::Literal(literal) => ten(literal),
        TokenTree::Group(group) => {
            let mut inner = group.stream().into_iter();
            matches!((inner.next(), inner.next()), (Some(TokenTree::Literal(literal)), None) if ten(&literal))
        }
        _ => false,
    }
}

/// `#[...]` or `#![...]`.
struct Attribute {
    /// `cfg(test)`, alone or among others with `all`.
    tests: bool,
    inner: bool,
    /// The token after it.
    end: usize,
}

fn attribute(tokens: &[TokenTree], at: usize) -> Option<Attribute> {
    let inner = matches!(tokens.get(at + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
    let body = at + 1 + usize::from(inner);
    let Some(TokenTree::Group(group)) = tokens.get(body) else { return None };
    let text: String = group.stream().to_string().split_whitespace().collect();
    let tests = text == "cfg(test)" || text.starts_with("cfg(all(test,");
    Some(Attribute { tests, inner, end: body + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(file: &str, text: &str) -> Source {
        parse_all([(file.to_owned(), text.to_owned())]).expect("the text parses").remove(0)
    }

    fn names(text: &str) -> Vec<String> {
        let source = one("src/engine.rs", text);
        source.names.iter().map(|name| name.path.join("::")).filter(|name| name.contains("::")).collect()
    }

    #[test]
    fn files_know_their_crate_and_module() {
        assert_eq!(module_of("src/lib.rs").as_deref(), Some("stemlink"));
        assert_eq!(module_of("src/analysis/worker.rs").as_deref(), Some("stemlink/analysis/worker"));
        assert_eq!(module_of("crates/dsp/src/lib.rs").as_deref(), Some("dsp"));
        assert_eq!(module_of("crates/stems/src/main.rs").as_deref(), Some("stems"));
        assert_eq!(module_of("crates/link/src/ipc/worker.rs").as_deref(), Some("link/ipc/worker"));
        assert_eq!(module_of("crates/link/tests/link.rs"), None);
        assert_eq!(module_of("tests/docs.rs"), None);
    }

    #[test]
    fn groups_globs_and_renames_are_followed() {
        assert_eq!(
            names("use std::{fs::{self, File as F}, io::*};"),
            ["std::fs", "std::fs::File", "std::io"]
        );
    }

    #[test]
    fn macros_count_and_comments_and_strings_do_not() {
        let text = "/// crate::a::A\n// crate::b\nfn f() { m!(c::C, \"crate::d\"); } /* crate::e */";
        assert!(
            names(text).contains(&"c::C".to_owned())
                && !names(text).iter().any(|name| name.contains("crate"))
        );
    }

    #[test]
    fn tests_do_not_count_wherever_they_live() {
        let inline = "#[cfg(test)]\nmod tests { use std::fs; }\nuse std::io::Write;";
        assert_eq!(names(inline), ["std::io::Write"]);
        let own_file = parse_all([
            ("crates/dsp/src/lib.rs".to_owned(), "#[cfg(test)]\nmod sweeps;".to_owned()),
            ("crates/dsp/src/sweeps.rs".to_owned(), "use std::fs;".to_owned()),
        ])
        .expect("both parse");
        assert!(own_file[1].names.is_empty());
    }

    #[test]
    fn only_the_first_line_of_a_doc_comment_is_taken() {
        let text = "//! A module.\n//! More.\n\n/// First.\n/// Second.\nfn f() {}\n//// none\n";
        assert_eq!(doc_lines(text), [(1, "A module.".to_owned()), (4, "First.".to_owned())]);
    }
}
