(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var dark = matchMedia("(prefers-color-scheme: dark)").matches;
  var ink = dark ? "#9aa8b5" : "#5a6773", grid = dark ? "#2a3642" : "#e4e9ee";
  var colours = dark ? ["#7db2ff", "#f0c060", "#ff8b8b", "#5fd39a", "#c79bff"] : ["#1f5fbf", "#b26a00", "#c0262d", "#0a7a45", "#7a3fc0"];

  // Faults are shaded, hangs more strongly, and phases divided by lines.
  function shade(u) {
    var ctx = u.ctx, top = u.bbox.top, height = u.bbox.height;
    function clip(x) { return Math.min(Math.max(u.valToPos(x, "x", true), u.bbox.left), u.bbox.left + u.bbox.width); }
    function fill(bands, colour) {
      ctx.fillStyle = colour;
      bands.forEach(function (b) {
        var from = clip(b.from), to = clip(Math.max(b.to, b.from));
        ctx.fillRect(from, top, Math.max(to - from, 2), height);
      });
    }
    ctx.save();
    fill(data.faults, dark ? "rgba(240,192,96,.16)" : "rgba(178,106,0,.12)");
    fill(data.hangs, dark ? "rgba(255,139,139,.28)" : "rgba(192,38,45,.18)");
    ctx.fillStyle = grid;
    data.phases.forEach(function (p) { if (p.from > 0) ctx.fillRect(clip(p.from), top, 1, height); });
    ctx.restore();
  }

  function short(v, unit) {
    if (v == null) return "–";
    if (unit === "B") {
      var units = ["B", "KiB", "MiB", "GiB"], i = 0;
      while (Math.abs(v) >= 1024 && i < 3) { v /= 1024; i++; }
      return v.toPrecision(3) + " " + units[i];
    }
    var a = Math.abs(v), text = a >= 1e6 ? (v / 1e6).toPrecision(3) + "M" : a >= 1e4 ? (v / 1e3).toPrecision(3) + "k" : String(+v.toPrecision(3));
    return unit ? text + " " + unit : text;
  }

  // A line needs two points: one that has no neighbour is drawn as a dot.
  function alone(u, i) {
    var v = u.data[i];
    return v.map(function (_, k) { return k; }).filter(function (k) { return v[k] != null && v[k - 1] == null && v[k + 1] == null; });
  }

  // o: unit of y, log (scale of y), zero (y begins at 0), x (writes an x), splits (where x is marked), time (x is time).
  function plot(host, times, lines, o) {
    var unit = o.unit, log = o.log, xlabel = o.x || seconds;
    var series = [{ label: o.time ? "at" : "", value: function (u, v) { return v == null ? "–" : xlabel(v); } }].concat(lines.map(function (l, i) {
      return {
        label: l.name, stroke: colours[i % colours.length], width: 1.5, spanGaps: false, dash: l.dash, points: { show: false, filter: alone },
        value: function (u, v) { return short(v, unit); }
      };
    }));
    var options = {
      width: host.clientWidth, height: 230, series: series,
      scales: { x: { time: false }, y: log ? { distr: 3 } : o.zero ? { range: function (u, min, max) { return [Math.min(0, min || 0), (max || 1) * 1.08]; } } : {} },
      axes: [
        { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid }, splits: o.splits, values: function (u, vals) { return vals.map(xlabel); } },
        { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid }, size: 74, values: function (u, vals) { return vals.map(function (v) { return v == null ? "" : short(v, unit); }); } }
      ],
      hooks: o.time ? { drawClear: [shade] } : {}, cursor: o.time ? { sync: { key: "run" } } : {}
    };
    if (log) lines.forEach(function (l) { l.values = l.values.map(function (v) { return v > 0 ? v : null; }); });
    var u = new uPlot(options, [times].concat(lines.map(function (l) { return l.values; })), host);
    new ResizeObserver(function () { u.setSize({ width: host.clientWidth, height: 230 }); }).observe(host);
  }

  function seconds(v) { return v >= 600 ? (v / 60).toFixed(1) + " min" : +v.toFixed(2) + " s"; }

  function card(parent, title, note) {
    var c = document.createElement("div"); c.className = "card";
    var h = document.createElement("h3"); h.textContent = title; c.appendChild(h);
    if (note) { var p = document.createElement("p"); p.className = "dim"; p.textContent = note; c.appendChild(p); }
    var host = document.createElement("div"); host.className = "plot"; c.appendChild(host);
    parent.appendChild(c);
    return host;
  }

  var time = document.getElementById("time");
  if (time && data.time && data.time.length) data.charts.forEach(function (c) {
    if (!c.lines.some(function (l) { return l.values.some(function (v) { return v; }); })) return;
    plot(card(time, c.title), data.time, c.lines, { unit: c.unit, log: c.log, zero: true, time: true });
  });

  var server = document.getElementById("server");
  if (server) data.server.forEach(function (s) {
    var lines = [{ name: s.name, values: s.values }];
    if (s.trend) lines.push({ name: "trend", values: s.trend, dash: [6, 4] });
    plot(card(server, s.name, s.note), s.time, lines, { unit: s.unit, time: true });
  });

  // The percentile curve: x is -log10(1-q), so that each nine takes as much room.
  var curves = document.getElementById("curves");
  if (curves && data.curves.length) {
    var xs = {};
    function nines(q) { return q >= 1 ? 6 : -Math.log10(1 - q); }
    data.curves.forEach(function (c) { c.q.forEach(function (q) { xs[nines(q)] = true; }); });
    var times = Object.keys(xs).map(Number).sort(function (a, b) { return a - b; });
    var lines = data.curves.map(function (c) {
      var at = {}; c.q.forEach(function (q, i) { at[nines(q)] = c.values[i]; });
      return { name: c.name, values: times.map(function (x) { return at[x] === undefined ? null : at[x]; }) };
    });
    plot(card(curves, "Percentiles"), times, lines, {
      unit: "ms", log: true,
      splits: function () { return [0, nines(0.5), 1, 2, 3, 4, 5].filter(function (x) { return x <= times[times.length - 1] + 1e-9; }); },
      x: function (x) { return "p" + +(100 * (1 - Math.pow(10, -x))).toFixed(4); }
    });
  }
})();
