// Charts (`{% chart %}`): draws the JSON beside the figure with uPlot. When the page's data is swapped the canvas stays and
// takes the new numbers, so nothing flickers. Colours come from the tokens and follow the theme.
const drawn = new WeakMap(); // plot element -> { plot, shape, data }
const HEIGHT_PX = 176;
const FEW_POINTS = 20;
const LEAST_SPAN_S = 300;
const LABEL_ROOM_PX = 34;
const ORDER = ["accent", "text-muted", "good", "wait"];
const ROLES = { candidate: "accent", stable: "text-muted", shadow: "line-strong" };

// A custom property that holds light-dark() is only resolved where it is used as a colour.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
const token = (name) => {
  probe.style.color = `var(--ps-${name})`;
  return getComputedStyle(probe).color;
};
const faded = (color, share) => `color-mix(in srgb, ${color} ${share * 100}%, transparent)`;
let palette = {};
const readPalette = () => {
  palette = Object.fromEntries(
    ["accent", "text-muted", "line", "line-strong", "good", "wait", "harm", "text-color", "surface"].map((name) => [name, token(name)]),
  );
};

const trimmed = (value, places) => Number(value.toFixed(places)).toLocaleString("en");
const UNITS = {
  percent: (v) => `${trimmed(v * 100, Math.abs(v) < 0.001 && v !== 0 ? 3 : 1)}\u00a0%`,
  ms: (v) => (Math.abs(v) < 1000 ? `${trimmed(v, 0)}\u00a0ms` : `${trimmed(v / 1000, 1)}\u00a0s`),
  usd_nanos: (v) => `$${(v / 1e9).toPrecision(2)}`,
  score: (v) => v.toFixed(3),
  count: (v) => trimmed(v, 1),
};
const textOf = (value, unit) => (value === null || value === undefined ? "–" : (UNITS[unit] ?? UNITS.count)(value));

// Ticks are round numbers: they need the places that tell them apart.
const tickText = (value, unit) => (unit === "percent" ? `${trimmed(value * 100, 3)}\u00a0%` : textOf(value, unit));

// uPlot wants columns: x, then per series its values and, where there is one, its interval.
const columnsOf = (data) => {
  const columns = [data.x];
  for (const one of data.series) {
    columns.push(one.values);
    if (one.low) columns.push(one.high, one.low);
  }
  return columns;
};

const shapeOf = (data) => `${data.unit}|${data.series.map((one) => `${one.key}${one.low ? "~" : ""}`).join(",")}`;

const colorName = (one, position) => ROLES[one.key] ?? ORDER[position % ORDER.length];

const spanOf = (low, high) => (high - low < LEAST_SPAN_S ? [high - LEAST_SPAN_S, high + 30] : [low, high]);

const options = (element, holder) => {
  const { data } = holder;
  const series = [{}];
  const bands = [];
  data.series.forEach((one, position) => {
    const name = colorName(one, position);
    series.push({
      label: one.label,
      stroke: () => palette[name],
      width: one.key === "candidate" ? 2.25 : 1.5,
      dash: one.key === "shadow" ? [2, 3] : undefined,
      // A line needs neighbours; a handful of points is shown as points.
      points: { show: (u) => u.data[0].length <= FEW_POINTS, size: 6, fill: () => palette[name] },
      spanGaps: false,
    });
    if (!one.low) return;
    bands.push({ series: [series.length, series.length + 1], fill: () => faded(palette[name], 0.14) });
    series.push({ stroke: null, points: { show: false } }, { stroke: null, points: { show: false } });
  });
  const axis = {
    stroke: () => palette["text-muted"],
    font: "12px ui-sans-serif, system-ui, sans-serif",
    grid: { stroke: () => palette.line, width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth || 320,
    height: HEIGHT_PX,
    legend: { show: false },
    padding: [14, 20, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      // A young rollout has a minute or two: give it room instead of stretching it over the whole width.
      x: { range: (_, low, high) => spanOf(low ?? high ?? Date.now() / 1000, high ?? Date.now() / 1000) },
      y: {
        range: (_, low, high) => {
          const limit = holder.data.limit?.value;
          const top = Math.max(high ?? 0, limit === undefined ? 0 : limit * 1.2) || 1;
          return [Math.min(0, low ?? 0), top * 1.08];
        },
      },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 72,
        values: (_, moments) => moments.map((s) => new Date(s * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })),
      },
      { ...axis, size: 56, space: 32, values: (_, ticks) => ticks.map((v) => tickText(v, holder.data.unit)) },
    ],
    series,
    bands,
    hooks: {
      drawClear: [(u) => shadeWindow(u, holder.data)],
      draw: [(u) => drawMarks(u, holder.data), (u) => drawLimit(u, holder.data)],
      setCursor: [(u) => showTip(u, holder)],
    },
  };
};

const shadeWindow = (u, { window: span }) => {
  if (!span) return;
  const left = Math.max(u.valToPos(span.from, "x", true), u.bbox.left);
  const right = Math.min(u.valToPos(span.to, "x", true), u.bbox.left + u.bbox.width);
  if (right <= left) return;
  u.ctx.save();
  u.ctx.fillStyle = faded(palette.wait, 0.1);
  u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
  u.ctx.restore();
};

const line = (u, color, dash, x1, y1, x2, y2) => {
  const { ctx } = u;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((d) => d * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.restore();
};

const label = (u, text, color, x, y) => {
  const { ctx } = u;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px ui-sans-serif, system-ui, sans-serif`;
  ctx.fillStyle = color;
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  ctx.fillText(text, x, y);
  ctx.restore();
};

const drawLimit = (u, { limit }) => {
  if (!limit) return;
  const y = Math.round(u.valToPos(limit.value, "y", true)) + 0.5;
  line(u, palette.harm, [5, 4], u.bbox.left, y, u.bbox.left + u.bbox.width, y);
};

const drawMarks = (u, { marks = [] }) => {
  let free = -Infinity;
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark.at, "x", true)) + 0.5;
    if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
    line(u, palette["line-strong"], [2, 3], x, u.bbox.top, x, u.bbox.top + u.bbox.height);
    if (x < free) continue; // moves seconds apart: the first label stands for them
    label(u, mark.label, palette["text-muted"], x, u.bbox.top - 1);
    free = x + LABEL_ROOM_PX * devicePixelRatio;
  }
};

const showTip = (u, holder) => {
  const { data } = holder;
  holder.tip ??= u.over.appendChild(Object.assign(document.createElement("div"), { className: "ps-chart__tip" }));
  const { idx, left } = u.cursor;
  holder.tip.hidden = idx === null || idx === undefined || left < 0;
  if (holder.tip.hidden) return;
  const time = new Date(data.x[idx] * 1000).toLocaleTimeString("en-GB");
  holder.tip.textContent = [time, ...data.series.map((one) => `${one.label}  ${textOf(one.values[idx], data.unit)}`)].join("\n");
  const room = u.over.clientWidth - holder.tip.offsetWidth;
  holder.tip.style.translate = `${left + 12 > room ? left - holder.tip.offsetWidth - 12 : left + 12}px 4px`;
};

const show = (figure, data) => {
  const element = figure.querySelector("[data-chart-plot]");
  if (!element || !window.uPlot || !data?.x) return;
  const known = drawn.get(element);
  if (known && known.shape === shapeOf(data)) {
    known.data = data;
    known.plot.setData(columnsOf(data));
    return;
  }
  known?.plot.destroy();
  const holder = { data, shape: shapeOf(data) };
  holder.plot = new window.uPlot(options(element, holder), columnsOf(data), element);
  drawn.set(element, holder);
  resizes.observe(element);
};

const resizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const plot = drawn.get(target)?.plot;
    if (plot && contentRect.width && Math.round(contentRect.width) !== plot.width) {
      plot.setSize({ width: Math.round(contentRect.width), height: HEIGHT_PX });
    }
  }
});

const keyLine = (key, text, value) => {
  const item = document.createElement("span");
  item.className = "ps-key-line";
  item.dataset.series = key;
  const mark = Object.assign(document.createElement("span"), { className: "ps-key-line__mark" });
  const number = Object.assign(document.createElement("b"), { className: "ps-num", textContent: value });
  item.append(mark, `${text} `, number);
  return item;
};

const writeLegend = (figure, data) => {
  const last = (values) => values.findLast((value) => value !== null);
  const items = data.series.map((one) => keyLine(one.key, one.label, textOf(last(one.values), data.unit)));
  if (data.limit) items.push(keyLine("limit", data.limit.label ?? "Limit", textOf(data.limit.value, data.unit)));
  if (data.window) items.push(keyLine("window", data.window.label, ""));
  figure.querySelector("[data-chart-legend]").replaceChildren(...items);
};

const load = async (figure) => {
  const every = Number(figure.dataset.chartEvery) * 1000;
  try {
    if (!document.hidden) {
      const answer = await fetch(figure.dataset.chartSrc, { headers: { Accept: "application/json" }, cache: "no-cache" });
      if (answer.ok) {
        const data = await answer.json();
        show(figure, data);
        writeLegend(figure, data);
      }
    }
  } catch {
    // The network is away: the last picture stays, the next round tries again.
  }
  if (every && figure.isConnected) setTimeout(load, every, figure);
};

const showAll = () => {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    if (figure.dataset.chartSrc) {
      if (!figure.dataset.chartLoading) {
        figure.dataset.chartLoading = "yes";
        load(figure);
      }
      continue;
    }
    const source = document.getElementById(figure.dataset.chart);
    if (source) show(figure, JSON.parse(source.textContent));
  }
};

readPalette();
showAll();

// htmx tells of every element that it settled: one drawing for all of them.
let isDue = false;
document.addEventListener("htmx:afterSettle", () => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    showAll();
  });
});
document.addEventListener("theme:change", () => {
  readPalette();
  for (const element of document.querySelectorAll("[data-chart-plot]")) drawn.get(element)?.plot.redraw(false);
});
