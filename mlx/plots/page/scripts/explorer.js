// Links the plots, the confusion matrix and the table of samples: one selection, shown in all.
async function explore(data) {
  const bokeh = await embedPlots(data);
  const source = bokeh.get_model_by_name("samples");
  const samples = new Samples(data, source);
  const selection = new Selection(source);
  const tooltip = new Tooltip(samples, bokeh.get_model_by_name("cursor"));
  const matrix = new ConfusionMatrix(samples, selection);
  const table = new SampleTable(samples, selection, tooltip);

  function refresh(chosen, reason) {
    byId("selection").textContent = selectionText(samples, chosen, reason);
    byId("clear").disabled = !chosen.length;
    matrix.mark(chosen);
    table.showPage(0);
  }
  selection.onChange(refresh);
  for (const view of data.views) addKeyboard(view, samples, selection, tooltip);
  addControls(bokeh, samples, selection, tooltip, matrix);
  colorBy("outcome", samples);
  refresh([], "");
  document.documentElement.dataset.ready = "true";
}

function addControls(bokeh, samples, selection, tooltip, matrix) {
  samples.source.inspect.connect(() => {
    const [first] = samples.source.inspected.indices;
    if (first === undefined) tooltip.hide();
    else tooltip.show(first);
  });
  for (const link of document.querySelectorAll("a[data-samples]")) {
    link.addEventListener("click", () => selectNumbers(link.dataset.samples.split(",").map(Number), samples, selection));
  }
  for (const link of document.querySelectorAll("a[data-cell]")) {
    link.addEventListener("click", () => matrix.select(link.dataset.cell, link.title, Number(link.dataset.count)));
  }
  byId("clear").addEventListener("click", () => selection.set([]));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    tooltip.hide();
    selection.set([]);
  });
  byId("color").addEventListener("change", (event) => colorBy(event.target.value, samples));
  byId("projection")?.addEventListener("change", ({ target: { value } }) => {
    const map = samples.data.views.find(({ key }) => key === "map");
    showProjection(bokeh.get_model_by_name("map"), map, value, samples.data.projections[value]);
  });
}

// Selects samples by their numbers in the raw data; the page may have only some of them.
function selectNumbers(numbers, samples, selection) {
  const wanted = new Set(numbers);
  const index = samples.column("index");
  const own = samples.all.filter((i) => wanted.has(index[i]));
  const missing = own.length < wanted.size ? `The page has ${own.length} of ${wanted.size}. ` : "";
  selection.set(own, missing);
}

explore(JSON.parse(byId("explorer-data").textContent));
