"""The frame of the report page."""

from string import Template

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src $allowed">
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
<footer>Intervals in brackets hold at the $level level. Entropy is in nats (natural
logarithm).$compressed</footer>
$scripts
</body>
</html>
""")
