// Links filters, plots, confusion matrix, gallery and table of samples: one selection, shown in all.
async function explore(data) {
  const samples = await Samples.read(data);
  const selection = new Selection(samples, defaultsOf(samples));
  const viewer = new Viewer(samples, selection);
  const open = (i) => viewer.open(i);
  const plots = data.views.map((view) => new Plot(view, samples, selection));
  const tooltip = new Tooltip(samples, plots);
  for (const plot of plots) new Gestures(plot, selection, tooltip, open);
  const matrix = new ConfusionMatrix(samples, selection);
  const lists = [new SampleTable(samples, selection, tooltip, open), new Gallery(samples, selection, open)];
  const filters = new Filters(samples, selection);

  selection.onChange((changed) => {
    const isOther = ["filters", "split", "color", "size", "map", "sort"].some((name) => changed.has(name));
    if (changed.has("split")) for (const plot of plots) plot.setParts();
    if (["split", "color", "size", "map"].some((name) => changed.has(name))) setLooks(plots, samples, selection);
    if (changed.has("filters")) {
      byId("selection").textContent = selection.text();
      matrix.mark();
    }
    if (isOther) {
      tooltip.hide();
      filters.refresh();
      for (const list of lists) list.refresh();
      if (!changed.has("sort") || changed.size > 1) for (const plot of plots) plot.draw();
    }
    if (changed.has("at")) viewer.refresh();
  });
  addExports(samples, selection);
  addHelp();
  addLinks(selection);
  addKeys(selection, tooltip);
  if (selection.read()) byId("explore").scrollIntoView();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    setLooks(plots, samples, selection);
    for (const plot of plots) plot.measure();
  });
  byId("explore").selectedNumbers = () => (selection.isActive ? selection.numbers() : []); // for scripts of a reader
  performance.mark("ready");
  document.documentElement.dataset.ready = "true";
}

// Samples that the model was surest and wrong about come first.
function defaultsOf(samples) {
  const sort = ["surprise", "entropy", "residual", "index"].find((key) => samples.columns.has(key));
  return { color: "outcome", size: "", map: Object.keys(samples.data.projections)[0] || "", split: "test", sort: `-${sort}`, at: "" };
}

function setLooks(plots, samples, selection) {
  const { color, size, map } = selection.settings;
  const [looks, radii] = [looksBy(color, samples), radiiBy(size, samples)];
  for (const plot of plots) {
    Object.assign(plot, { looks, radii });
    if (plot.view.key === "map" && plot.view.x !== `${map}_1`) {
      const name = samples.data.projections[map];
      plot.setColumns({ x: `${map}_1`, y: `${map}_2`, xLabel: `${name}, first axis`, yLabel: `${name}, second axis` });
    }
  }
  for (const list of document.querySelectorAll(".legend")) list.replaceChildren(...looks.legend.map(legendEntry));
}

// Links anywhere on the page select samples here in place of what was selected.
function addLinks(selection) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-samples], a[data-select], a[data-cell]");
    if (!link) return;
    event.preventDefault();
    const { samples, select, cell } = link.dataset;
    const { split } = selection.defaults;
    if (cell) selection.replace(["f.y_true", "f.y_pred"].map((key, k) => [key, `=${cell.split(",")[k]}`]), `${link.title}. `, split);
    else if (samples) selection.replace([["samples", samples]], "", split);
    else selection.select(select);
    byId("explore").scrollIntoView();
    byId("selection").focus({ preventScroll: true });
  });
  addEventListener("popstate", () => selection.read());
}

function addKeys(selection, tooltip) {
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input:not([type=checkbox]), select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && !isTyping) {
      tooltip.hide();
      if (selection.isActive || !selection.isUsualSplit) selection.replace([], "", selection.defaults.split);
      else byId("selection").textContent = selection.text();
    } else if (event.key === "?" && !isTyping) byId("help").showModal();
    else if (event.key === "/" && !isTyping) {
      event.preventDefault();
      byId("search").focus();
    }
  });
}

explore(JSON.parse(byId("explorer-data").textContent)).catch((error) => {
  byId("explore-shown").textContent = `This browser can't show the samples (${error.message}); the figures and tables below show the same results.`;
  throw error;
});
