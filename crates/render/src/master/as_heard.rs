//! A master as the plugins sound in a host: the chains and nothing else, with what they hand each other rounded to
//! single precision. No loudness is aimed at, no ceiling is held that the Master's own limiter does not hold.

use super::file::{bext, read_back};
use super::gain::{GainReason, MasterGain};
use super::job::MasterJob;
use super::mastered::Mastered;
use super::remarks;
use crate::bursts::BurstDetector;
use crate::ceiling::{StrictPeak, peak_limit};
use crate::mixdown::{Mixdown, master_chain, to_single};
use crate::progress::{Progress, advance};
use crate::wav_loudness::wav_loudness;
use audiofile::error::{Error, Result};
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use chain::{Chain, LatencyClass};
use dsp::dither::Dither;
use meter::Meter;
use meter::layout::Layout;
use units::{Db, Dbtp};

/// Masters the job's bundle.
pub(super) fn master(job: &MasterJob<'_>, progress: &mut dyn Progress) -> Result<Mastered> {
    let (rate, session) = (job.bundle.rate()?, job.session);
    if let Some(path) = &job.unlimited {
        return Err(Error::Bundle {
            path: path.clone(),
            fault: "a master as heard has the limiter of its session and no other".into(),
            cure: "turn that off there, or leave out --limiter off".into(),
        });
    }
    let mut mixdown = Mixdown::open(job.bundle, session)?;
    let format = match session.master.dither {
        Dither::Off => StoredFormat::Float32,
        Dither::Bits24 => StoredFormat::Int24,
        Dither::Bits16 | Dither::Bits16Shaped => StoredFormat::Int16,
    };
    let spec = WavSpec { bext: Some(bext(job)), ..WavSpec::new(rate, 2, format) };
    let mut writer = WavWriter::create(&job.output, spec, job.overwrite)?;
    let mut chain = master_chain(&session.master, session, rate);
    let [mut before, mut after] = [(); 2].map(|()| Meter::new(rate, &Layout::stereo()));
    let limits = session.master.limiter.on && session.master_latency > LatencyClass::Zero;
    let ceiling = if limits { session.master.limiter.ceiling } else { Dbtp(0.0) };
    let mut peak = StrictPeak::new(ceiling);
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("rendering", mixdown.frames());
    let mut bursts = BurstDetector::new(rate);
    let mut entering = |sum: &mut [Vec<f64>; 2]| {
        to_single(sum.each_mut());
        before.process(&[&sum[0], &sum[1]]);
    };
    while let Some((frames, out)) = mixdown.next(&mut chain, &mut sum, &mut entering)? {
        let mut out = out.map(<[f64]>::to_vec);
        to_single(out.each_mut());
        let out = out.each_ref().map(Vec::as_slice);
        after.process(&out);
        bursts.process(&out);
        peak.process(out);
        writer.write_planar(&out)?;
        advance(progress, frames, &job.output)?;
    }
    mixdown.refuse_misscaled()?;
    let reading = after.reading();
    writer.set_loudness(wav_loudness(&reading));
    writer.finish()?;
    let (measured, verified) = read_back(&job.output, &reading, None, mixdown.frames(), progress)?;
    let strict = peak.finish();
    let mut faults: Vec<String> = mixdown.faults().collect();
    let before = before.reading();
    faults.extend(remarks::nothing_heard(&mixdown, &before));
    let mut warnings = remarks::of_bursts(&bursts.bursts(), rate);
    warnings.extend(remarks::of_sum(&mixdown, &before, rate));
    if strict > peak_limit(ceiling) {
        warnings.push(format!(
            "true peak {:.2} dBTP as in the host, over {:.1}; loudness = \"as-is\" would hold it",
            Dbtp::from_amplitude(strict).map_or(0.0, |peak| peak.0),
            ceiling.0
        ));
    }
    let (reduction, reduction_at) = chain.chain().map_or((Db(0.0), 0), Chain::max_limiter_reduction);
    let gain = MasterGain {
        gain: Db(0.0),
        level: session.master.level,
        aim: None,
        reason: GainReason::AsIs,
        stopped_at: reduction_at,
        reduction,
        reduction_at,
    };
    Ok(Mastered {
        path: job.output.clone(),
        measured,
        verified: verified && remarks::is_heard(&reading),
        unlimited: None,
        ceiling,
        strict_peak: Dbtp::from_amplitude(strict),
        gain,
        before,
        faults,
        warnings,
    })
}
