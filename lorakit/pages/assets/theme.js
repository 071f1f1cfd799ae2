try { document.documentElement.dataset.theme = localStorage.getItem("lorakit-theme") || ""; } catch { /* none kept */ }
