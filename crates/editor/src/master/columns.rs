//! Columns of the stem table for a given width.

use egui::Rangef;

/// Column beside the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Solo, mute, bypass.
    Audition,
    /// ShortTerm-term loudness.
    ShortTerm,
    /// Integrated loudness.
    Integrated,
    /// True peak.
    TruePeak,
    /// Gain reduction.
    Reduction,
    /// Loudness share.
    Share,
    /// Chain cost.
    ChainCost,
    /// Trim.
    Trim,
    /// Ghost fader.
    Ghost,
}

/// Number of columns.
const COLUMN_COUNT: usize = 9;
/// Columns from left to right with their smallest widths, points.
const MIN_WIDTHS: [(Column, f32); COLUMN_COUNT] = [
    (Column::Audition, super::audition::SWITCHES_WIDTH),
    (Column::ShortTerm, 46.0),
    (Column::Integrated, 46.0),
    (Column::TruePeak, 42.0),
    (Column::Reduction, 34.0),
    (Column::Share, 64.0),
    (Column::ChainCost, 58.0),
    (Column::Trim, 44.0),
    (Column::Ghost, 136.0),
];
/// Columns that are dropped first without room for all; a name's tooltip and menu have their content.
const DROP_ORDER: [Column; 4] = [Column::ChainCost, Column::Reduction, Column::TruePeak, Column::Audition];
/// Space between columns, points.
const COLUMN_GAP: f32 = 10.0;
/// Smallest width of the names, points.
const MIN_NAME_WIDTH: f32 = 80.0;

/// Horizontal ranges of the columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Columns {
    /// Names.
    pub(super) names: Rangef,
    cells: [Option<Rangef>; COLUMN_COUNT],
}

impl Columns {
    /// Returns the columns that fit between `left` and `right`.
    pub(super) fn new(left: f32, right: f32) -> Self {
        let mut there = [true; COLUMN_COUNT];
        let needs = |there: &[bool; COLUMN_COUNT]| {
            let cells = MIN_WIDTHS.iter().zip(there).filter(|(_, there)| **there);
            cells.map(|((_, width), _)| width + COLUMN_GAP).sum::<f32>() + MIN_NAME_WIDTH
        };
        for spare in DROP_ORDER {
            if needs(&there) > right - left {
                there[spare as usize] = false;
            }
        }
        // what is left over goes to what reads better for it
        let rest = (right - left - needs(&there)).max(0.0);
        let more = |column: Column| match column {
            Column::ShortTerm => (rest * 0.14).min(96.0),
            Column::Share => (rest * 0.22).min(200.0),
            Column::Ghost => (rest * 0.4).min(300.0),
            Column::ChainCost | Column::Trim | Column::Reduction => (rest * 0.03).min(28.0),
            _ => 0.0,
        };
        let mut cells = [None; COLUMN_COUNT];
        let mut x = right;
        for (index, (column, width)) in MIN_WIDTHS.into_iter().enumerate().rev() {
            if there[index] {
                let width = (width + more(column)).floor();
                cells[index] = Some(Rangef::new(x - width, x));
                x -= width + COLUMN_GAP;
            }
        }
        Self { names: Rangef::new(left, x), cells }
    }

    /// Returns the range of a column, if there is room for it.
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
            let columns = Columns::new(20.0, 20.0 + width as f32);
            let mut end = columns.names.max;
            assert!(columns.names.span() >= MIN_NAME_WIDTH - 1.0, "{width}: {:?}", columns.names);
            for (column, _) in MIN_WIDTHS {
                if let Some(cell) = columns.get(column) {
                    assert!(cell.min >= end + COLUMN_GAP - 0.1, "{width}: {column:?}");
                    assert!(cell.max <= 20.0 + width as f32 + 0.1, "{width}: {column:?}");
                    end = cell.max;
                }
            }
            for column in [Column::ShortTerm, Column::Integrated, Column::Share, Column::Trim, Column::Ghost]
            {
                assert!(columns.get(column).is_some(), "{width}: {column:?}");
            }
        }
        assert!(MIN_WIDTHS.iter().all(|(column, _)| Columns::new(0.0, 722.0).get(*column).is_some()));
    }
}
