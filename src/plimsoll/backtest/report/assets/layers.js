// How each kind of layer is drawn: one path for all of it, whatever its length.
const two = (value) => Math.round(value * 100) / 100;

function pathOf(plot, pane, layer, values, isStep) {
  const [first, last] = plot.seen(layer);
  const parts = [];
  for (let i = first; i <= last; i++) {
    const x = two(plot.x(layer.t[i]));
    const y = two(plot.y(pane, values[i]));
    if (i === first) parts.push(`M${x} ${y}`);
    else parts.push(isStep ? `H${x}V${y}` : `L${x} ${y}`);
  }
  return parts.join("");
}

/** Keep what leaves the pane out of sight. */
function clipped(plot, pane) {
  const id = `clip-${(clipped.count = (clipped.count || 0) + 1)}`;
  const clip = draw(plot.svg, "clipPath", { id });
  const width = plot.width - LEFT - RIGHT;
  draw(clip, "rect", { x: LEFT, y: pane.top - 1, width, height: pane.height + 2 });
  return draw(plot.svg, "g", { "clip-path": `url(#${id})` });
}

function line(plot, pane, layer) {
  if (layer.t.length) draw(clipped(plot, pane), "path", { class: layer.kind, d: pathOf(plot, pane, layer, layer.y) });
}

/** Fill between the values and zero. */
function area(plot, pane, layer, isStep) {
  if (!layer.t.length) return;
  const [first, last] = plot.seen(layer);
  const zero = two(plot.y(pane, 0));
  const d = pathOf(plot, pane, layer, layer.y, isStep);
  const close = `V${zero}H${two(plot.x(layer.t[first]))}Z`;
  if (last >= first) draw(clipped(plot, pane), "path", { class: layer.kind, d: d + close });
}

/** Fill between two columns of values. */
function between(plot, pane, layer) {
  if (!layer.t.length) return;
  const [first, last] = plot.seen(layer);
  const back = [];
  for (let i = last; i >= first; i--) {
    back.push(`L${two(plot.x(layer.t[i]))} ${two(plot.y(pane, layer.low[i]))}`);
  }
  const d = `${pathOf(plot, pane, layer, layer.high)}${back.join("")}Z`;
  draw(clipped(plot, pane), "path", { class: layer.kind, d });
}

/** Draw candles where there is room for them, else the range and the closes. */
function candles(plot, pane, layer) {
  const [first, last] = plot.seen(layer);
  const room = (plot.width - LEFT - RIGHT) / Math.max(1, last - first + 1);
  if (room < 4) {
    between(plot, pane, { ...layer, kind: "range" });
    line(plot, pane, { ...layer, kind: "close", y: layer.close });
    return;
  }
  const paths = { up: [], down: [] };
  const half = Math.min(6, room * 0.35);
  for (let i = first; i <= last; i++) {
    const next = layer.t[i + 1] ?? 2 * layer.t[i] - (layer.t[i - 1] ?? layer.t[i]);
    const x = plot.x((layer.t[i] + next) / 2); // a bar stands in the middle of its time
    const [open, high, low, close] = ["open", "high", "low", "close"].map((one) => plot.y(pane, layer[one][i]));
    const [top, bottom] = [Math.min(open, close), Math.max(open, close, Math.min(open, close) + 0.5)];
    const body = `M${two(x - half)} ${two(top)}H${two(x + half)}V${two(bottom)}H${two(x - half)}Z`;
    const wick = `M${two(x)} ${two(high)}V${two(top)}M${two(x)} ${two(bottom)}V${two(low)}`;
    paths[layer.close[i] >= layer.open[i] ? "up" : "down"].push(body + wick);
  }
  const group = clipped(plot, pane);
  for (const kind in paths) draw(group, "path", { class: kind, d: paths[kind].join("") });
}

/** Draw a triangle for each fill: up and below its price for a buy, down and above for a sell. */
function marks(plot, pane, layer) {
  const paths = { buy: [], sell: [] };
  for (let i = placeOf(layer.t, plot.view[0] - 1) + 1; i < layer.t.length; i++) {
    if (layer.t[i] > plot.view[1]) break;
    const [x, y] = [two(plot.x(layer.t[i])), two(plot.y(pane, layer.y[i]))];
    if (layer.fills[i].qty > 0) paths.buy.push(`M${x} ${y}l4.5 8h-9z`);
    else paths.sell.push(`M${x} ${y}l4.5 -8h-9z`);
  }
  const group = clipped(plot, pane);
  const many = paths.buy.length + paths.sell.length > 400 ? " many" : ""; // rims would hide the price
  for (const kind in paths) draw(group, "path", { class: kind + many, d: paths[kind].join("") });
}

const LAYERS = {
  line,
  hold: line,
  fall: area,
  held: (plot, pane, layer) => area(plot, pane, layer, true),
  span: between,
  candles,
  marks,
};
