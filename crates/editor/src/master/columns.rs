//! The columns of the stem table, by how wide it is.

use egui::Rangef;

/// A column beside the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// AuditionEffect it otherwise.
    Hear,
    /// Short-term loudness.
    Short,
    /// Integrated loudness.
    Integrated,
    /// True peak.
    Peak,
    /// Gain reduction.
    Reduction,
    /// Loudness share.
    Share,
    /// What its chain costs.
    Cost,
    /// Trim.
    Trim,
    /// Ghost fader.
    Ghost,
}

/// How many there are.
const COLUMNS: usize = 9;
/// Left to right, with the least width of each.
const LEAST: [(Column, f32); COLUMNS] = [
    (Column::Hear, super::hear::WIDTH),
    (Column::Short, 46.0),
    (Column::Integrated, 46.0),
    (Column::Peak, 42.0),
    (Column::Reduction, 34.0),
    (Column::Share, 64.0),
    (Column::Cost, 46.0),
    (Column::Trim, 44.0),
    (Column::Ghost, 128.0),
];
/// What goes first where there is no room for all: tooltip and menu of a name have it all.
const SPARE: [Column; 4] = [Column::Cost, Column::Reduction, Column::Peak, Column::Hear];
/// Between columns.
const GAP: f32 = 10.0;
/// The least that names have.
const NAMES: f32 = 80.0;

/// Where columns are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Columns {
    /// Names.
    pub(super) names: Rangef,
    cells: [Option<Rangef>; COLUMNS],
}

impl Columns {
    /// The columns that fit between `left` and `right`.
    pub(super) fn of(left: f32, right: f32) -> Self {
        let mut there = [true; COLUMNS];
        let needs = |there: &[bool; COLUMNS]| {
            let cells = LEAST.iter().zip(there).filter(|(_, there)| **there);
            cells.map(|((_, width), _)| width + GAP).sum::<f32>() + NAMES
        };
        for spare in SPARE {
            if needs(&there) > right - left {
                there[spare as usize] = false;
            }
        }
        // what is left over goes to what reads better for it
        let rest = (right - left - needs(&there)).max(0.0);
        let more = |column: Column| match column {
            Column::Short => (rest * 0.14).min(96.0),
            Column::Share => (rest * 0.22).min(200.0),
            Column::Ghost => (rest * 0.4).min(300.0),
            Column::Cost | Column::Trim | Column::Reduction => (rest * 0.03).min(28.0),
            _ => 0.0,
        };
        let mut cells = [None; COLUMNS];
        let mut x = right;
        for (index, (column, width)) in LEAST.into_iter().enumerate().rev() {
            if there[index] {
                let width = (width + more(column)).floor();
                cells[index] = Some(Rangef::new(x - width, x));
                x -= width + GAP;
            }
        }
        Self { names: Rangef::new(left, x), cells }
    }

    /// Where a column is, if there is room for it.
    pub(super) fn get(&self, column: Column) -> Option<Rangef> {
        self.cells[column as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_beside_each_other_and_the_important_ones_always() {
        for width in 512..1600 {
            let columns = Columns::of(20.0, 20.0 + width as f32);
            let mut end = columns.names.max;
            assert!(columns.names.span() >= NAMES - 1.0, "{width}: {:?}", columns.names);
            for (column, _) in LEAST {
                if let Some(cell) = columns.get(column) {
                    assert!(cell.min >= end + GAP - 0.1, "{width}: {column:?}");
                    assert!(cell.max <= 20.0 + width as f32 + 0.1, "{width}: {column:?}");
                    end = cell.max;
                }
            }
            for column in [Column::Short, Column::Integrated, Column::Share, Column::Trim, Column::Ghost] {
                assert!(columns.get(column).is_some(), "{width}: {column:?}");
            }
        }
        assert!(LEAST.iter().all(|(column, _)| Columns::of(0.0, 710.0).get(*column).is_some()));
    }
}
