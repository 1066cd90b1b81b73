"""The style of the report page: one block, allowed by its hash in the page's Content-Security-Policy.

Colours of the series keep apart under the common forms of colour blindness (after Okabe and Ito, darkened for text on
white and lightened for the dark scheme); shapes and direct labels carry the same distinction without colour.
"""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1d2227; --soft: #59626b; --hair: #dcdfe1; --rule: #e9ebec; --tint: #f3f4f2;
  --s0: #0067a6; --s1: #c24e00; --s2: #007a58; --s3: #9c4a8b; --s4: #80650a; --s5: #2a7fb8;
  --base: #6d757d; --teacher: #40474e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b; --ink: #e4e6e8; --soft: #a0a8af; --hair: #343a40; --rule: #262b30; --tint: #1d2125;
    --s0: #6cb6ee; --s1: #ff9c5c; --s2: #4fce9f; --s3: #e29fd4; --s4: #e0c24e; --s5: #9fd2f4;
    --base: #98a1a9; --teacher: #cdd2d6;
  }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --ink: #000; --soft: #444; --hair: #bbb; --rule: #ddd; --tint: #fff;
    --s0: #0067a6; --s1: #c24e00; --s2: #007a58; --s3: #9c4a8b; --s4: #80650a; --s5: #2a7fb8;
    --base: #6d757d; --teacher: #40474e;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; padding: 3.2rem 1.25rem 5rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.58 Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, "Liberation Serif", serif;
}
main, header, footer { max-width: 66rem; margin: 0 auto; }
p, h1, h2, dl { max-width: 42rem; }
h1 { margin: 0 0 .3rem; font-size: 2.1rem; line-height: 1.15; font-weight: 600; letter-spacing: -.012em; }
h2 { margin: 3.4rem 0 .5rem; font-size: 1.32rem; line-height: 1.25; font-weight: 600; }
p { margin: 0 0 .9rem; }
.byline, .note, figcaption, caption, summary, footer, .meta, .panel h3, th, td, dt, dd {
  font-family: system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif;
}
.byline { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; margin-bottom: 1.6rem; }
.lede { font-size: 1.16rem; }
figure { margin: 1.2rem 0 1.6rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1.4rem 2rem; }
.panel { min-width: 0; max-width: 28rem; break-inside: avoid; }
.panel h3 { margin: 0 0 .35rem; font-size: .9rem; font-weight: 600; overflow-wrap: anywhere; }
figcaption { margin: .8rem 0 .5rem; max-width: 42rem; color: var(--soft); font-size: .875rem; line-height: 1.5; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text {
  font: 12px system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; fill: var(--soft);
}
svg .start { text-anchor: start; } svg .middle { text-anchor: middle; } svg .end { text-anchor: end; }
svg .label { fill: currentColor; font-weight: 600; }
svg .value { fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .rule { stroke: var(--rule); } svg .zero { stroke: var(--soft); }
svg .mark { fill: currentColor; stroke: var(--paper); stroke-width: 1; }
svg .hollow { fill: var(--paper); stroke: currentColor; stroke-width: 2; }
svg .whisker { stroke: currentColor; stroke-width: 2; stroke-linecap: round; opacity: .62; }
svg .path { fill: none; stroke: currentColor; stroke-width: 1.6; opacity: .8; }
svg .path.base, svg .path.teacher { stroke-dasharray: 3 3; }
svg .bar { fill: currentColor; opacity: .82; }
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); }
.s3 { color: var(--s3); } .s4 { color: var(--s4); } .s5 { color: var(--s5); }
.base { color: var(--base); } .teacher { color: var(--teacher); }
.scroll {
  overflow-x: auto;
  background: linear-gradient(to left, var(--paper) 40%, transparent) right / 2.4rem 100% no-repeat local,
    linear-gradient(to left, var(--hair), transparent) right / .9rem 100% no-repeat scroll;
}
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .84rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .3rem 0 .5rem; font-weight: 600; font-size: .9rem; }
th, td { padding: .32rem .7rem .32rem 0; text-align: left; vertical-align: top; font-weight: 400; }
th.num, td.num { text-align: right; padding: .32rem 0 .32rem .9rem; white-space: nowrap; }
th.word, td.word { max-width: 18rem; overflow-wrap: break-word; }
thead th { color: var(--soft); vertical-align: bottom; border-bottom: 1px solid var(--ink); }
thead th.num { white-space: normal; min-width: 4.2rem; }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
tbody th { font-weight: 600; }
.note { color: var(--soft); font-size: .82rem; line-height: 1.5; margin-top: .6rem; }
details { margin: .4rem 0; border-top: 1px solid var(--hair); }
summary { cursor: pointer; padding: .5rem 0; font-size: .9rem; color: var(--soft); overflow-wrap: anywhere; }
summary:hover { color: var(--ink); }
details[open] > summary { color: var(--ink); }
details > :last-child { margin-bottom: 1.2rem; }
pre {
  margin: .2rem 0 .8rem; padding: .8rem 1rem; background: var(--tint); border-radius: 4px; max-width: 100%;
  font: .84rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.meta { color: var(--soft); font-size: .82rem; margin: 0 0 .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; font-size: .875rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 4rem; padding-top: .8rem; border-top: 1px solid var(--hair); }
footer p { color: var(--soft); font-size: .82rem; }
@media (max-width: 40rem) {
  body { padding: 1.6rem 1rem 3rem; font-size: 1rem; } h1 { font-size: 1.65rem; } h2 { margin-top: 2.4rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
@media print {
  html { font-size: 9.5pt; } body { padding: 0; } .scroll { overflow: visible; } h2, caption { break-after: avoid; }
  .panels, tr, pre { break-inside: avoid; } .panels { grid-template-columns: 1fr 1fr; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""
