// Names the run by the folder that the page is in, <name>/<date>-<time>: the page itself has no date, so that equal
// runs have equal pages.
"use strict";
{
  const [, name, run] = decodeURI(location.pathname).match(/([^/]+)\/([^/]+)\/data\/report\/[^/]+$/) ?? [];
  const place = document.getElementById("run-name");
  if (place && /^\d{8}-\d{6}/.test(run)) place.textContent = `${name}/${run},`;
}
