// The selection as a file, as ids and as a link. Nothing is asked of any server.
function addExports(samples, selection) {
  byId("csv").addEventListener("click", () => download(csvOf(samples, selection), "samples.csv"));
  byId("copy-ids").addEventListener("click", () => {
    const ids = selection.ordered().map((i) => samples.idOf(i));
    copy(ids.join("\n"), `${ids.length} ids`);
  });
  byId("copy-link").addEventListener("click", () => {
    copy(location.href.split("#")[0] + selection.address, "The link");
  });
}

// All columns of the listed samples, as precise as the page has them.
function csvOf(samples, selection) {
  const keys = samples.keys;
  const writers = keys.map((key) => writerOf(key, samples));
  if (samples.issues.size) {
    keys.push("issues");
    writers.push((i) => quoted(samples.issuesOf(i).join("; ")));
  }
  const rows = Array.from(selection.listed, (i) => writers.map((write) => write(i)).join());
  return [keys.map(quoted).join(), ...rows, ""].join("\r\n");
}

function writerOf(key, samples) {
  const { kind, packed } = samples.columns.get(key);
  const [names, values] = [samples.names(key), samples.values(key)];
  if (kind === "flag") return (i) => ["false", "true"][values[i]];
  if (names) {
    const texts = names.map(quoted);
    return (i) => texts[values[i]] ?? "";
  }
  if (kind === "date") return (i) => (Number.isNaN(values[i]) ? "" : dateText(values[i]));
  return (i) => (Number.isNaN(values[i]) ? "" : samples.plain(values[i], packed));
}

// A leading sign of a formula gets an apostrophe, as a name must not run in a spreadsheet.
function quoted(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function download(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", undefined, { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function copy(text, what) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyByCommand(text);
  }
  byId("selection").textContent = done ? `${what} copied.` : `This browser does not let the page copy: ${text}`;
}

function copyByCommand(text) {
  const area = make("textarea", text, { class: "hidden", "aria-hidden": "true" });
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return done;
}
