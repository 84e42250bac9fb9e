"""The page of a benchmark, for ``string.Template``; what it shows is filled in by ``page.py``."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>anew bench: $task</title>
<style>
:root { color-scheme: light dark; --paper: #faf9f6; --card: #fff; --ink: #1c1e21; --quiet: #5f646a; --rule: #e4e2dc;
  --good: #16784e; --good-paper: #e3f3ea; --warn: #96590f; --own: #2563a8; --peer: #a0662b; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --card: #1f2226; --ink: #e8e6e1; --quiet: #9aa0a6;
  --rule: #34383d; --good: #5cc996; --good-paper: #1d3a2d; --warn: #e0a75a; --own: #7db3ec; --peer: #e0a75a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 650; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 19px; font-weight: 650; margin: 44px 0 6px; }
h3 { font-size: 16px; font-weight: 650; margin: 22px 0 8px; }
p { margin: 4px 0 14px; } .lead, .about { color: var(--quiet); } .warn { color: var(--warn); font-weight: 600; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 14px; margin-top: 22px; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 16px 20px; }
.card.first { background: var(--good-paper); border-color: var(--good); }
.card small { color: var(--quiet); display: block; font-size: 14px; }
.card b { font-size: 27px; line-height: 1.25; display: block; letter-spacing: -.01em; }
.card.first b { color: var(--good); }
.card span { display: block; font-variant-numeric: tabular-nums; }
.card i { display: block; color: var(--quiet); font-style: normal; font-size: 14px; margin-top: 6px; }
.card code { display: block; margin-top: 10px; padding: 5px 9px; border-radius: 6px; background: var(--paper);
  font-size: 13px; overflow-wrap: anywhere; }
.winners { display: flex; flex-wrap: wrap; gap: 10px; margin-top: 10px; }
.winners span { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 8px 14px;
  font-variant-numeric: tabular-nums; } .winners small { display: block; color: var(--quiet); font-size: 13px; }
.plot { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 12px;
  overflow-x: auto; }
svg { min-width: 640px; width: 100%; height: auto; display: block; font-size: 13px; }
svg text { fill: var(--ink); stroke: var(--card); stroke-width: 4px; paint-order: stroke; }
svg text.quiet { fill: var(--quiet); } svg text.strong { font-weight: 650; }
svg line { stroke: var(--rule); } svg line.base { stroke: var(--quiet); stroke-dasharray: 5 4; }
svg polyline { fill: none; stroke: var(--good); stroke-width: 2; opacity: .55; }
svg circle { fill: var(--own); fill-opacity: .45; stroke: var(--own); } svg circle.peer { fill: var(--peer);
  stroke: var(--peer); } svg circle.front { stroke: var(--good); stroke-width: 2.5; }
.key { color: var(--quiet); font-size: 14px; } .key i { display: inline-block; width: 10px; height: 10px;
  border-radius: 50%; margin: 0 5px 0 12px; } .key i:first-child { margin-left: 0; }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 12px; background: var(--card); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 15px; }
th, td { padding: 8px 10px; text-align: right; white-space: nowrap; border-top: 1px solid var(--rule); }
thead th { border-top: 0; font-weight: 600; color: var(--quiet); position: relative; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--card); }
tbody th { font-weight: 600; } tbody th small { color: var(--quiet); font-weight: 400; }
thead button { position: absolute; inset: 0; width: 100%; opacity: 0; cursor: pointer; }
thead th:has(button:focus-visible) { outline: 2px solid var(--own); outline-offset: -2px; }
thead th[aria-sort=ascending]::after { content: " \\25B4"; }
thead th[aria-sort=descending]::after { content: " \\25BE"; }
td.best { background: var(--good-paper); color: var(--good); font-weight: 650; } td.mean { font-weight: 650; }
tr.peer th { color: var(--peer); } tr.input th, tr.input td, tr.partial th, tr.partial td { color: var(--quiet);
  font-weight: 400; }
tbody tr:hover td, tbody tr:hover th { background: color-mix(in srgb, var(--rule) 45%, var(--card)); }
.strips { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 14px; }
figure { margin: 0; } figure img { width: 100%; border-radius: 8px; display: block; image-rendering: pixelated; }
figcaption { color: var(--quiet); font-size: 14px; margin-top: 4px; }
details { margin-top: 20px; } summary { cursor: pointer; font-weight: 600; }
footer { color: var(--quiet); font-size: 14px; margin-top: 44px; border-top: 1px solid var(--rule); padding-top: 14px; }
@media (max-width: 640px) { main { padding: 24px 14px 48px; } th, td { padding: 7px 8px; }
  tbody th, tbody th small { white-space: normal; } tbody th small { display: block; } }
</style>
</head>
<body><main>
<h1>Which method is best to $task?</h1>
<p class="lead">Measured on this machine with $lead.</p>
$state
<div class="cards">$cards</div>
$winners
<h2>Quality against time</h2>
<p class="about">Up is better, left is faster; the larger the disc, the more memory. On the green line no
other method is both better and faster.$hidden</p>
<div class="plot" tabindex="0">$plot</div>
<p class="key"><i style="background:var(--own)"></i>anew<i style="background:var(--peer)"></i>other libraries<i
 style="border:2.5px solid var(--good)"></i>best trade-offs</p>
<h2>All figures</h2>
<p class="about">PSNR in dB for each level of damage, then means. The best of each column is marked; click a head to
sort.</p>
<div class="scroll"><table id="table"><thead><tr>$head</tr></thead><tbody>$body</tbody></table></div>
$notes
<h2>Where each method helps least</h2>
<p class="about">Clean, damaged and result, cut out where the result is furthest from the clean picture, for the three
pictures that gained least.</p>
$worst
<footer><p>$protocol</p><p>Machine: $machine.</p><p>Versions: $versions.</p>
<p>All figures are in bench.json and table.csv beside this page. Nothing here is loaded from elsewhere.</p></footer>
</main>
<script>
const table = document.getElementById("table");
const heads = [...table.tHead.rows[0].cells];
function sort(column, descending) {
  const body = table.tBodies[0];
  const key = (row) => {
    const cell = row.cells[column];
    if (cell.dataset.value === undefined) return cell.textContent.trim();
    return cell.dataset.value === "" ? NaN : Number(cell.dataset.value);
  };
  const rows = [...body.rows].sort((a, b) => {
    const x = key(a), y = key(b);
    if (typeof x === "string") return descending ? y.localeCompare(x) : x.localeCompare(y);
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
    return descending ? y - x : x - y;
  });
  body.append(...rows);
  heads.forEach((head, i) => i === column
    ? head.setAttribute("aria-sort", descending ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
}
heads.forEach((head, column) => {
  const button = head.querySelector("button");
  button.setAttribute("aria-label", "sort by " + head.textContent);
  button.addEventListener("click", () => {
    const was = head.getAttribute("aria-sort");
    const lower = /GMSD|perceptual|s \\/ MP|MB|method/.test(head.textContent);
    sort(column, was ? was === "ascending" : !lower);
  });
});
</script>
</body>
</html>
"""
