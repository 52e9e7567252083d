// A picture of panes that share their time: zoomed by dragging, keys or buttons.
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 62;
const RIGHT = 8;
const FOOT = 20;
const GAP = 22;
const room = (pane) => (pane.title ? GAP : 8); // above a pane

function draw(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

/** Return round values between two, about `count` of them. */
function roundValues(low, high, count) {
  const rough = (high - low) / Math.max(1, count) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= rough) * power;
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high + step * 1e-9; n++) found.push(n * step);
  return found;
}

const STEPS = [1, 5, 15, 60, 180, 360, 720, 1440, 2880, 10080, 20160].map((one) => one * 60000);
const MONTHS = [1, 2, 3, 6, 12, 24, 60];

/** Return times for the axis with their labels. */
function roundTimes(start, end, count) {
  const rough = (end - start) / Math.max(1, count);
  const step = STEPS.find((one) => one >= rough);
  const found = [];
  if (step) {
    const length = step >= DAY ? [5, 10] : [11, 16];
    for (let t = Math.ceil(start / step) * step; t <= end; t += step) {
      const text = new Date(t).toISOString();
      const at = step < DAY && t % DAY === 0 ? [5, 10] : length;
      found.push([t, text.slice(...at)]);
    }
    return found;
  }
  const months = MONTHS.find((one) => one * 30.4 * DAY >= rough) || 120;
  const from = new Date(start);
  for (let n = from.getUTCFullYear() * 12; ; n++) {
    if (n % months) continue;
    const t = Date.UTC(Math.floor(n / 12), n % 12);
    if (t > end) return found;
    const text = new Date(t).toISOString();
    if (t >= start) found.push([t, n % 12 === 0 || months < 12 ? text.slice(0, 7) : text.slice(0, 4)]);
  }
}

class Plot {
  /**
   * @param root the figure: holds .plot, output and .keys
   * @param panes each { title, height, format, layers, zero }
   * @param words (t, y of the pointer in its pane) -> text of the readout, and what to ring
   * @param stops times the arrow keys go to
   */
  constructor(root, panes, words, stops) {
    Object.assign(this, { root, panes, words, stops });
    this.place = root.querySelector(".plot");
    this.output = root.querySelector("output");
    this.hint = this.output.textContent;
    const all = panes.flatMap((pane) => pane.layers.flatMap((layer) => [layer.t[0], layer.t.at(-1)]));
    const known = all.filter((t) => t !== undefined);
    this.whole = [Math.min(...known), Math.max(...known)];
    if (!(this.whole[1] > this.whole[0])) this.whole = [this.whole[0] - 1, this.whole[0] + 1];
    this.view = [...this.whole];
    this.cursor = null;
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.place);
  }

  // ---- what is shown ----

  x(t) {
    return LEFT + ((t - this.view[0]) / (this.view[1] - this.view[0])) * (this.width - LEFT - RIGHT);
  }

  t(x) {
    const part = (x - LEFT) / (this.width - LEFT - RIGHT);
    return this.view[0] + Math.min(1, Math.max(0, part)) * (this.view[1] - this.view[0]);
  }

  draw() {
    this.width = Math.max(240, this.place.clientWidth);
    const height = this.panes.reduce((sum, pane) => sum + pane.height + room(pane), 0) + FOOT;
    this.place.replaceChildren();
    this.svg = draw(this.place, "svg", { viewBox: `0 0 ${this.width} ${height}`, height, "aria-hidden": "true" });
    let top = 0;
    for (const pane of this.panes) {
      top += room(pane);
      this.drawPane(pane, top);
      top += pane.height;
    }
    this.bottom = top;
    for (const [t, label] of roundTimes(...this.view, (this.width - LEFT) / 85)) {
      const x = this.x(t);
      const anchor = x > this.width - 30 ? "end" : "middle";
      draw(this.svg, "text", { x, y: top + 15, "text-anchor": anchor }, label);
    }
    this.over = draw(this.svg, "g", {});
    this.point();
  }

  drawPane(pane, top) {
    pane.top = top;
    [pane.low, pane.high] = this.reach(pane);
    const values = roundValues(pane.low, pane.high, pane.height / 30);
    for (const value of values) {
      const y = this.y(pane, value);
      draw(this.svg, "line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y });
      draw(this.svg, "text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, pane.axis(value));
    }
    if (pane.zero !== undefined && pane.low <= pane.zero && pane.high >= pane.zero) {
      const y = this.y(pane, pane.zero);
      draw(this.svg, "line", { class: "zero", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y });
    }
    draw(this.svg, "text", { class: "pane", x: LEFT, y: top - 7 }, pane.title);
    for (const layer of pane.layers) if (!layer.isHidden) LAYERS[layer.kind](this, pane, layer);
  }

  y(pane, value) {
    return pane.top + ((pane.high - value) / (pane.high - pane.low)) * pane.height;
  }

  /** Return the places of a layer that are in view, and one on each side. */
  seen(layer) {
    const first = Math.max(0, placeOf(layer.t, this.view[0]));
    return [first, Math.min(layer.t.length - 1, placeOf(layer.t, this.view[1]) + 1)];
  }

  reach(pane) {
    let [low, high] = pane.zero === undefined ? [Infinity, -Infinity] : [pane.zero, pane.zero];
    for (const layer of pane.layers) {
      if (layer.isHidden) continue;
      const [first, last] = this.seen(layer);
      for (const values of layer.reach) {
        for (let i = first; i <= last; i++) {
          if (values[i] < low) low = values[i];
          if (values[i] > high) high = values[i];
        }
      }
    }
    if (!(high >= low)) return [0, 1];
    const more = (high - low) * 0.04 || Math.abs(high) * 0.01 || 1;
    return [low - (pane.zero === low ? 0 : more), high + (pane.zero === high ? 0 : more)];
  }

  // ---- pointing ----

  point() {
    this.over.replaceChildren();
    if (this.chosen) {
      const [one, other] = this.chosen.map((t) => this.x(t)).sort((a, b) => a - b);
      draw(this.over, "rect", { class: "chosen", x: one, width: other - one, y: 8, height: this.bottom - 8 });
    }
    if (this.cursor === null) {
      this.output.textContent = this.hint;
      return;
    }
    const x = this.x(this.cursor.t);
    draw(this.over, "line", { class: "cursor", x1: x, x2: x, y1: 8, y2: this.bottom });
    const { text, ring } = this.words(this.cursor, this);
    this.output.textContent = text;
    if (ring) {
      const pane = this.panes[0];
      draw(this.over, "circle", { class: "ring", cx: this.x(ring.t), cy: this.y(pane, ring.y), r: 7 });
    }
  }

  show(start, end) {
    const least = Math.max(60000, (this.whole[1] - this.whole[0]) / 5000);
    const length = Math.min(this.whole[1] - this.whole[0], Math.max(least, end - start));
    const first = Math.min(Math.max(this.whole[0], start), this.whole[1] - length);
    this.view = [first, first + length];
    this.draw();
  }

  act(name) {
    const [start, end] = this.view;
    const length = end - start;
    const middle = this.cursor ? Math.min(end, Math.max(start, this.cursor.t)) : (start + end) / 2;
    if (name === "in") this.show(middle - length / 4, middle + length / 4);
    if (name === "out") this.show(start - length / 2, end + length / 2);
    if (name === "back") this.show(start - length / 3, end - length / 3);
    if (name === "on") this.show(start + length / 3, end + length / 3);
    if (name === "all") this.show(...this.whole);
  }

  step(direction) {
    const now = this.cursor ? this.cursor.t : direction > 0 ? this.view[0] - 1 : this.view[1] + 1;
    const here = placeOf(this.stops, now);
    const before = this.stops[here] === now ? here - 1 : here;
    const place = direction > 0 ? here + 1 : before;
    const t = this.stops[Math.min(this.stops.length - 1, Math.max(0, place))];
    if (t === undefined) return;
    this.cursor = { t, y: null };
    const length = this.view[1] - this.view[0];
    if (t < this.view[0] || t > this.view[1]) this.show(t - length / 2, t + length / 2);
    else this.point();
  }

  listen() {
    const at = (event) => {
      const box = this.place.getBoundingClientRect();
      return { t: this.t(event.clientX - box.left), y: event.clientY - box.top };
    };
    this.place.addEventListener("pointermove", (event) => {
      this.output.setAttribute("aria-live", "off");
      this.cursor = at(event);
      if (this.from !== undefined && Math.abs(this.x(this.from) - this.x(this.cursor.t)) > 6) {
        this.chosen = [this.from, this.cursor.t];
      }
      this.point();
    });
    this.place.addEventListener("pointerdown", (event) => {
      this.cursor = at(event);
      if (event.pointerType === "mouse" && event.button === 0) {
        this.from = this.cursor.t;
        this.place.setPointerCapture(event.pointerId);
      }
      this.point();
    });
    this.place.addEventListener("pointerup", () => {
      const chosen = this.chosen;
      this.from = this.chosen = undefined;
      if (chosen) this.show(Math.min(...chosen), Math.max(...chosen));
    });
    this.place.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "mouse" || this.from !== undefined) return;
      this.cursor = null;
      this.point();
    });
    this.place.addEventListener("dblclick", () => this.act("all"));
    const keys = { "+": "in", "=": "in", "-": "out", 0: "all", PageUp: "back", PageDown: "on" };
    this.place.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      this.output.setAttribute("aria-live", "polite");
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.step(event.key === "ArrowRight" ? 1 : -1);
      else if (keys[event.key]) this.act(keys[event.key]);
      else return;
      event.preventDefault();
    });
    for (const button of this.root.querySelectorAll("[data-layer]")) {
      const layers = this.panes.flatMap((pane) => pane.layers);
      const layer = layers.find((one) => one.kind === button.dataset.layer);
      button.addEventListener("click", () => {
        layer.isHidden = !layer.isHidden;
        button.setAttribute("aria-pressed", String(!layer.isHidden));
        this.draw();
      });
    }
    for (const button of this.root.querySelectorAll(".keys button")) {
      button.addEventListener("click", () => this.act(button.dataset.act));
    }
  }
}
