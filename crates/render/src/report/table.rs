//! The report as a table for spreadsheets.

use super::data::Report;
use crate::json::COLUMNS;

/// The columns of the report's table for spreadsheets, the fields of [`csv_rows`].
pub fn csv_columns() -> Vec<&'static str> {
    [&["stem", "role", "share"][..], &COLUMNS, &["peak_at_s", "one_db_more_makes_the_mix_lu"]].concat()
}

/// One row for each stem and for the sum.
pub fn csv_rows(report: &Report) -> Vec<Vec<String>> {
    let figure = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    let rows = report.sources.iter().enumerate().map(|(i, source)| {
        let mut row = vec![source.stem.clone(), source.role.unwrap_or_default().into(), figure(source.share)];
        row.extend(source.reading.columns().map(figure));
        row.push(figure(source.peak_at_s));
        row.push(figure(report.what_if.get(i).and_then(|row| row.mix_change_lu)));
        row
    });
    rows.collect()
}
