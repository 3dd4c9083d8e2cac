//! The table and the page around it.

use std::fmt::Write as _;
use std::process::Command;

use super::rows::{Contestant, Goal, Work};
use super::{Best, Outcome};

/// The table of all contests.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let mut table =
        "| what | ours | peer | peer's | ratio | goal | |\n|---|---:|---|---:|---:|---:|---|\n".to_owned();
    for Outcome { row, ours, peers } in outcomes {
        let mut what = row.what.as_str();
        let mut line = |peer: &str, theirs: &str, ratio: &str, goal: &str, verdict: &str| {
            let own = ours.map_or("-".into(), |best| figure(&row.ours, best));
            let own = if what.is_empty() { "" } else { own.as_str() };
            let _ = writeln!(table, "| {what} | {own} | {peer} | {theirs} | {ratio} | {goal} | {verdict} |");
            what = "";
        };
        if peers.is_empty() {
            line("", "", "", "", if ours.is_none() { "to come" } else { "" });
        }
        for (peer, best) in row.peers.iter().zip(peers) {
            let goal = peer.goal.map_or(String::new(), shown);
            match (ours, best) {
                (Some(ours), Some(theirs)) => {
                    let (ratio, met) = compare(ours.time, theirs.time, peer.goal);
                    line(&peer.name, &figure(peer, *theirs), &ratio, &goal, met);
                }
                (None, _) => line(&peer.name, "-", "", &goal, "ours is to come"),
                (_, None) => line(&peer.name, "-", "", &goal, "not here"),
            }
        }
        if let (Some(most), Some(ours)) = (row.memory, ours) {
            let met = if ours.kib <= most << 10 { "met" } else { "**missed**" };
            line("peak memory", &mib(ours.kib), "", &format!("≤ {most} MiB"), met);
            for (peer, best) in row.peers.iter().zip(peers) {
                if let Some(best) = best {
                    line(&format!("- of {}", peer.name), &mib(best.kib), "", "", "");
                }
            }
        }
    }
    table
}

fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// A time as people read it.
fn figure(contestant: &Contestant, best: Best) -> String {
    match contestant.work {
        Some(Work::PerFrame { .. } | Work::Given(_)) => format!("{:.1} ns", best.time),
        _ => format!("{:.3} s", best.time),
    }
}

fn shown(goal: Goal) -> String {
    match goal {
        Goal::Times(times) => format!("≥ {times}x"),
        Goal::Within(times) => format!("≤ {times}x"),
    }
}

/// The ratio in the sense of the goal.
fn ratio(ours: f64, theirs: f64, goal: Option<Goal>) -> f64 {
    if let Some(Goal::Within(_)) = goal { ours / theirs } else { theirs / ours }
}

/// Tells whether the goal is met.
fn is_met(ours: f64, theirs: f64, goal: Goal) -> bool {
    let ratio = ratio(ours, theirs, Some(goal));
    match goal {
        Goal::Within(most) => ratio <= most,
        Goal::Times(least) => ratio >= least,
    }
}

/// The ratio in the sense of the goal, and whether it is met.
fn compare(ours: f64, theirs: f64, goal: Option<Goal>) -> (String, &'static str) {
    let verdict = match goal.map(|goal| is_met(ours, theirs, goal)) {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "",
    };
    let shown = match ratio(ours, theirs, goal) {
        ratio if ratio < 10.0 => format!("{ratio:.2}x"),
        ratio if ratio < 20.0 => format!("{ratio:.1}x"),
        ratio => format!("{ratio:.0}x"),
    };
    (shown, verdict)
}

/// One line for each package that would bring a peer.
pub(super) fn missing(outcomes: &[Outcome]) -> String {
    let mut lines = String::new();
    for Outcome { row, peers, .. } in outcomes {
        for (peer, _) in
            row.peers.iter().zip(peers).filter(|(peer, best)| best.is_none() && !peer.package.is_empty())
        {
            let _ = writeln!(lines, "not here: {}; install {}", peer.name, peer.package);
        }
    }
    lines
}

/// Reasons for goals that are not met, as a list.
fn obstacles(outcomes: &[Outcome]) -> String {
    let misses = |Outcome { row, ours, peers }: &Outcome| {
        row.peers.iter().zip(peers).any(|(peer, best)| match (ours, best, peer.goal) {
            (Some(ours), Some(best), Some(goal)) => !is_met(ours.time, best.time, goal),
            _ => false,
        })
    };
    let told = outcomes.iter().filter(|outcome| misses(outcome) && !outcome.row.obstacle.is_empty());
    told.fold(String::new(), |mut text, Outcome { row, .. }| {
        let _ = writeln!(text, "- *{}*: {}", row.what, row.obstacle);
        text
    })
}

/// The documentation page.
pub(super) fn page(outcomes: &[Outcome], counts: &str, rounds: usize) -> String {
    let missing: String = missing(outcomes).lines().map(|line| format!("- {line}\n")).collect();
    format!(
        "# Performance

Written by `cargo xtask bench --write`; not edited by hand. Run it on your machine: only the ratios travel.

{machine}

Each row is a contest: everybody does the same work on the same files, warm in the cache, one after the other, {rounds}
rounds; of each the round with the least CPU time (user and system, all threads) counts. *ratio* is the peer's time over
ours, for goals of the form \"≤\" ours over the peer's. Figures per frame are those of a stereo frame at 48 kHz in blocks of
512, as the difference of a long and a short run.

{table}
{missing}
## What stands in the way

{obstacles}
## Instructions

Executed instructions per stereo frame under callgrind (which has AVX2 and hides AVX-512), as the difference of a long and a
short run: the same on every run, so CI can hold it. `cargo xtask budget` fails above the budget.

{counts}",
        machine = machine(),
        table = table(outcomes),
        obstacles = obstacles(outcomes),
    )
}

/// Processor and date, for the head of a page.
pub(crate) fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|said| !said.is_empty())
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = [
        said("date", &["-u", "+%Y-%m-%d"]),
        cpu.map(|cpu| format!("{cpu}, {threads} threads")),
        said("uname", &["-sm"]),
        said("rustc", &["--version"]),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ") + "."
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::clock::Task;
    use super::super::rows::Row;
    use super::*;

    fn contestant(name: &str, goal: Option<Goal>) -> Contestant {
        let work = Some(Work::Once(Task::new("x", Path::new("."))));
        Contestant { name: name.into(), package: "a-package", work, goal }
    }

    fn best(time: f64) -> Option<Best> {
        Some(Best { time, kib: 9000 })
    }

    #[test]
    fn ratios_goals_and_who_is_missing_are_in_the_table() {
        let peers = vec![
            contestant("slow", Some(Goal::Times(30.0))),
            contestant("nearly", Some(Goal::Times(20.0))),
            contestant("cat", Some(Goal::Within(3.0))),
            Contestant { work: None, ..contestant("absent", Some(Goal::Times(2.0))) },
        ];
        let row = Row {
            what: "work".into(),
            ours: contestant("ours", None),
            peers,
            memory: Some(8),
            obstacle: "too few hands",
        };
        let peers = vec![best(3.1), best(1.9), best(0.04), None];
        let outcomes = [Outcome { row, ours: best(0.1), peers }];
        let table = table(&outcomes);
        for line in [
            "| work | 0.100 s | slow | 3.100 s | 31x | ≥ 30x | met |",
            "|  |  | nearly | 1.900 s | 19.0x | ≥ 20x | **missed** |",
            "|  |  | cat | 0.040 s | 2.50x | ≤ 3x | met |",
            "|  |  | absent | - |  | ≥ 2x | not here |",
            "|  |  | peak memory | 8.8 MiB |  | ≤ 8 MiB | **missed** |",
        ] {
            assert!(table.contains(line), "{line}\n{table}");
        }
        assert_eq!(missing(&outcomes), "not here: absent; install a-package\n");
        let page = page(&outcomes, "counts", 5);
        assert!(page.contains("5\nrounds") && page.contains("- *work*: too few hands\n"), "{page}");
        let [outcome] = outcomes;
        let met = Outcome { peers: vec![best(3.1), best(2.1), best(0.04), None], ..outcome };
        assert!(!super::page(&[met], "counts", 5).contains("too few hands"));
    }
}
