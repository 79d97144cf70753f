// The linked plots, which Bokeh draws.
async function embedPlots(data) {
  const roots = Object.fromEntries(data.bokeh.roots.map((root) => [root.id, `plot-${root.attributes.name}`]));
  const item = { docid: "samples", roots, root_ids: Object.keys(roots) };
  await Bokeh.embed.embed_items({ samples: data.bokeh }, [item]);
  return Bokeh.documents[Bokeh.documents.length - 1];
}

function showProjection(plot, view, kind, name) {
  [view.x, view.y] = [`${kind}_1`, `${kind}_2`];
  for (const renderer of plot.renderers) {
    for (const glyph of ["glyph", "selection_glyph", "nonselection_glyph"]) {
      if (renderer[glyph]?.setv) renderer[glyph].setv({ x: { field: view.x }, y: { field: view.y } });
    }
  }
  plot.below[0].axis_label = `${name}, first axis`;
  plot.left[0].axis_label = `${name}, second axis`;
}

// Arrow keys walk from sample to sample along the horizontal axis, Enter selects the sample.
function addKeyboard(view, samples, selection, tooltip) {
  const box = byId(`plot-${view.key}`);
  let place = -1;
  box.addEventListener("keydown", (event) => {
    const order = samplesAlong(view, samples);
    const next = nextPlace(event.key, place, order.length - 1);
    if (next === null) return;
    event.preventDefault();
    place = next;
    const i = order[place];
    if (event.key === "Enter") {
      selection.toggle(i);
      return;
    }
    const { left, top } = box.getBoundingClientRect();
    tooltip.show(i, { x: left + 40, y: top + 30 });
    byId("selection").textContent = samples.sentence(i);
  });
  box.addEventListener("blur", () => tooltip.hide());
  box.addEventListener("pointerleave", () => tooltip.hide());
}

function samplesAlong(view, samples) {
  const [x, y] = [samples.column(view.x), samples.column(view.y)];
  return samples.all.filter((i) => Number.isFinite(x[i]) && Number.isFinite(y[i])).sort((a, b) => x[a] - x[b]);
}

function nextPlace(key, place, last) {
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[key];
  if (last < 0) return null;
  if (step) return Math.max(0, Math.min(last, place + step));
  if (key === "Home") return 0;
  if (key === "End") return last;
  return key === "Enter" && place >= 0 ? place : null;
}
