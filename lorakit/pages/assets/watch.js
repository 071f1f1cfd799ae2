"use strict";
(() => {
  const root = `/${location.pathname.split("/")[1]}`;
  const line = Object.assign(document.createElement("p"), { className: "live", id: "live" });
  line.setAttribute("role", "status");
  document.getElementById("theme").before(line);
  const say = (text, tone) => {
    line.textContent = text;
    line.dataset.tone = tone;
  };

  // pictures that are in sight are there before what they stand in is put in place
  const loaded = (main) => {
    const images = [...main.querySelectorAll("img")].slice(0, 60);
    for (const image of images) image.loading = "eager";
    const wait = new Promise((done) => setTimeout(done, 700));
    return Promise.race([wait, Promise.allSettled(images.map((image) => image.decode()))]);
  };
  const opened = (main) => [...main.querySelectorAll("details")].map((one) => one.open);

  let wanted = 0, shown = 0, busy = false;
  const show = async () => {
    if (busy) return;
    busy = true;
    try {
      while (shown < wanted) {
        const version = wanted;
        const answer = await fetch(`${root}/`, { cache: "no-store" });
        if (!answer.ok) break;
        const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
        // its paths count from the folder of its run
        history.replaceState(null, "", new URL(answer.url).pathname + location.hash);
        const main = document.adoptNode(parsed.querySelector("main"));
        const nav = document.adoptNode(parsed.querySelector("nav"));
        await loaded(main);
        const old = document.querySelector("main"), before = opened(old), after = main.querySelectorAll("details");
        if (before.length === after.length) after.forEach((one, n) => { one.open = before[n]; });
        const top = scrollY;
        old.replaceWith(main);
        document.querySelector("nav").replaceWith(nav);
        document.title = parsed.title;
        scrollTo({ top, behavior: "instant" });
        dispatchEvent(new Event("lorakit-shown"));
        shown = version;
      }
    } catch { /* the server is gone, which its events tell */ } finally { busy = false; }
  };

  const events = new EventSource(`${root}/events`);
  events.addEventListener("now", (event) => {
    const told = JSON.parse(event.data);
    say(told.status, told.tone);
    wanted = told.version;
    if (told.over) events.close(); else show();
  });
  events.onerror = () => say("lorakit watch does not answer", "failed");
})();
