// A form that is sent twice by a double click would show what the second came to, which is nothing:
// what the first has done, and the way to undo it, would be lost. It works without.
"use strict";

(() => {
    const PATIENCE = 10_000; /* after so many milliseconds it may be pressed again */
    const sent = new Map();

    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (event.defaultPrevented) {
            return; /* a script sends it by itself */
        }
        if (event.timeStamp - (sent.get(form) ?? -PATIENCE) < PATIENCE) {
            event.preventDefault();
        } else {
            sent.set(form, event.timeStamp);
        }
    });

    /* who has stopped the page, or comes back to it, may press again */
    document.addEventListener("keydown", (event) => event.key === "Escape" && sent.clear());
    window.addEventListener("pageshow", () => sent.clear());
})();
