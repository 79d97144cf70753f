"""The frame of the report page: document, and a style sheet for light, dark, phone and print."""

from string import Template

STYLE = """
:root { color-scheme: light dark; --page: #fbfbfa; --card: #ffffff; --ink: #1d2430; --soft: #59616e;
  --line: #e1e3e6; --accent: #005a8f; --note: #a34700; }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --card: #1d2127; --ink: #e8eaed;
  --soft: #a7aeb8; --line: #343a43; --accent: #7cc4f0; --note: #ffab70; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 36px; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .9rem; padding-top: .9rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .2rem; }
p { margin: 0 0 .6rem; max-width: 70ch; }
.soft, figcaption p, footer { color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; margin: .8rem 0 0;
  list-style: none; }
a { color: var(--accent); }
.headlines { display: grid; margin: 26px 0 0; gap: 14px;
  grid-template-columns: repeat(auto-fit, minmax(215px, 1fr)); }
.headline, figure, .scroll { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.headline { padding: 15px 17px 12px; margin: 0; }
.headline dt { color: var(--soft); font-size: .84rem; }
.headline dd { margin: 0; font-size: .9rem; }
.headline .value { font-size: 1.85rem; font-weight: 650; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.headline .interval:empty { display: none; }
.headline .interval { color: var(--soft); font-size: .84rem; margin-bottom: .4rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 18px;
  align-items: start; margin-bottom: 18px; }
.picture { overflow-x: auto; }
figure { margin: 0; padding: 15px 17px; }
#similarity_entropy_by_class { grid-column: 1 / -1; }
.figures .scroll { margin: 0; }
@media (min-width: 940px) { #uncertain_samples { grid-column: 2; grid-row: 1 / span 2; } }
figure img { display: block; width: 100%; max-width: var(--natural); height: auto; margin: 10px auto 0;
  background: #fff; border-radius: 6px; }
figcaption p { font-size: .9rem; margin: 0; }
.scroll { overflow-x: auto; margin: 0 0 18px; padding: 12px 16px; overflow-wrap: normal; }
.scroll:focus-visible, .picture:focus-visible, a:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0;
  border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 9ch; max-width: 22ch; overflow-wrap: break-word; }
td { white-space: nowrap; }
.n { text-align: right; }
footer { padding: 26px 24px 44px; font-size: .85rem; }
@media (max-width: 640px) { #similarity_entropy_by_class img { width: 720px; } }
@media (max-width: 520px) { header, main, footer { padding-left: 14px; padding-right: 14px; }
  header { padding-top: 22px; } h1 { font-size: 1.55rem; } figure { padding: 12px 10px; }
  .scroll { padding: 10px 12px; } }
@media print { nav { display: none; } figure, .headline { break-inside: avoid; } }
"""

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$name: report</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>
<h1>$name</h1>
$introduction
<nav aria-label="Sections"><ul>
$links
</ul></nav>
</header>
<main>
$headlines
$sections
</main>
<footer>Intervals in brackets hold at the $level level. Entropy is in nats (natural logarithm).</footer>
</body>
</html>
""")
