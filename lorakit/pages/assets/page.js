"use strict";
(() => {
  const get = (id) => document.getElementById(id);

  // light and dark: the system's choice, until the reader makes one
  const root = document.documentElement, button = get("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const tell = () => button.setAttribute("aria-pressed", String(dark()));
  button.hidden = false;
  tell();
  button.onclick = () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("lorakit-theme", root.dataset.theme); } catch { /* not kept */ }
    tell();
  };

  // a link to a line of a document opens it
  const open = () => {
    const at = location.hash && get(decodeURIComponent(location.hash.slice(1)));
    const folded = at && at.closest("details");
    if (folded && !folded.open) { folded.open = true; at.scrollIntoView({ block: "center" }); }
  };
  addEventListener("hashchange", open);
  open();

  // where on the page the reader is
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) {
      for (const a of document.querySelectorAll("nav a")) a.hash.slice(1) === entry.target.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  const follow = () => {
    seen.disconnect();
    document.querySelectorAll("main > section").forEach((section) => seen.observe(section));
  };

  // a picture, large, with all that is told of it; arrows go to its neighbours
  const viewer = get("viewer");
  let shots = [], now = 0;
  const show = (at) => {
    now = (at + shots.length) % shots.length;
    const shot = shots[now], figure = shot.closest("figure"), image = shot.querySelector("img");
    const says = figure.querySelector(".says"), told = figure.querySelector(".told");
    get("viewer-picture").src = shot.href;
    get("viewer-picture").alt = image.alt;
    get("viewer-count").textContent = `${image.alt} (${now + 1} of ${shots.length})`;
    get("viewer-text").textContent = says ? says.textContent : "";
    get("viewer-facts").replaceChildren(...(told ? [told.cloneNode(true)] : []));
  };
  document.addEventListener("click", (event) => {
    const shot = event.target.closest("a.shot");
    if (shot && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      shots = [...document.querySelectorAll("main a.shot")];
      show(shots.indexOf(shot));
      viewer.showModal();
    } else if (event.target === viewer || event.target.closest("#viewer-facts a")) viewer.close();
  });
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") show(now + 1);
    if (event.key === "ArrowLeft") show(now - 1);
  });
  viewer.addEventListener("close", () => {
    const shot = shots[now];
    if (shot.isConnected) shot.focus({ preventScroll: false });
  });
  get("viewer-before").onclick = () => show(now - 1);
  get("viewer-next").onclick = () => show(now + 1);

  // two runs' pictures over each other
  const layOver = () => {
    const compare = get("compare");
    if (!compare) return;
    const data = JSON.parse(compare.dataset.compare);
    const runs = get("compare-run"), frames = get("compare-frame"), changed = get("compare-changed"), slide = get("compare-slide");
    const option = (text, value) => Object.assign(document.createElement("option"), { textContent: text, value });
    const lay = () => {
      const other = data.others[runs.value], at = Number(frames.value), [name, path] = data.frames[at] || [];
      get("compare-stage").hidden = slide.parentElement.hidden = frames.selectedIndex < 0;
      if (frames.selectedIndex < 0) { get("compare-note").textContent = "Every picture is the same in both runs."; return; }
      const told = other.pictures[at], before = typeof told === "string" ? told : path;
      get("compare-before").src = `${other.folder}/${before}`;
      get("compare-after").src = `./${path}`;
      get("compare-before").alt = `${name} in run ${other.name}`;
      get("compare-after").alt = `${name} in run ${data.name}`;
      get("compare-left").textContent = other.name;
      get("compare-right").textContent = data.name;
      get("compare-note").textContent = told === 1 ? "The same in both runs, byte for byte." : "";
    };
    const cut = () => {
      get("compare-after").style.clipPath = `inset(0 0 0 ${slide.value}%)`;
      get("compare-edge").style.left = `${slide.value}%`;
    };
    const choose = () => {
      const other = data.others[runs.value], kept = frames.value;
      frames.replaceChildren(...data.frames.flatMap(([name], n) =>
        other.pictures[n] && (!changed.checked || other.pictures[n] !== 1) ? [option(name, n)] : []));
      if ([...frames.options].some((one) => one.value === kept)) frames.value = kept;
      lay();
    };
    runs.append(...data.others.map((other, n) => option(other.name, n)));
    get("compare-off").hidden = true;
    get("compare-on").hidden = false;
    runs.onchange = changed.onchange = choose;
    frames.onchange = lay;
    slide.oninput = cut;
    choose();
    cut();
  };

  // what stands in <main> is shown for the first time, or anew
  const begin = () => { follow(); layOver(); };
  addEventListener("lorakit-shown", begin);
  begin();
})();
