// Filters: pairs of a key and a value, as they stand in the address of the page, and which samples each keeps.
//
// "f.<column>" has a condition on a column, "in" a kind of issue, "text" words, "area.<plot>.<x>" a polygon in a plot,
// "samples" numbers of samples.

// Returns { keeps, words } of a filter; null where it is none of this page.
function filterOf([key, value], samples) {
  if (key.startsWith("f.")) return samples.columns.has(key.slice(2)) ? conditionOn(key.slice(2), value, samples) : null;
  if (key.startsWith("area.")) return areaOf(key, value, samples);
  const found = { in: issuesOf, text: textOf, samples: numbersOf }[key];
  return found ? found(value, samples) : null;
}

const COMPARISONS = {
  ">": (end) => (value) => value > end,
  ">=": (end) => (value) => value >= end,
  "<": (end) => (value) => value < end,
  "<=": (end) => (value) => value <= end,
};
const SIGNS = { ">=": "≥", "<=": "≤" };

function conditionOn(key, value, samples) {
  const values = samples.values(key);
  const label = samples.label(key);
  const named = /^(!?=)([^]*)$/.exec(value);
  if (named) return equalTo(key, named[1] === "!=", named[2], samples);
  const orMissing = value.endsWith("?");
  const found = numbersIn(orMissing ? value.slice(0, -1) : value);
  if (!found) return null;
  const holds = found.holds(samples.columns.get(key).packed);
  const keeps = (i) => holds(values[i]) || (orMissing && Number.isNaN(values[i]));
  return { keeps, words: `${label} ${found.words((x) => samples.write(key, x))}${orMissing ? " or missing" : ""}` };
}

// Reads ">0.3" and "0.1~0.3", of which one end may be left out; ends are rounded as the column is.
function numbersIn(text) {
  const compared = /^(>=|<=|>|<)(.+)$/.exec(text);
  const [, low, high] = /^([^~]*)~([^~]*)$/.exec(text) || [];
  const ends = compared ? [compared[2]] : [low, high];
  if (ends[0] === undefined || ends.some((end) => end && !Number.isFinite(Number(end)))) return null;
  if (compared) {
    const end = Number(ends[0]);
    return {
      holds: (packed) => COMPARISONS[compared[1]](asPacked(end, packed)),
      words: (write) => `${SIGNS[compared[1]] || compared[1]} ${write(end)}`,
    };
  }
  const [from, to] = [low === "" ? -Infinity : Number(low), high === "" ? Infinity : Number(high)];
  return {
    holds: (packed) => {
      const [first, last] = [asPacked(from, packed), asPacked(to, packed)];
      return (value) => value >= first && value <= last;
    },
    words: (write) => rangeWords(low && write(from), high && write(to)),
  };
}

function rangeWords(low, high) {
  if (low && high) return low === high ? `is ${low}` : `${low} to ${high}`;
  return low ? `≥ ${low}` : `≤ ${high}`;
}

function asPacked(end, { type, digits }) {
  if (!Number.isFinite(end)) return end;
  if (type === "f4") return Math.fround(end);
  return type === "f8" ? end : Math.round(end * 10 ** digits) / 10 ** digits;
}

const GAPS = { missing: true, "no value": true, known: false };

// A class is given by its number, as two names may look alike; a category by its name.
function equalTo(key, negated, name, samples) {
  const [names, values, label] = [samples.names(key), samples.values(key), samples.label(key)];
  const place = samples.columns.get(key).kind === "class" || !names ? Number(name) : names.indexOf(name);
  const isKnown = names ? place in names : name !== "" && Number.isFinite(place);
  if (!isKnown && !(name in GAPS)) return null;
  if (!isKnown) return { keeps: (i) => (Number.isNaN(values[i]) === GAPS[name]) !== negated, words: `${label} is ${negated ? "not " : ""}${name}` };
  const keeps = negated ? (i) => values[i] !== place : (i) => values[i] === place;
  return { keeps, words: `${label}${negated ? " is not" : ":"} ${samples.write(key, place)}` };
}

// Of samples that are the same as one in another part that is shown, both are kept.
function issuesOf(kind, samples) {
  const issue = samples.issues.get(kind);
  if (!issue) return null;
  const own = samples.shownSplits.filter((split) => split in issue.bySplit);
  const wanted = new Set(own.flatMap((split) => [...issue.bySplit[split]]));
  for (const [number, other] of issue.pairs) {
    const place = samples.places.get(other);
    if (wanted.has(number) && place !== undefined && !own.includes(samples.splitOf(place))) wanted.add(other);
  }
  return { ...kept(wanted, samples), words: issue.label };
}

function numbersOf(text, samples) {
  const wanted = new Set(text.split(",").map(Number));
  const place = samples.places.get(Number(text));
  const words = wanted.size > 1 ? `${wanted.size} samples` : place === undefined ? `sample ${text}` : samples.nameOf(place);
  return { ...kept(wanted, samples), words };
}

// Keeps samples by their numbers; `absent` says how many of them the page does not have.
function kept(wanted, samples) {
  const index = samples.values("index");
  const absent = [...wanted].filter((number) => !samples.places.has(number)).length;
  return { keeps: (i) => wanted.has(index[i]), wanted: wanted.size, absent };
}

// Every word has to be in a name, a category or the text of the sample, or be its number.
function textOf(query, samples) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const searched = samples.keys.filter((key) => (samples.names(key) && key !== "split") || key === "index");
  const inText = (word) => (i) => samples.texts[samples.place[i]]?.toLowerCase().includes(word);
  const found = words.map((word) => [...searched.map((key) => holdsWord(key, word, samples)), inText(word)]);
  return { keeps: (i) => found.every((tests) => tests.some((test) => test(i))), words: `“${query}”` };
}

function holdsWord(key, word, samples) {
  const [names, values] = [samples.names(key), samples.values(key)];
  if (names) {
    const holding = names.map((name) => name.toLowerCase().includes(word));
    return (i) => holding[values[i]] === true;
  }
  return (i) => String(values[i]) === word;
}

// Two corners of a box, or the corners of a polygon.
function areaOf(key, value, samples) {
  const [, view, xKey, yKey] = /^area\.([^.]+)\.([^.]+)\.(.+)$/.exec(key) || [];
  const numbers = value.split(",").map(Number);
  const drawn = samples.data.views.find((one) => one.key === view);
  if (!drawn || !samples.columns.has(xKey) || !samples.columns.has(yKey) || numbers.length % 2 || !numbers.every(Number.isFinite)) return null;
  const [x, y] = [samples.values(xKey), samples.values(yKey)];
  const inside = numbers.length === 4 ? insideBox(...numbers) : insidePolygon(numbers);
  return { keeps: (i) => inside(x[i], y[i]), words: `area in ${drawn.title}` };
}

const insideBox = (left, bottom, right, top) => (x, y) => x >= left && x <= right && y >= bottom && y <= top;

function insidePolygon(numbers) {
  return (x, y) => {
    let inside = false;
    for (let k = 0, j = numbers.length - 2; k < numbers.length; j = k, k += 2) {
      const [ax, ay, bx, by] = [numbers[k], numbers[k + 1], numbers[j], numbers[j + 1]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  };
}
