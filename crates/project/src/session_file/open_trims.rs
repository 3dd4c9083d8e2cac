//! A session file whose trims are open, for a page that fills them in.

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::read::stems_listed;
use super::schema::SCHEMA;
use crate::bundle::Bundle;
use crate::setting_fault::SettingFault;
use units::Db;

/// The text of a session file in pieces: after each but the last belongs the trim of a stem, a number.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenTrims {
    /// The text, comments included; one piece more than there are stems.
    pub pieces: Vec<String>,
    /// The stem after each piece but the last, as its index in the bundle.
    pub order: Vec<usize>,
    /// The trims that the file has, in the bundle's order.
    pub trims: Vec<Db>,
}

/// Marks the place of a trim until the text is cut. No text field of a session file can hold it: it is a TOML date.
const MARK: &str = "0001-01-01T00:00:00.1234567";

impl OpenTrims {
    /// Cuts the text of a session file of `bundle`.
    ///
    /// # Errors
    /// If the file is none.
    pub fn of_text(text: &str, bundle: &Bundle) -> Result<Self, SettingFault> {
        let listed = stems_listed(text, bundle)?;
        let broken = || SettingFault::new("is not read", "write a new one with stems init");
        let mut document: DocumentMut = text.parse().map_err(|_| broken())?;
        let mark = || MARK.parse::<toml_edit::Datetime>().map(value).map_err(|_| broken());
        let mut trims = vec![Db(0.0); bundle.stems.len()];
        let mut order = Vec::new();
        let mut take = |table: &mut dyn TableLike, stem: usize| -> Result<(), SettingFault> {
            let trim =
                table.get("trim").and_then(|trim| trim.as_float().or(trim.as_integer().map(|n| n as f64)));
            trims[stem] = Db(trim.unwrap_or(0.0));
            // an entry keeps its comment
            match table.get_mut("trim") {
                Some(old) => {
                    let decor = old.as_value().map(|value| value.decor().clone());
                    *old = mark()?;
                    if let (Some(new), Some(decor)) = (old.as_value_mut(), decor) {
                        *new.decor_mut() = decor;
                    }
                }
                None => drop(table.insert("trim", mark()?)),
            }
            order.push(stem);
            Ok(())
        };
        match document.get_mut("stems") {
            Some(Item::ArrayOfTables(tables)) => {
                tables.iter_mut().zip(&listed).try_for_each(|(table, &stem)| take(table, stem))?;
            }
            Some(item) => {
                let tables = item.as_array_mut().ok_or_else(broken)?.iter_mut();
                for (table, &stem) in tables.zip(&listed) {
                    take(table.as_inline_table_mut().ok_or_else(broken)?, stem)?;
                }
            }
            None => {}
        }
        // stems that the file does not list, each a table of its own
        for (stem, file) in bundle.stems.iter().enumerate().filter(|(stem, _)| !listed.contains(stem)) {
            let mut table = Table::new();
            let name = file.path.file_name().unwrap_or(file.path.as_os_str()).to_string_lossy();
            table.insert("file", value(name.into_owned()));
            take(&mut table, stem)?;
            let tables = document.entry("stems").or_insert(Item::ArrayOfTables(Default::default()));
            match tables {
                Item::ArrayOfTables(tables) => tables.push(table),
                other => other.as_array_mut().ok_or_else(broken)?.push(table.into_inline_table()),
            }
        }
        let pieces: Vec<String> = document.to_string().split(MARK).map(String::from).collect();
        debug_assert_eq!(pieces.len(), order.len() + 1);
        Ok(Self { pieces, order, trims })
    }

    /// Cuts a new, neutral session file of `bundle`, with that comment at its top.
    ///
    /// # Errors
    /// None that is known; see [`Self::of_text`].
    pub fn new(bundle: &Bundle, comment: &str) -> Result<Self, SettingFault> {
        Self::of_text(&format!("# {comment}\nschema = \"{SCHEMA}\"\n"), bundle)
    }

    /// The text with these trims, in the bundle's order.
    pub fn text(&self, trims: &[Db]) -> String {
        let mut text = String::new();
        for (piece, stem) in self.pieces.iter().zip(&self.order) {
            text += piece;
            text += &format!("{:?}", trims[*stem].0);
        }
        text + self.pieces.last().map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::tests::{bundle, read};
    use super::*;
    use std::path::Path;

    fn levels(text: &str) -> Vec<f64> {
        read(text).expect("reads").stems.iter().map(|stem| stem.chain.level.0).collect()
    }

    #[test]
    fn trims_are_filled_in_and_everything_else_stays_as_it_was() {
        let bundle = bundle(Path::new("/x"));
        for text in [
            "schema = \"stemlink.session/1\" # mine\n",
            "schema = \"stemlink.session/1\"\n# a comment\n[[stems]]\nname = \"drums\"\n\n[stems.chain]\nlevel = 1\n",
            "schema = \"stemlink.session/1\"\nstems = [{ name = \"drums\", trim = 2 }]\n",
            "schema = \"stemlink.session/1\"\n[[stems]]\ntrim = -1.5 # why\nfile = \"02_B\u{e4}ss \\\"x\\\".wav\"\n[[stems]]\nname = \"Drums\"\n[adm]\naim = -20\n",
        ] {
            let open = OpenTrims::of_text(text, &bundle).expect("reads");
            assert_eq!(levels(&open.text(&open.trims)), levels(text), "{text}");
            let asked = [Db(open.trims[0].0 + 3.25), Db(open.trims[1].0 - 0.125)];
            let moved = open.text(&asked);
            let expected: Vec<f64> = levels(text).iter().zip([3.25, -0.125]).map(|(l, m)| l + m).collect();
            assert_eq!(levels(&moved), expected, "{moved}");
            for line in text.lines().filter(|line| !line.contains("trim") && !line.contains("stems =")) {
                assert!(moved.lines().any(|other| other == line), "{line}: {moved}");
            }
        }
        let open = OpenTrims::new(&bundle, "asked").expect("reads");
        assert_eq!(levels(&open.text(&[Db(-1.0), Db(2.0)])), [-1.0, 2.0]);
    }
}
