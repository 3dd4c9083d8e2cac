//! A master as the plugins sound in a host: the chains and nothing else, with what they hand each other rounded to
//! single precision. Nothing is landed, no ceiling is held that the Master's own limiter does not hold.

use super::{Job, Landing, Mastered, Stop, bext, limit, loudness, read_back, silenced};
use crate::compensated::Compensated;
use crate::mixdown::{Mixdown, chain, to_single};
use crate::progress::{Progress, advance};
use audiofile::error::Result;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use chain::{Chain, ChainKind, LatencyClass};
use dsp::dither::Dither;
use meter::Meter;
use meter::layout::Layout;
use meter::peak_check::PeakCheck;
use units::{Db, Dbtp};

/// Masters the job's bundle.
pub(super) fn master(job: &Job<'_>, progress: &mut dyn Progress) -> Result<Mastered> {
    let (rate, session) = (job.bundle.rate()?, job.session);
    let mut mixdown = Mixdown::open(job.bundle, session)?;
    let format = match session.master.dither {
        Dither::Off => StoredFormat::Float32,
        Dither::Bits24 => StoredFormat::Int24,
        Dither::Bits16 | Dither::Bits16Shaped => StoredFormat::Int16,
    };
    let spec = WavSpec { bext: Some(bext(job)), ..WavSpec::new(rate, 2, format) };
    let mut writer = WavWriter::create(&job.output, spec, job.overwrite)?;
    let mut chain = Compensated::new(chain(&session.master, ChainKind::Master, session.master_latency, rate));
    let [mut before, mut after] = [(); 2].map(|()| Meter::new(rate, &Layout::stereo()));
    let mut checks = [PeakCheck::new(), PeakCheck::new()];
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("rendering", mixdown.frames());
    let mut entering = |sum: &mut [Vec<f64>; 2]| {
        to_single(sum.each_mut());
        before.process(&[&sum[0], &sum[1]]);
    };
    while let Some((frames, out)) = mixdown.next(&mut chain, &mut sum, &mut entering)? {
        let mut out = out.map(<[f64]>::to_vec);
        to_single(out.each_mut());
        let out = out.each_ref().map(Vec::as_slice);
        after.process(&out);
        checks.iter_mut().zip(out).for_each(|(check, side)| check.process(side));
        writer.write_planar(&out)?;
        advance(progress, frames, &job.output)?;
    }
    let reading = after.reading();
    writer.set_loudness(loudness(&reading));
    writer.finish()?;
    let (measured, verified) = read_back(&job.output, &reading, mixdown.frames(), progress)?;
    checks.iter_mut().for_each(PeakCheck::finish);
    let strict = checks[0].peak().max(checks[1].peak());
    let limits = session.master.limiter.on && session.master_latency > LatencyClass::Zero;
    let ceiling = if limits { session.master.limiter.ceiling } else { Dbtp(0.0) };
    let mut warnings: Vec<String> = silenced(&mixdown).collect();
    if strict > limit(ceiling) {
        warnings.push(format!(
            "true peak {:.2} dBTP as in the host, over {:.1}; loudness = \"as-is\" would hold it",
            Dbtp::from_amplitude(strict).map_or(0.0, |peak| peak.0),
            ceiling.0
        ));
    }
    let (reduction, reduction_at) = chain.chain().map_or((Db(0.0), 0), Chain::most_limiter_reduction);
    let landing = Landing {
        gain: Db(0.0),
        level: session.master.level,
        aim: None,
        stop: Stop::AsIs,
        reduction,
        reduction_at,
    };
    Ok(Mastered {
        path: job.output.clone(),
        measured,
        verified,
        ceiling,
        strict_peak: Dbtp::from_amplitude(strict),
        landing,
        before: before.reading(),
        warnings,
    })
}
