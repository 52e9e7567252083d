// From the packed columns of the page to arrays, and numbers to words.
const DAY = 86400000;
const MINUS = "\u2212";

/** Return the times of a packed column: first, step, and steps from one to the next. */
function times(packed, count) {
  const found = count ? [packed.first] : [];
  let now = packed.first;
  for (const run of packed.steps) {
    const [steps, repeat] = Array.isArray(run) ? run : [run, 1];
    for (let i = 0; i < repeat; i++) found.push((now += steps * packed.step));
  }
  return found;
}

function curveOf(packed) {
  return {
    t: times(packed.t, packed.equity.length),
    equity: packed.equity,
    drawdown: (packed.drawdown || []).map((one) => -one / 100000),
    exposure: (packed.exposure || []).map((one) => one / 1000),
  };
}

function pricesOf(packed) {
  return { ...packed, t: times(packed.t, packed.close.length) };
}

/** Return the fills in one instrument. */
function fillsOf(packed, place) {
  const all = times(packed.t, packed.qty.length);
  const found = [];
  for (let i = 0; i < all.length; i++) {
    if (packed.instrument.length && packed.instrument[i] !== place) continue;
    const rule = packed.rules[packed.rule[i]];
    found.push({ t: all[i], qty: packed.qty[i], price: packed.price[i], maker: packed.maker[i], rule });
  }
  return found;
}

/** Return the place of the last time not after `t`, -1 where there is none. */
function placeOf(list, t) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Return the Sharpe ratio of each window of daily returns with its 95 % interval. */
function rollingSharpe(daily, first, width) {
  const found = { t: [], sharpe: [], low: [], high: [] };
  for (let end = width; end <= daily.length; end++) {
    const some = daily.slice(end - width, end);
    const mean = some.reduce((sum, one) => sum + one, 0) / width;
    const power = (k) => some.reduce((sum, one) => sum + (one - mean) ** k, 0) / width;
    const square = power(2);
    if (square <= 0) continue;
    const ratio = mean / Math.sqrt((square * width) / (width - 1));
    const skew = power(3) / square ** 1.5;
    const kurtosis = power(4) / square ** 2;
    const spread = 1 - skew * ratio + ((kurtosis - 1) / 4) * ratio * ratio;
    const error = 1.96 * Math.sqrt((Math.max(0, spread) / width) * 365);
    const sharpe = ratio * Math.sqrt(365);
    found.t.push(first + end * DAY);
    found.sharpe.push(sharpe);
    found.low.push(sharpe - error);
    found.high.push(sharpe + error);
  }
  return found;
}

// ---- words ----

function digits(value, decimals) {
  const shown = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return (value < 0 && /[1-9]/.test(shown) ? MINUS : "") + shown;
}

const money = (value) => digits(value, 2);
const percent = (value) => digits(value * 100, 2) + " %";
const times100 = (value) => digits(value, 2) + "x";
const ratio = (value) => digits(value, 2);
const plain = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 9 });

function moment(t) {
  const text = new Date(t).toISOString().replace("T", " ");
  return t % DAY === 0 ? text.slice(0, 10) : text.slice(0, 16) + " UTC";
}

function fillWords(fill) {
  const how = fill.maker ? "maker" : "taker";
  const rule = fill.rule ? `, decided by the rule \u201c${fill.rule}\u201d` : "";
  const side = fill.qty > 0 ? "Buy" : "Sell";
  return `${side} ${plain(Math.abs(fill.qty))} at ${plain(fill.price)} (${how}${rule})`;
}
