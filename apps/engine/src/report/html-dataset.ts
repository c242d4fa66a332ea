import { columnSvg } from "./column-svg.ts";
import type { ColumnView, DatasetView } from "./dataset-view.ts";
import { type Markup, markup } from "./markup.ts";
import { formatCount } from "./quantity.ts";

/** Columns of one dataset that the page holds; the JSON report has them all. */
const SHOWN = 300;

/** What a dataset looks like: one row per column, each with a small chart. */
export function datasetSection(view: DatasetView, place: number): Markup {
  const key = `dataset-${place}`;
  const about = [view.shape, view.storage, view.dialect, view.contract && `contract ${view.contract}`];
  const rest = view.columns.length - SHOWN;
  return markup`<section id="${key}" aria-labelledby="${key}-title"><h2 id="${key}-title">Dataset ${view.name}</h2>
<table class="stack columns" role="table"><caption>${about.filter(Boolean).join(" · ")}</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Column</th><th role="columnheader" scope="col">Type</th><th role="columnheader" scope="col" class="number">Nulls</th><th role="columnheader" scope="col" class="number">Distinct</th><th role="columnheader" scope="col">Range</th><th role="columnheader" scope="col">Values</th></tr></thead>
<tbody role="rowgroup">${view.columns.slice(0, SHOWN).map((column, index) => row(column, `${key}-${index}`))}</tbody></table>
${rest > 0 && markup`<p class="dim">… and ${formatCount(rest)} more columns: the JSON report has them all.</p>`}</section>`;
}

function row(column: ColumnView, key: string): Markup {
  return markup`<tr role="row"><td role="cell" class="name">${column.name}</td><td role="cell" data-label="Type"><code>${column.type}</code></td><td role="cell" data-label="Nulls" class="number">${column.nulls}</td><td role="cell" data-label="Distinct" class="number">${column.distinct}</td><td role="cell" data-label="Range">${range(column)}</td><td role="cell" data-label="Values">${columnSvg(column, key)}</td></tr>`;
}

function range({ range: text, withheld }: ColumnView): Markup | string {
  if (withheld === "") return text;
  return markup`<span>${text !== "" && markup`${text}<br>`}<span class="withheld">Values withheld: ${withheld}</span></span>`;
}
