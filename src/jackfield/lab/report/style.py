"""The style sheet of the page: readable on paper-white and on dark screens."""

STYLE = """
:root { --ink: #1f2933; --soft: #616e7c; --line: #d9dee4; --paper: #fff; --panel: #f5f7f9; --accent: #1f7a8c;
  --good: #1b7f4b; --bad: #b3261e; --shell: #17212b; --shell-ink: #d5dde5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --soft: #9aa5b1; --line: #38424d; --paper: #14191f; --panel: #1c232b;
    --accent: #6cc3d5; --good: #5fd39a; --bad: #ff8a80; --shell: #0d1116; }
  figure { filter: invert(.9) hue-rotate(180deg); } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.55 system-ui, sans-serif; }
header, main { max-width: 62rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.5rem; }
h1 { margin: 0; font-size: 2.1rem; letter-spacing: -.02em; }
h2 { margin: 0 0 .4rem; font-size: 1.55rem; letter-spacing: -.01em; }
h3 { margin: 1.6rem 0 .2rem; font-size: 1.06rem; }
a { color: var(--accent); }
.outcome { margin: .4rem 0 0; font-size: 1.15rem; font-weight: 600; color: var(--good); }
.outcome.failed { color: var(--bad); }
.about { margin: .1rem 0 1.2rem; color: var(--soft); }
nav { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; }
nav ol { margin: 0; padding-left: 1.4rem; }
nav li { padding: .15rem 0; }
.chip { display: inline-block; margin-left: .3rem; padding: 0 .55rem; border-radius: 1rem; font-size: .8rem;
  border: 1px solid var(--line); white-space: nowrap; }
.chip.holds { color: var(--good); border-color: currentColor; }
.chip.fails { color: var(--bad); border-color: currentColor; font-weight: 600; }
.chip.skipped { color: var(--soft); border-style: dashed; }
section { margin: 3.2rem 0; padding-top: 1.2rem; border-top: 1px solid var(--line); }
.lead { margin: 0 0 1.2rem; max-width: 46rem; color: var(--soft); font-size: 1.05rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .38rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
.verdicts th + th, .verdicts td + td { text-align: center; width: 9rem; }
.figures th + th, .figures td + td { text-align: right; font-variant-numeric: tabular-nums; }
.figures td + td { white-space: nowrap; }
.yes { color: var(--good); font-weight: 700; }
.no { color: var(--bad); font-weight: 700; }
.none { color: var(--soft); }
figure { margin: 1.2rem 0; padding: .6rem; background: #fff; border: 1px solid var(--line);
  border-radius: 10px; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { color: #616e7c; font-size: .88rem; text-align: center; }
details { margin: .8rem 0; border: 1px solid var(--line); border-radius: 10px; padding: 0 1.1rem; }
details[open] { padding-bottom: 1rem; }
summary { cursor: pointer; padding: .65rem 0; font-weight: 600; }
code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; }
.shell { margin: .6rem 0; padding: .8rem 1rem; border-radius: 8px; overflow-x: auto; color: var(--shell-ink);
  background: var(--shell); font: .84rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.shell b { color: #fff; font-weight: 600; }
.shell i { opacity: .65; }
.prompt { font-weight: 600; }
.h0 { color: #7fd1e0; } .h1 { color: #e0a8ef; } .h2 { color: #8fb4ff; }
.h3 { color: #97dca6; } .h4 { color: #f2cf7e; } .h5 { color: #f5a38f; }
.check { margin: .3rem 0; font-weight: 400; color: var(--ink); }
.check span { font-weight: 700; }
.check.yes span { color: var(--good); } .check.no, .check.no span { color: var(--bad); }
.check small { color: var(--soft); margin-left: .4rem; }
.capture { margin: .2rem 0; font-size: .88rem; color: var(--soft); }
.note { color: var(--soft); font-style: italic; }
.error { color: var(--bad); font-weight: 600; }
@media print { details > * { display: block; } .shell { white-space: pre-wrap; } }
"""
