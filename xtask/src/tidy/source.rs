//! The code as tokens: what each file names, where, and in which module.
//!
//! Tokens rather than a syntax tree: macro bodies count like any other code, comments and strings do not.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};

/// Folders with code, from the workspace's folder.
const FOLDERS: [&str; 8] =
    ["src", "tests", "benches", "examples", "xtask/src", "hosttests", "fuzz", "viewtests"];

/// The library's name in the paths of its tools and tests.
const LIBRARY: &str = "stemlink";

/// One file of code.
#[derive(Debug)]
pub(super) struct Source {
    /// Path from the workspace's folder, with `/`.
    pub(super) file: String,
    /// Where it hangs in the tree: `["dsp", "trim"]`, `["bin/stems", "main"]`; `None` outside `src`.
    pub(super) module: Option<Vec<String>>,
    /// Lines of text.
    pub(super) lines: usize,
    /// What it names outside tests.
    pub(super) names: Vec<Name>,
    /// Lines with unsafe code or the permission for it, tests included.
    pub(super) unsafe_lines: Vec<usize>,
    /// Lines that convert decibels by hand, outside tests.
    pub(super) decibel_lines: Vec<usize>,
    /// Modules of this file that exist for tests only, as full paths.
    test_modules: Vec<Vec<String>>,
}

/// A path as the code spells it, resolved to the crate's root if it is one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) line: usize,
    /// The segments; for our own modules without `crate`.
    pub(super) path: Vec<String>,
    /// Whether the path leads into this crate.
    pub(super) ours: bool,
}

impl Source {
    /// The top module: `dsp`, `bin/stems`; `None` for the crate's root and outside `src`.
    pub(super) fn top(&self) -> Option<&str> {
        self.module.as_ref()?.first().map(String::as_str)
    }

    /// Whether the file is the module `link/bridge` or lies in it.
    pub(super) fn lies_in(&self, module: &str) -> bool {
        let Some(own) = &self.module else { return false };
        let own = own.join("/");
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
    let tests: BTreeSet<Vec<String>> =
        sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in &mut sources {
        let Some(module) = &source.module else { continue };
        if (1..=module.len()).any(|length| tests.contains(&module[..length])) {
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
        test_modules: Vec::new(),
        file,
        module: module.clone(),
    };
    find_unsafe(tokens.clone(), &mut source.unsafe_lines);
    Walk { source: &mut source, module: module.unwrap_or_default() }.tokens(tokens);
    Ok(source)
}

/// The module a file of `src` holds.
fn module_of(file: &str) -> Option<Vec<String>> {
    let path = file.strip_prefix("src/")?.strip_suffix(".rs")?;
    if path == "lib" {
        return Some(Vec::new());
    }
    let (mut module, rest) = match path.strip_prefix("bin/") {
        Some(rest) => {
            let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
            (vec![format!("bin/{name}")], rest)
        }
        None => (Vec::new(), path),
    };
    module.extend(rest.split('/').filter(|part| !matches!(*part, "" | "main" | "mod")).map(str::to_owned));
    Some(module)
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
    module: Vec<String>,
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
            self.module.push(name.to_string());
            self.tokens(body.stream());
            self.module.pop();
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
                        let path = self.module.iter().cloned().chain([name.to_string()]).collect();
                        self.source.test_modules.push(path);
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
            self.name(path, line);
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
                [TokenTree::Punct(star), ..] => self.name(prefix.to_vec(), star.span().start().line),
                _ => _ = self.path(branch, 0, prefix),
            }
        }
    }

    /// Notes a path, resolved.
    fn name(&mut self, path: Vec<String>, line: usize) {
        let root = || match self.module.first() {
            Some(top) if top.starts_with("bin/") => vec![top.clone()],
            _ => Vec::new(),
        };
        let mut base = match path[0].as_str() {
            "crate" => root(),
            "self" | "super" if path.len() > 1 => self.module.clone(),
            LIBRARY => Vec::new(),
            _ => {
                self.source.names.push(Name { line, path, ours: false });
                return;
            }
        };
        for segment in path.into_iter().skip_while(|segment| segment == "crate" || segment == LIBRARY) {
            match segment.as_str() {
                "self" => {}
                "super" => {
                    base.pop();
                }
                _ => base.push(segment),
            }
        }
        self.source.names.push(Name { line, path: base, ours: true });
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

    fn names(file: &str, text: &str) -> Vec<String> {
        let sources = parse_all([(file.to_owned(), text.to_owned())]).expect("the text parses");
        sources[0].names.iter().filter(|name| name.ours).map(|name| name.path.join("::")).collect()
    }

    #[test]
    fn files_know_their_module() {
        assert_eq!(module_of("src/lib.rs"), Some(vec![]));
        assert_eq!(module_of("src/dsp/trim.rs"), Some(vec!["dsp".to_owned(), "trim".to_owned()]));
        assert_eq!(module_of("src/bin/stems/main.rs"), Some(vec!["bin/stems".to_owned()]));
        assert_eq!(
            module_of("src/bin/stems/check.rs"),
            Some(vec!["bin/stems".to_owned(), "check".to_owned()])
        );
        assert_eq!(module_of("tests/core.rs"), None);
    }

    #[test]
    fn groups_globs_and_renames_are_followed() {
        let text = "use crate::{dsp::{self, Block as B}, units::*, meter::{*}};";
        assert_eq!(names("src/chain.rs", text), ["dsp", "dsp::Block", "units", "meter"]);
    }

    #[test]
    fn relative_paths_are_resolved_through_inline_modules() {
        let text = "mod inner { fn f() { super::super::units::linear(0.0); } }";
        assert_eq!(names("src/dsp.rs", text), ["units::linear"]);
        assert_eq!(names("src/dsp/trim.rs", "use super::super::meter::Meter;"), ["meter::Meter"]);
    }

    #[test]
    fn macros_count_and_comments_and_strings_do_not() {
        let text = "/// crate::a::A\n// crate::b\nfn f() { m!(crate::c::C, \"crate::d\"); } /* crate::e */";
        assert_eq!(names("src/dsp.rs", text), ["c::C"]);
    }

    #[test]
    fn tests_do_not_count_wherever_they_live() {
        let inline = "#[cfg(test)]\nmod tests { use crate::session::Gram; }\nuse crate::units::Db;";
        assert_eq!(names("src/dsp.rs", inline), ["units::Db"]);
        let own_file = parse_all([
            ("src/dsp.rs".to_owned(), "#[cfg(test)]\npub(crate) mod contract;".to_owned()),
            ("src/dsp/contract.rs".to_owned(), "use crate::session::Gram;".to_owned()),
        ])
        .expect("both parse");
        assert!(own_file[1].names.is_empty());
    }
}
