"use strict";
// Answers moves from the products of 100 ms hops, as `stems what-if` does from the files (ITU-R BS.1770-5, EBU Tech 3342).
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const count = data.stems.length, pairs = (count * (count + 1)) / 2;
  const products = new Float32Array(Uint8Array.from(atob(data.products), (c) => c.charCodeAt(0)).buffer);
  const hops = pairs ? products.length / pairs : 0;
  const id = (name) => document.getElementById(name);
  const linear = (db) => Math.pow(10, db / 20), decibels = (x) => 20 * Math.log10(x);
  const power = (lufs) => Math.pow(10, (lufs + 0.691) / 10);
  const loudness = (p) => (p > 1e-20 ? -0.691 + 10 * Math.log10(p) : null);
  const ABSOLUTE = power(-70), BLOCK = 4, SHORT_TERM = 30;
  const ROUNDING = Math.pow(2, -24); // of a 32-bit float

  // Powers of all hops, and the most that the rounding of their products can be.
  function powersOf(gains) {
    const powers = new Float64Array(hops), doubt = new Float64Array(hops);
    for (let hop = 0, at = 0; hop < hops; hop++) {
      let sum = 0, size = 0;
      for (let i = 0; i < count; i++)
        for (let j = i; j < count; j++, at++) {
          const part = (i === j ? 1 : 2) * gains[i] * gains[j] * products[at];
          sum += part;
          size += Math.abs(part);
        }
      powers[hop] = Math.max(sum, 0);
      doubt[hop] = ROUNDING * size;
    }
    return { powers, doubt };
  }

  function windows(values, length) {
    const means = new Float64Array(Math.max(values.length - length + 1, 0));
    for (let first = 0; first < means.length; first++) {
      let sum = 0;
      for (let k = 0; k < length; k++) sum += values[first + k];
      means[first] = sum / length;
    }
    return means;
  }

  const mean = (values) => (values.length ? values.reduce((sum, x) => sum + x, 0) / values.length : null);

  // Mean power of the blocks above both gates, those blocks' numbers, and the gate.
  function gated(powers) {
    const blocks = windows(powers, BLOCK);
    const first = mean(blocks.filter((p) => p > ABSOLUTE));
    if (first === null) return null;
    const gate = Math.max(first / 10, ABSOLUTE), passing = [];
    blocks.forEach((p, n) => p > gate && passing.push(n));
    return passing.length ? { power: mean(passing.map((n) => blocks[n])), passing } : null;
  }

  function rangeOf(short) {
    const passing = short.filter((p) => p > ABSOLUTE), all = mean(passing);
    if (all === null) return null;
    const kept = Array.from(passing.filter((p) => p >= all / 100)).sort((a, b) => a - b);
    const rank = (p) => kept[Math.max(Math.floor(kept.length * p + 0.5), 1) - 1];
    return loudness(rank(0.95)) - loudness(rank(0.1));
  }

  function sharesOf(gains, passing) {
    const uses = new Float64Array(hops), parts = new Float64Array(count);
    for (const block of passing) for (let k = 0; k < BLOCK; k++) uses[block + k] += 1;
    for (let hop = 0, at = 0; hop < hops; hop++)
      for (let i = 0; i < count; i++)
        for (let j = i; j < count; j++, at++) {
          const part = uses[hop] * gains[i] * gains[j] * products[at];
          parts[i] += part;
          if (j !== i) parts[j] += part;
        }
    const total = mean(parts) * count;
    return total > 0 ? Array.from(parts, (part) => part / total) : null;
  }

  function loudest(powers, length) {
    const means = windows(powers, length);
    return means.length ? loudness(means.reduce((most, p) => Math.max(most, p), 0)) : null;
  }

  // True peak of the mix with one stem at `gain` dB, linear: lowest and highest it can be. It is convex in the linear gain:
  // below the chord of its neighbours, above their tangents.
  function movedPeak(stem, gain) {
    const peaks = stem.peaks, at = gain - data.first_move_db, left = Math.floor(at);
    const known = peaks[Math.round(at)];
    if (Math.abs(at - Math.round(at)) < 1e-9 && known !== undefined) return [known, known];
    const x = (n) => linear(data.first_move_db + n), g = linear(gain);
    const slope = (n) => (peaks[n + 1] - peaks[n]) / (x(n + 1) - x(n));
    if (!(left >= 0 && left + 1 < peaks.length)) return null;
    let low = 0;
    if (left > 0) low = Math.max(low, peaks[left] + slope(left - 1) * (g - x(left)));
    if (left + 2 < peaks.length) low = Math.max(low, peaks[left + 1] + slope(left + 1) * (g - x(left + 1)));
    return [low, peaks[left] + slope(left) * (g - x(left))];
  }

  function peakOf(moves) {
    if (!data.is_exact) return null;
    const moved = data.stems.map((_, i) => i).filter((i) => moves[i] !== 0);
    if (!moved.length) {
      const peak = data.before.true_peak_dbtp;
      return peak === null ? null : [linear(peak), linear(peak)];
    }
    let low = 0, high = Infinity;
    for (const i of moved) {
      const one = movedPeak(data.stems[i], moves[i]);
      if (!one) continue;
      // each other stem adds or takes away its own peak at most
      let others = 0;
      for (const j of moved) if (j !== i) others += Math.abs(linear(moves[j]) - 1) * data.stems[j].peak;
      low = Math.max(low, one[0] - others);
      high = Math.min(high, one[1] + others);
    }
    return high === Infinity ? null : [low, high];
  }

  // Gain of a platform, dB, and the rule that decides it.
  function playback(target, integrated, peak) {
    if (integrated === null) return { gain: null, why: "no loudness" };
    if (target.usage === "as-delivered") return { gain: 0, why: "does not normalize" };
    if (target.loudness_lufs === null) return { gain: null, why: "target not published" };
    const wanted = target.loudness_lufs - integrated;
    if (target.usage === "delivery") return { gain: null, why: `delivery: ${signed(-wanted, 1)} LU from ${figure(target.loudness_lufs)}` };
    if (wanted <= 0) return { gain: wanted, why: "" };
    if (target.turns_up === "no") return { gain: 0, why: "does not turn up" };
    if (target.turns_up === "ignoring-peaks") return { gain: wanted, why: "" };
    if (target.turns_up === "unknown") return { gain: null, why: "rule not published" };
    if (peak === null) return { gain: null, why: "hangs on the true peak" };
    const room = Math.max(target.limit_dbtp - peak, 0);
    if (room >= wanted) return { gain: wanted, why: "" };
    if (target.turns_up === "peak-rule-unknown") return { gain: null, why: "rule for peaks not published" };
    return { gain: room, why: "stops at its peak", bound: true };
  }

  function answer(moves) {
    const gains = moves.map(linear), { powers, doubt } = powersOf(gains), inside = gated(powers);
    const short = windows(powers, SHORT_TERM);
    // how far off the rounding of the products can put the loudness
    let off = 0;
    if (inside) off = 10 * Math.log10(1 + mean(inside.passing.map((n) => windows(doubt.subarray(n, n + BLOCK), BLOCK)[0])) / inside.power);
    return {
      integrated: inside && loudness(inside.power), range: rangeOf(short), short_max: loudest(powers, SHORT_TERM),
      momentary_max: loudest(powers, BLOCK), shares: inside && sharesOf(gains, inside.passing), short, off,
      peak: peakOf(moves),
    };
  }

  const minus = (text) => text.replace("-", "\u2212");
  const figure = (x, digits = 1) => (x === null ? "\u2013" : minus((Math.round(x * 10 ** digits) / 10 ** digits + 0).toFixed(digits)));
  const signed = (x, digits = 2) => (x === null ? "\u2013" : Math.abs(x) < 0.5 * 10 ** -digits ? (0).toFixed(digits) : (x > 0 ? "+" : "") + minus(x.toFixed(digits)));
  const span = (low, high, show) => (show(low) === show(high) ? show(low) : `${show(low)} to ${show(high)}`);

  const still = answer(data.stems.map(() => 0));
  // behind a master chain the change of the sum is added to what was measured
  const shift = (now, start, measured) => (now === null || measured === null || start === null ? null : data.is_exact ? now : measured + now - start);

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function row(parent, cells, heading) {
    const line = parent.appendChild(element("tr"));
    cells.forEach((cell, n) => {
      const { text, ...attributes } = typeof cell === "object" ? cell : { text: cell, ...(n ? { class: "n" } : {}) };
      line.appendChild(element(heading || !n ? "th" : "td", text, { ...(heading ? { scope: "col" } : n ? {} : { scope: "row" }), ...attributes }));
    });
  }

  function table(caption, head) {
    const made = element("table");
    made.appendChild(element("caption", caption));
    row(made.appendChild(element("thead")), head, true);
    return [made, made.appendChild(element("tbody"))];
  }

  function plot(now) {
    const svg = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const top = Math.ceil(Math.max(...[still, now].map((a) => a.short_max ?? -60)) / 6) * 6, WIDTH = 720, HEIGHT = 170;
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH + 44} ${HEIGHT + 10}`, class: "plot", role: "img", "aria-label": "Short-term loudness over time, before and after the moves" });
    for (let level = top; level >= top - 36; level -= 12) {
      const y = 5 + ((top - level) / 36) * HEIGHT;
      picture.appendChild(svg("line", { x1: 40, x2: WIDTH + 40, y1: y, y2: y, class: "grid" }));
      const text = picture.appendChild(svg("text", { x: 34, y: y + 4, class: "tick end" }));
      text.textContent = minus(String(level));
    }
    for (const [which, name] of [[still, "line before"], [now, "line main"]]) {
      const step = Math.max(Math.ceil(which.short.length / WIDTH), 1), points = [];
      for (let n = 0; n < which.short.length; n += step) {
        const level = Math.max(loudness(which.short[n]) ?? -200, top - 36);
        points.push(`${(40 + (n / Math.max(which.short.length - 1, 1)) * WIDTH).toFixed(1)},${(5 + ((top - level) / 36) * HEIGHT).toFixed(1)}`);
      }
      picture.appendChild(svg("polyline", { points: points.join(" "), class: name }));
    }
    return picture;
  }

  let shown = null;
  function show() {
    const moves = data.stems.map((_, i) => Number(id(`gain${i}`).value) || 0);
    const now = answer(moves), start = data.before;
    const after = {
      integrated: shift(now.integrated, still.integrated, start.integrated_lufs), range: shift(now.range, still.range, start.loudness_range_lu),
      short_max: shift(now.short_max, still.short_max, start.short_term_max_lufs), momentary_max: shift(now.momentary_max, still.momentary_max, start.momentary_max_lufs),
    };
    const exact = data.is_exact && now.off < 0.005, word = exact ? "exact" : "estimate";
    const peak = now.peak && now.peak.map((x) => decibels(Math.max(x, 1e-10)));
    const into = id("answer");
    into.replaceChildren();
    const [mix, lines] = table("The mix before and after", ["", "before", "after", "change", "known"].map((text, n) => ({ text, ...(n && n < 4 ? { class: "n" } : {}) })));
    const line = (name, unit, before, value, known) => {
      row(lines, [`${name}, ${unit}`, figure(before, 2), { text: figure(value, 2), class: "n", "data-value": value ?? "" }, signed(value === null || before === null ? null : value - before), { text: known }]);
    };
    line("Integrated", "LUFS", start.integrated_lufs, after.integrated, word);
    line("Loudness range", "LU", start.loudness_range_lu, after.range, word);
    line("Max short-term", "LUFS", start.short_term_max_lufs, after.short_max, word);
    const grid = shift(still.momentary_max, still.momentary_max, start.momentary_max_lufs);
    line("Max momentary, every 100 ms", "LUFS", grid, after.momentary_max, word);
    if (peak) {
      const same = Math.abs(peak[1] - peak[0]) < 1e-9;
      row(lines, ["True peak, dBTP", figure(start.true_peak_dbtp, 2), { text: peak[0] < -60 ? `at most ${figure(peak[1], 2)}` : span(peak[0], peak[1], (x) => figure(x, 2)), class: "n", "data-low": peak[0], "data-high": peak[1] },
        same ? signed(peak[1] - start.true_peak_dbtp) : { text: "\u2013", class: "n" }, { text: same ? "exact" : "a bound" }]);
    } else {
      row(lines, ["True peak, dBTP", figure(start.true_peak_dbtp, 2), { text: "\u2013", class: "n" }, { text: "\u2013", class: "n" }, { text: data.is_exact ? "not known so far from 0 dB" : "not known: the master chain answers" }]);
    }
    into.appendChild(mix);
    if (!data.is_exact) into.appendChild(element("p", "The session has a master chain: the change of the sum into it is added to what was measured behind it.", { class: "dim" }));
    into.appendChild(plot(now));

    const [platforms, rules] = table("What each platform does, and what all stems that were not moved gain or lose in playback", ["platform", "before dB", "after dB", "others dB", ""].map((text, n) => ({ text, ...(n && n < 4 ? { class: "n" } : {}) })));
    const ends = peak ?? [null, null];
    for (const target of data.targets) {
      const before = playback(target, start.integrated_lufs, start.true_peak_dbtp);
      const [high, low] = ends.map((end) => playback(target, after.integrated, end));
      const known = high.gain !== null && low.gain !== null, others = (p) => p.gain - before.gain;
      const loose = known && (high.bound || low.bound) && Math.abs(high.gain - low.gain) > 1e-9;
      const values = known && before.gain !== null ? { "data-low": others(low), "data-high": others(high) } : {};
      row(rules, [target.name, signed(before.gain), { text: known ? span(low.gain, high.gain, signed) : "\u2013", class: "n" },
        { text: known && before.gain !== null ? span(others(low), others(high), signed) : "\u2013", class: "n", "data-target": target.name, ...values },
        { text: [low.why, loose ? "estimate" : known && word === "estimate" ? "estimate" : ""].filter(Boolean).join("; ") }]);
    }
    into.appendChild(platforms);
    data.stems.forEach((_, i) => {
      id(`share${i}`).textContent = now.shares ? `${figure(100 * now.shares[i])} %` : "";
      if (now.shares) id(`share${i}`).dataset.value = now.shares[i];
    });
    const moved = data.stems.map((stem, i) => [stem.name, moves[i]]).filter(([, gain]) => gain !== 0);
    id("said").textContent = moved.length
      ? `${moved.map(([name, gain]) => `${name} ${signed(gain, 1)} dB`).join(", ")}: ${figure(after.integrated)} LUFS (${signed(after.integrated === null ? null : after.integrated - start.integrated_lufs)} LU, ${word}).`
      : `No move: ${figure(start.integrated_lufs)} LUFS.`;
    shown = moves;
  }

  function session() {
    let text = "";
    data.order.forEach((stem, n) => {
      const trim = (data.stems[stem].trim_db + shown[stem]).toFixed(6);
      text += data.pieces[n] + String(Number(trim));
    });
    return text + data.pieces[data.pieces.length - 1];
  }

  data.stems.forEach((stem, i) => {
    const fader = id(`fader${i}`), gain = id(`gain${i}`);
    fader.addEventListener("input", () => {
      gain.value = String(Number(fader.value));
      show();
    });
    fader.addEventListener("dblclick", () => {
      fader.value = gain.value = "0";
      show();
    });
    gain.addEventListener("input", () => {
      const wanted = Number(gain.value);
      if (!Number.isFinite(wanted)) return;
      // the trim of a session file ends there
      const inside = Math.min(Math.max(wanted, stem.least_db), stem.most_db);
      if (inside !== wanted) gain.value = String(inside);
      fader.value = String(inside);
      show();
    });
  });
  id("zero").addEventListener("click", () => {
    data.stems.forEach((_, i) => (id(`fader${i}`).value = id(`gain${i}`).value = "0"));
    show();
  });
  id("save").addEventListener("click", () => {
    const link = element("a", "", { download: data.file, href: URL.createObjectURL(new Blob([session()], { type: "application/toml" })) });
    link.click();
    URL.revokeObjectURL(link.href);
    id("said").textContent = `${data.file} holds these moves: stems master DIR --session "${data.file}", or what-if with it.`;
  });
  // for whoever checks the page
  document.getElementById("ask").sessionText = session;
  show();
})();
