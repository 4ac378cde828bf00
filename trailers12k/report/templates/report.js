// Draws the report's charts and map when the reader scrolls near them, in the preferred colour scheme.
(() => {
  "use strict";
  const read = id => document.getElementById(id)?.textContent;
  const dark = JSON.parse(read("dark"));
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("print");
  const colour = value => (scheme.matches && dark[value]) || value;

  // Printing opens the collapsed tables of errors and figures.
  const closed = () => document.querySelectorAll("#mistakes details:not([open]), figure details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => (opened = [...closed()]).forEach(each => each.open = true));
  addEventListener("afterprint", () => opened.forEach(each => each.open = false));

  // Charts.
  const texts = JSON.parse(read("charts"));
  const live = new Map(); // chart name -> {figure, view, width}
  const signals = {}; // chart name -> signal -> value

  function specOf(name, width) {
    const spec = JSON.parse(JSON.stringify(texts[name]), (_, value) =>
      typeof value === "string" ? colour(value) : value);
    const panels = spec.usermeta?.panels, columns = spec.usermeta?.columns;
    if (panels) {
      spec.columns = width < 560 ? 1 : panels.columns;
      const gaps = 28 * (spec.columns - 1) + 24;
      // `beside` is the width of the row labels.
      const labels = Math.min(panels.beside, width * 0.45);
      spec.spec.width = Math.max(110, (width - labels - gaps) / spec.columns);
    } else {
      spec.width = "container";
      spec.autosize = {type: "fit-x", contains: "padding"};
    }
    if (columns) spec.encoding.color.legend.columns = Math.max(1, Math.floor(width / columns.width));
    if (width < 480) {
      spec.config.axis.labelLimit = Math.round(width * 0.42);
      spec.config.legend.direction = "vertical";
    }
    spec.config.padding = 4;
    for (const param of spec.params ?? [])
      if (signals[name]?.[param.name] !== undefined) param.value = signals[name][param.name];
    return spec;
  }

  async function draw(figure) {
    const name = figure.dataset.chart, plot = figure.querySelector(".plot");
    let box = plot.querySelector(".live");
    if (!box) {
      box = document.createElement("div");
      box.className = "live";
      box.setAttribute("role", "img");
      box.setAttribute("aria-label", plot.querySelector("img").alt);
      plot.append(box);
    }
    const width = plot.clientWidth;
    const before = live.get(name);
    live.set(name, {figure, width, view: before?.view});
    const inner = document.createElement("div");
    inner.style.width = "100%";
    // The box has a description; the individual marks would be noise to a screen reader.
    inner.setAttribute("aria-hidden", "true");
    box.append(inner);
    const done = await vegaEmbed(inner, specOf(name, width), {
      mode: "vega-lite", actions: false, renderer: "svg", defaultStyle: false,
      tooltip: {theme: scheme.matches ? "dark" : "light", disableDefaultStyle: false},
    });
    before?.view?.finalize();
    for (const old of [...box.children]) if (old !== inner) old.remove();
    plot.classList.add("drawn");
    live.set(name, {figure, width, view: done.view});
  }

  const figures = [...document.querySelectorAll("figure[data-chart]")];
  const watch = new IntersectionObserver(entries => {
    for (const entry of entries) if (entry.isIntersecting) {
      watch.unobserve(entry.target);
      draw(entry.target);
    }
  }, {rootMargin: "300px 0px"});
  // Only after the first paint of the page.
  requestAnimationFrame(() => setTimeout(() => figures.forEach(figure => watch.observe(figure))));

  function choose(figure, signal, value) {
    const name = figure.dataset.chart;
    (signals[name] ??= {})[signal] = value;
    live.get(name)?.view?.signal(signal, value).runAsync();
  }
  for (const figure of figures) {
    const select = figure.querySelector("select[data-signal]");
    select?.addEventListener("change", () => choose(figure, select.dataset.signal, select.value));
    const several = figure.querySelector("fieldset[data-signal]");
    if (!several) continue;
    const boxes = [...several.querySelectorAll("input")], all = several.querySelector("button");
    const update = () => {
      const chosen = boxes.filter(box => box.checked).map(box => box.value);
      all.textContent = chosen.length ? "none" : "all";
      choose(figure, several.dataset.signal, chosen);
    };
    several.addEventListener("change", update);
    all.addEventListener("click", () => {
      const to = !boxes.some(box => box.checked);
      for (const box of boxes) box.checked = to;
      update();
    });
  }

  let later;
  const redraw = always => {
    clearTimeout(later);
    later = setTimeout(() => {
      if (still.matches) return;
      for (const {figure, width} of [...live.values()]) {
        const now = figure.querySelector(".plot").clientWidth;
        if (now && (always || Math.abs(now - width) > 8)) draw(figure);
      }
      featureMap?.paint();
    }, 120);
  };
  addEventListener("resize", () => redraw(false));
  scheme.addEventListener("change", () => redraw(true));

  // The map.
  const featureMap = read("map-data") ? createMap(JSON.parse(read("map-data"))) : null;

  function createMap(data) {
    const sky = document.getElementById("sky"), card = document.getElementById("card");
    const store = document.getElementById("map-store"), genre = document.getElementById("map-genre");
    const find = document.getElementById("map-find"), found = document.getElementById("map-found");
    const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const places = text => new Uint16Array(bytes(text).buffer);
    const indexes = text => new Uint32Array(bytes(text).buffer);
    const NONE = 2 ** 32 - 1;
    const decoded = {};
    let place, chosen = -1, hovered = -1, zoom = 1, middle = [0.5, 0.5];

    function selectStore(name) {
      const packed = data.stores[name];
      place = decoded[name] ??= {
        movie: indexes(data.lists[packed.movies]), x: places(packed.x), y: places(packed.y),
        nearest: indexes(packed.nearest), at: null,
      };
      place.at ??= new Map(Array.from(place.movie, (movie, i) => [movie, i]));
    }
    const has = (movie, name) => data.genres[movie] >> data.names.indexOf(name) & 1;
    const first = movie => data.first[movie];
    const side = 14;
    let wide = 0, high = 0; // size of the canvas in CSS pixels
    const spot = i => [
      side + (wide - 2 * side) * ((place.x[i] / 65535 - middle[0]) * zoom + 0.5),
      side + (high - 2 * side) * ((place.y[i] / 65535 - middle[1]) * zoom + 0.5),
    ];

    function paint() {
      const ratio = devicePixelRatio || 1, w = sky.clientWidth, h = sky.clientHeight;
      if (!w) return;
      [wide, high] = [w, h];
      if (sky.width !== Math.round(w * ratio)) sky.width = Math.round(w * ratio);
      if (sky.height !== Math.round(h * ratio)) sky.height = Math.round(h * ratio);
      const pen = sky.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.fillStyle = colour("#ffffff");
      pen.fillRect(0, 0, w, h);
      const n = place.movie.length;
      const radius = (n <= 300 ? 5 : n <= 3000 ? 3.2 : 2) * Math.min(2.2, Math.sqrt(zoom));
      const dot = i => {
        const [x, y] = spot(i);
        if (x < -9 || y < -9 || x > w + 9 || y > h + 9) return;
        pen.beginPath();
        pen.arc(x, y, radius, 0, 7);
        pen.fill();
      };
      const strong = i => !genre.value || has(place.movie[i], genre.value);
      for (const emphasised of [false, true]) {
        pen.globalAlpha = emphasised ? 0.85 : 0.13;
        for (let i = 0; i < n; i++) if (strong(i) === emphasised) {
          const shown = genre.value && emphasised ? genre.value : data.names[first(place.movie[i])];
          pen.fillStyle = colour(data.colours[shown] ?? "#57616c");
          dot(i);
        }
      }
      pen.globalAlpha = 1;
      for (const movie of new Set([chosen, hovered])) {
        const i = place.at.get(movie);
        if (i === undefined) continue;
        const [x, y] = spot(i);
        pen.strokeStyle = colour("#1c2127");
        pen.lineWidth = 2;
        pen.beginPath();
        pen.arc(x, y, radius + 4, 0, 7);
        pen.stroke();
      }
    }

    const element = (name, text, parent, kind) => {
      const made = document.createElement(name);
      made.textContent = text;
      if (kind) made.className = kind;
      parent.append(made);
      return made;
    };
    const label = movie => data.titles[movie] + (data.years[movie] ? ` (${data.years[movie]})` : "");
    const strips = [];
    function strip(number) {
      if (!strips[number]) {
        const image = new Image();
        image.src = read(`strip-${number}`);
        strips[number] = image.decode().then(() => image);
      }
      return strips[number];
    }
    let displayed = -1;
    function show(movie) {
      if (movie === displayed) return;
      displayed = movie;
      card.replaceChildren();
      element("h4", label(movie), card);
      element("p", data.names.filter(name => has(movie, name)).join(", "), card);
      const frame = data.frames?.place[movie] ?? -1;
      if (frame >= 0) {
        const {width, height, count, each} = data.frames;
        const picture = document.createElement("canvas");
        const across = Math.min(count, 2), down = Math.ceil(count / across);
        const scale = Math.max(1, Math.floor(256 / (across * width)));
        picture.width = across * width * scale;
        picture.height = down * height * scale;
        picture.setAttribute("role", "img");
        picture.setAttribute("aria-label", `Frames of the trailer of ${data.titles[movie]}`);
        card.append(picture);
        strip(Math.floor(frame / each)).then(image => {
          const pen = picture.getContext("2d");
          for (let k = 0; k < count; k++)
            pen.drawImage(image, k * width, frame % each * height, width, height,
              k % across * width * scale, Math.floor(k / across) * height * scale,
              width * scale, height * scale);
        });
      }
      const i = place.at.get(movie);
      if (i === undefined) element("p", "Not in this store.", card, "quiet");
      else if (place.nearest[i] !== NONE) {
        const line = element("p", "Nearest neighbour: ", card);
        const other = place.nearest[i];
        const button = element("button", label(other), line, "link");
        button.type = "button";
        button.addEventListener("click", () => { choose(other); card.querySelector("button")?.focus(); });
      }
      element("p", data.mids[movie], card, "quiet");
    }
    function choose(movie) {
      chosen = movie;
      hovered = -1;
      const i = place.at.get(movie);
      if (i !== undefined && zoom > 1) {
        const [x, y] = spot(i);
        if (x < 0 || y < 0 || x > wide || y > high)
          middle = [place.x[i] / 65535, place.y[i] / 65535];
      }
      show(movie);
      paint();
    }
    function at(event) {
      const box = sky.getBoundingClientRect();
      const x = event.clientX - box.left, y = event.clientY - box.top;
      let best = -1, least = 18 ** 2;
      for (let i = 0; i < place.movie.length; i++) {
        if (genre.value && !has(place.movie[i], genre.value)) continue;
        const [px, py] = spot(i), d = (px - x) ** 2 + (py - y) ** 2;
        if (d < least) { least = d; best = place.movie[i]; }
      }
      return best;
    }
    sky.addEventListener("pointermove", event => {
      const movie = at(event);
      if (movie === hovered) return;
      hovered = movie;
      if (movie >= 0) show(movie);
      else if (chosen >= 0) show(chosen);
      paint();
    });
    sky.addEventListener("pointerleave", () => {
      hovered = -1;
      if (chosen >= 0) show(chosen);
      paint();
    });
    sky.addEventListener("click", event => { const movie = at(event); if (movie >= 0) choose(movie); });
    function zoomed(factor) {
      zoom = Math.min(40, Math.max(1, zoom * factor));
      const i = place.at.get(chosen);
      if (zoom === 1) middle = [0.5, 0.5];
      else if (i !== undefined) middle = [place.x[i] / 65535, place.y[i] / 65535];
      paint();
    }
    const directions = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    sky.addEventListener("keydown", event => {
      if (event.key === "+" || event.key === "=") return zoomed(1.6);
      if (event.key === "-") return zoomed(1 / 1.6);
      const direction = directions[event.key];
      if (!direction) return;
      event.preventDefault();
      const from = place.at.get(chosen);
      if (from === undefined) return choose(place.movie[0]);
      const [x, y] = spot(from);
      let best = -1, least = Infinity;
      for (let i = 0; i < place.movie.length; i++) {
        if (i === from || genre.value && !has(place.movie[i], genre.value)) continue;
        const [px, py] = spot(i), along = (px - x) * direction[0] + (py - y) * direction[1];
        const across = Math.abs((px - x) * direction[1]) + Math.abs((py - y) * direction[0]);
        // Within 60 degrees of the direction; prefers near and straight.
        if (along <= 0 || across > 1.73 * along) continue;
        const far = along + 2 * across;
        if (far < least) { least = far; best = i; }
      }
      if (best >= 0) choose(place.movie[best]);
    });
    document.getElementById("map-in").addEventListener("click", () => zoomed(1.6));
    document.getElementById("map-out").addEventListener("click", () => zoomed(1 / 1.6));
    store.addEventListener("change", () => {
      selectStore(store.value);
      const movie = displayed;
      displayed = -1;
      if (movie >= 0) show(movie);
      paint();
    });
    genre.addEventListener("change", paint);
    const folded = data.titles.map(title => title.toLowerCase());
    find.addEventListener("input", () => {
      found.replaceChildren();
      const words = find.value.trim().toLowerCase();
      if (!words) return;
      const hits = [];
      for (let i = 0; i < folded.length && hits.length < 8; i++)
        if (folded[i].includes(words) || data.mids[i] === words) hits.push(i);
      for (const movie of hits) {
        const button = element("button", label(movie), element("li", "", found), "link");
        button.type = "button";
        button.addEventListener("click", () => choose(movie));
      }
      if (!hits.length) element("li", "No title contains this.", found, "quiet");
    });
    const keys = () => {
      for (const key of document.querySelectorAll(".key i"))
        key.style.background = colour(data.colours[key.dataset.genre]);
    };
    scheme.addEventListener("change", keys);
    keys();
    selectStore(store.value);
    new IntersectionObserver((entries, self) => {
      if (entries.some(entry => entry.isIntersecting)) { self.disconnect(); paint(); }
    }, {rootMargin: "300px 0px"}).observe(sky);
    return {paint};
  }
})();
