import type { Chart, ColumnView } from "./dataset-view.ts";
import { type Markup, markup } from "./markup.ts";
import { formatShare } from "./quantity.ts";
import { clip } from "./visible.ts";

const WIDTH = 180;
const PLOT = 34;
const LINE = 15;

/**
 * A small chart of one column: its histogram, its most frequent values or shapes, or how much of it is NULL, repeated
 * and distinct where no value may be shown. It says in words what it shows.
 *
 * @param key makes the ids within the document unique
 */
export function columnSvg(column: ColumnView, key: string): Markup {
  const { chart } = column;
  const { body, height, text } = draw(chart);
  return markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="${key}-title ${key}-desc"><title id="${key}-title">${TITLES[chart.kind]} of ${column.name}</title><desc id="${key}-desc">${text}</desc>${body}</svg>`;
}

const TITLES: Record<Chart["kind"], string> = {
  histogram: "Distribution",
  top: "Most frequent entries",
  shares: "Nulls, distinct and repeated values",
};

interface Picture {
  body: Markup;
  height: number;
  text: string;
}

function draw(chart: Chart): Picture {
  if (chart.kind === "histogram") return histogram(chart);
  return chart.kind === "top" ? top(chart) : shares(chart);
}

function histogram({ counts, low, high }: Extract<Chart, { kind: "histogram" }>): Picture {
  const most = Math.max(...counts);
  const step = WIDTH / counts.length;
  const bars = counts.map((count, place) => {
    // A bin that is not empty stays visible beside any other.
    const height = count === 0 ? 0 : Math.max(1, round((count / most) * PLOT));
    return markup`<rect class="bar" x="${round(place * step)}" y="${round(PLOT - height)}" width="${round(Math.max(0.5, step - 1))}" height="${height}"/>`;
  });
  const body = markup`${bars}<line class="base" x1="0" y1="${PLOT}" x2="${WIDTH}" y2="${PLOT}"/><text class="dim" x="0" y="${PLOT + 13}">${clip(low, 14)}</text><text class="dim" x="${WIDTH}" y="${PLOT + 13}" text-anchor="end">${clip(high, 14)}</text>`;
  const peak = counts.indexOf(most) + 1;
  const text = `${counts.length} equal bins from ${low} to ${high}; bin ${peak} holds the most rows.`;
  return { body, height: PLOT + 17, text };
}

function top({ bars }: Extract<Chart, { kind: "top" }>): Picture {
  const most = Math.max(...bars.map(({ share }) => share), Number.EPSILON);
  const lines = bars.map(({ label, share }, place) => {
    const y = place * LINE;
    const length = Math.max(1, round((share / most) * 56));
    return markup`<text class="label" x="0" y="${y + 11}">${clip(label, 11)}</text><rect class="bar" x="74" y="${y + 3}" width="${length}" height="9" rx="1"/><text class="dim" x="${74 + length + 4}" y="${y + 11}">${formatShare(share)}</text>`;
  });
  const text = bars.map(({ label, share }) => `${clip(label, 40)}: ${formatShare(share)}`).join("; ");
  return { body: markup`${lines}`, height: bars.length * LINE + 1, text };
}

function shares({ nullShare, distinctShare }: Extract<Chart, { kind: "shares" }>): Picture {
  const distinct = round(distinctShare * WIDTH);
  const nulls = round(nullShare * WIDTH);
  const repeated = round(Math.max(0, WIDTH - distinct - nulls));
  const words = [
    distinctShare > 0 ? `${formatShare(distinctShare)} distinct` : "",
    nullShare > 0 ? `${formatShare(nullShare)} null` : "",
  ];
  const legend = words.filter(Boolean).join(" · ") || "no rows";
  const body = markup`<rect class="bar" x="0" y="2" width="${distinct}" height="9"/><rect class="bar soft" x="${distinct}" y="2" width="${repeated}" height="9"/><rect class="bar none" x="${round(distinct + repeated)}" y="2" width="${nulls}" height="9"/><text class="dim" x="0" y="25">${legend}</text>`;
  return { body, height: 29, text: `${legend}; the rest repeats a value.` };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
