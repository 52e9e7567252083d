// The charts of the page: equity, rolling Sharpe, trades on price; and tables of what they show.
const layer = (kind, t, y, more) => ({ kind, t, y, reach: [y], ...more });

/** Return holding the owner's instruments with his capital, each an equal part. */
function holdOf(data, owner) {
  const curves = owner.instruments.filter((name) => data.hold[name]).map((name) => curveOf(data.hold[name]));
  const some = curves.filter((curve) => curve.t.length && curve.equity[0] > 0);
  if (!some.length) return { t: [], equity: [] };
  const part = owner.capital / some.length;
  const worth = (t) =>
    some.reduce((sum, curve) => {
      const value = curve.equity[Math.max(0, placeOf(curve.t, t))];
      return sum + (part * value) / curve.equity[0];
    }, 0);
  return { t: some[0].t, equity: some[0].t.map(worth) };
}

function equityChart(root, data, owner) {
  const curve = curveOf(owner.curve);
  const hold = holdOf(data, owner);
  const panes = [
    {
      title: "Equity",
      height: 230,
      axis: (value) => digits(value, Math.abs(value) < 100 ? 2 : 0),
      layers: [layer("hold", hold.t, hold.equity), layer("line", curve.t, curve.equity)],
    },
    { title: "Drawdown", height: 74, zero: 0, axis: short, layers: [layer("fall", curve.t, curve.drawdown)] },
    {
      title: "Exposure, times capital",
      height: 58,
      zero: 0,
      axis: (value) => digits(value, 1),
      layers: [layer("held", curve.t, curve.exposure)],
    },
  ];
  const words = ({ t }) => {
    const at = Math.max(0, placeOf(curve.t, t));
    const held = placeOf(hold.t, t);
    const parts = [moment(curve.t[at]), `equity ${money(curve.equity[at])}`];
    if (held >= 0) parts.push(`hold ${money(hold.equity[held])}`);
    parts.push(`drawdown ${percent(curve.drawdown[at])}`, `exposure ${times100(curve.exposure[at])}`);
    return { text: parts.join(" \u00b7 ") };
  };
  new Plot(root, panes, words, curve.t);
  const rows = monthEnds(curve.t).map((at) => [
    moment(curve.t[at]),
    money(curve.equity[at]),
    percent(curve.drawdown[at]),
    times100(curve.exposure[at]),
  ]);
  table(root, owner, ["time", "equity", "drawdown", "exposure"], rows);
}

function sharpeChart(root, data, owner) {
  const first = Date.parse(owner.day + "T00:00:00Z");
  const choice = root.querySelector("select");
  const redraw = () => {
    const width = Number(choice.value);
    const found = rollingSharpe(owner.daily, first, width);
    const place = root.querySelector(".plot");
    const fresh = place.cloneNode(false); // the old one's listeners go with it
    place.replaceWith(fresh);
    root.querySelector("details.data")?.remove();
    if (!found.t.length) {
      fresh.textContent = `A window of ${width} days needs as many: there are ${owner.daily.length}, or none differ.`;
      return;
    }
    const band = { kind: "span", t: found.t, low: found.low, high: found.high, reach: [found.low, found.high] };
    const panes = [
      { title: "", height: 170, zero: 0, axis: (value) => digits(value, 1), layers: [band, layer("line", found.t, found.sharpe)] },
    ];
    const say = (at) => [
      moment(found.t[at]),
      ratio(found.sharpe[at]),
      `${ratio(found.low[at])} to ${ratio(found.high[at])}`,
      String(width),
    ];
    const words = ({ t }) => {
      const [when, value, interval] = say(Math.max(0, placeOf(found.t, t)));
      return { text: `${when} \u00b7 Sharpe ${value}, 95 %: ${interval}, n = ${width} days` };
    };
    new Plot(root, panes, words, found.t);
    table(root, owner, ["end of window", "Sharpe", "95 % interval", "n"], monthEnds(found.t).map(say));
  };
  choice.addEventListener("change", redraw);
  redraw();
}

function tradesChart(root, data, owner) {
  const name = owner.instruments[Number(root.dataset.instrument)];
  const prices = pricesOf(data.prices[name]);
  const fills = fillsOf(owner.fills, Number(root.dataset.instrument));
  const at = fills.map((fill) => fill.t);
  const bars = { kind: "candles", reach: [prices.low, prices.high], ...prices };
  const marked = layer("marks", at, fills.map((fill) => fill.price), { fills, reach: [] });
  const height = 300;
  const axis = (value) => plain(value);
  const panes = [{ title: "", height, axis, layers: [bars, marked] }];
  const words = ({ t, y }, plot) => {
    const bar = Math.max(0, placeOf(prices.t, t));
    const near = nearest(plot, fills, at, t, y);
    const shown = `open ${plain(prices.open[bar])}, high ${plain(prices.high[bar])}, `;
    const parts = [moment(near ? near.t : prices.t[bar])];
    if (near) parts.push(fillWords(near));
    parts.push(`${shown}low ${plain(prices.low[bar])}, close ${plain(prices.close[bar])}`);
    return { text: parts.join(" \u00b7 "), ring: near && { t: near.t, y: near.price } };
  };
  new Plot(root, panes, words, at.length ? at : prices.t);
}

/** Return the fill under the pointer, or the one the keys stopped at. */
function nearest(plot, fills, at, t, y) {
  if (y === null) return fills[placeOf(at, t)];
  const pane = plot.panes[0];
  let [found, least] = [undefined, 14];
  for (let i = Math.max(0, placeOf(at, plot.view[0])); i < fills.length && at[i] <= plot.view[1]; i++) {
    const aside = plot.x(at[i]) - plot.x(t);
    const far = Math.hypot(aside, plot.y(pane, fills[i].price) + (fills[i].qty > 0 ? 4 : -4) - y);
    if (far < least) [found, least] = [fills[i], far];
  }
  return found;
}

const short = (value) => digits(value * 100, Math.abs(value) < 0.02 ? 1 : 0) + " %";

/** Return the last place of each UTC month. */
function monthEnds(list) {
  const month = (t) => new Date(t - 1).toISOString().slice(0, 7);
  return list.map((_, at) => at).filter((at) => at === list.length - 1 || month(list[at]) !== month(list[at + 1]));
}

/** Put the figures of a chart under it as a table. */
function table(root, owner, titles, rows) {
  const make = (name, parent, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    parent.append(made);
    return made;
  };
  const details = make("details", root, undefined, "data");
  make("summary", details, "As a table, by month");
  const scroll = make("div", details, undefined, "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `${root.querySelector("h3").textContent} of ${owner.name}, as a table`);
  const made = make("table", scroll);
  const head = make("tr", make("thead", made));
  titles.forEach((title, place) => (make("th", head, title, place ? "num" : "").scope = "col"));
  const body = make("tbody", made);
  for (const row of rows) {
    const line = make("tr", body);
    row.forEach((cell, place) => {
      const made = make(place ? "td" : "th", line, cell, place ? "num" : "");
      if (!place) made.scope = "row";
    });
  }
}
