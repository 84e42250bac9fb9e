"""The pages of a report and of an index, for ``string.Template``; ``page.py`` and ``index.py`` fill them in."""

REPORT_MARK = '<meta name="generator" content="anew report">'
INDEX_MARK = '<meta name="generator" content="anew index">'

INDEX = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{INDEX_MARK}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$count restored by anew</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 720px; margin: 40px auto; padding: 0 24px; }}
li {{ margin: 6px 0; overflow-wrap: anywhere; }} small {{ opacity: .7; }}
</style>
</head>
<body><main>
<h1>$count restored by anew</h1>
<ul>
$links
</ul>
</main></body>
</html>
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="anew report">
<meta name="description" content="$verdict">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>$title: restored by anew</title>
<style>
:root { color-scheme: light dark; --paper: #faf9f6; --card: #fff; --ink: #1c1e21; --quiet: #6b7076; --rule: #e4e2dc;
  --kept: #16784e; --dropped: #96590f; --accent: #2563a8; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --card: #1f2226; --ink: #e8e6e1; --quiet: #9aa0a6;
  --rule: #34383d; --kept: #5cc996; --dropped: #e0a75a; --accent: #7db3ec; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 650; margin: 0; overflow-wrap: anywhere; letter-spacing: -.01em; }
h2 { font-size: 19px; font-weight: 650; margin: 44px 0 14px; }
.lead { margin: 8px 0 24px; font-size: 18px; }
.lead small { color: var(--quiet); font-size: 15px; display: block; }
.slider { position: relative; aspect-ratio: $ratio; width: 100%; max-width: min(100%, max(160px, ${widest}px));
  min-height: 48px; max-height: ${tallest}px; margin: 0 auto; overflow: hidden; border-radius: 10px;
  background: var(--rule); user-select: none; touch-action: pan-y; --x: 50%; }
.slider img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; display: block; }
.slider img:nth-child(2) { clip-path: inset(0 0 0 var(--x)); }
.slider::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--x); width: 2px; margin-left: -1px;
  background: #fff; box-shadow: 0 0 6px #0008; pointer-events: none; }
.slider .knob { position: absolute; top: 50%; left: var(--x); width: 40px; height: 40px; margin: -20px 0 0 -20px;
  border-radius: 50%; background: #fff; box-shadow: 0 1px 8px #0007; pointer-events: none; display: grid;
  place-items: center; color: #333; z-index: 1; }
.slider input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize;
  z-index: 2; }
.slider input:focus-visible ~ .knob { outline: 3px solid var(--accent); outline-offset: 2px; }
.tag { position: absolute; bottom: 12px; padding: 3px 11px; border-radius: 99px; background: #000a; color: #fff;
  font-size: 13px; pointer-events: none; }
.tag.b { left: 12px; } .tag.a { right: 12px; }
ul { list-style: none; padding: 0; margin: 0; }
li, table, details { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
li { padding: 12px 16px; margin-bottom: 8px; }
li b { display: inline-block; min-width: 96px; }
.sure { display: inline-block; width: 56px; height: 6px; border-radius: 3px; background: var(--rule);
  margin: 0 8px 2px 14px; overflow: hidden; } .sure i { display: block; height: 100%; background: var(--accent); }
table { width: 100%; border-collapse: separate; border-spacing: 0; }
td { padding: 12px 16px; vertical-align: top; border-top: 1px solid var(--rule); }
tr:first-child td { border-top: 0; }
td small { display: block; color: var(--quiet); font-size: 13px; margin-top: 3px; }
.kept { color: var(--kept); font-weight: 600; } .dropped { color: var(--dropped); font-weight: 600; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 16px; }
figure { margin: 0; } figure img { width: 100%; border-radius: 8px; display: block; }
figcaption { color: var(--quiet); font-size: 14px; margin-top: 6px; }
details { margin-top: 32px; padding: 12px 16px; } summary { cursor: pointer; font-weight: 600; }
pre { overflow: auto; max-height: 420px; font-size: 13px; }
footer { color: var(--quiet); font-size: 14px; margin-top: 40px; }
@media (max-width: 640px) { main { padding: 24px 14px 48px; }
  table, tbody, tr, td { display: block; } tr { padding: 12px 0; } tr + tr { border-top: 1px solid var(--rule); }
  td { padding: 0 16px; border: 0; } .num { text-align: left; }
  li b { display: block; } }
</style>
</head>
<body><main>
<h1>$title</h1>
<p class="lead">$verdict <small>$size</small></p>
<div class="slider" id="slider">
<img src="$before" alt="before">
<img src="$after" alt="after">
<input type="range" min="0" max="100" step="1" value="50" aria-label="how much of the picture shows before">
<span class="knob" aria-hidden="true">&#8596;</span>
<span class="tag b">before</span><span class="tag a">after</span>
</div>
<h2>What was found</h2>
<ul>$findings</ul>
<h2>What was done</h2>
<table><tbody>$steps</tbody></table>
$maps
$recipe
<footer>anew $version, $seconds s of repair. Nothing on this page is loaded from elsewhere.</footer>
</main>
<script>
const slider = document.getElementById("slider");
slider.querySelector("input").addEventListener("input", (event) => {
  slider.style.setProperty("--x", event.target.value + "%");
});
</script>
</body>
</html>
"""
