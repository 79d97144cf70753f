// The selected samples. Bokeh keeps them in the source behind all plots.
class Selection {
  constructor(source) {
    this.source = source;
    this.reason = "";
  }

  get indices() {
    return Array.from(this.source.selected.indices);
  }

  set(indices, reason = "") {
    this.reason = reason;
    this.source.selected.indices = indices;
    this.reason = "";
  }

  toggle(i) {
    const chosen = this.indices;
    this.set(chosen.includes(i) ? chosen.filter((other) => other !== i) : [...chosen, i]);
  }

  // Calls `react` with the selected samples, and with why they are selected where a view says so.
  onChange(react) {
    this.source.selected.change.connect(() => react(this.indices, this.reason));
  }
}

function selectionText(samples, chosen, reason) {
  if (!chosen.length) return "Nothing is selected.";
  const one = chosen.length === 1;
  const wrong = chosen.filter((i) => samples.wrong[i]).length;
  const share = samples.classification ? ` ${wrong} of ${chosen.length} ${one ? "is" : "are"} wrong.` : "";
  return `${reason}${chosen.length} ${one ? "sample" : "samples"} selected.${share}`;
}
