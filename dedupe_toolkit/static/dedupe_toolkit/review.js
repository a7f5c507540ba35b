/* The review page draws itself anew after a choice, and obeys single keys. It works without. */
"use strict";

(() => {
    const form = document.getElementById("dedupe-form");
    if (!form) {
        return;
    }
    const KEPT = "dedupe-keys-off";
    const on = document.getElementById("dedupe-keys-on");
    const keys = document.getElementById("dedupe-keys");
    let latest = 0;

    /* What a person stands on, to be found again once the page is drawn anew. */
    function selector(element) {
        if (element.id) {
            return `#${CSS.escape(element.id)}`;
        }
        const value = `[value="${CSS.escape(element.value)}"]`;
        return element.name ? `[name="${CSS.escape(element.name)}"]${value}` : "";
    }

    async function redraw(changed) {
        const number = (latest += 1);
        const data = new FormData(form);
        data.set("show", "1");
        form.setAttribute("aria-busy", "true");
        let page;
        try {
            const response = await fetch(form.action, { method: "POST", body: data });
            if (!response.ok || response.redirected) {
                throw new Error(response.status);
            }
            page = new DOMParser().parseFromString(await response.text(), "text/html");
        } catch {
            form.removeAttribute("aria-busy");
            return; /* the button still shows the plan */
        }
        const drawn = page.getElementById("dedupe-redrawn");
        if (number !== latest || !drawn) {
            return;
        }
        const open = [...form.querySelectorAll("details")].map((one) => one.open);
        const note = document.getElementById("dedupe-note")?.value;
        const scrolled = form.querySelector(".dedupe-scroll")?.scrollLeft;
        document.getElementById("dedupe-redrawn").replaceWith(drawn);
        form.querySelectorAll("details").forEach((one, place) => {
            one.open = one.open || Boolean(open[place]);
        });
        if (note) {
            document.getElementById("dedupe-note").value = note;
        }
        const region = form.querySelector(".dedupe-scroll");
        if (region) {
            region.scrollLeft = scrolled;
        }
        form.removeAttribute("aria-busy");
        const found = selector(changed) && form.querySelector(selector(changed));
        found?.focus({ preventScroll: true });
    }

    form.addEventListener("change", (event) => {
        if (event.target.type === "radio") {
            redraw(event.target);
        }
    });

    const survivors = () => [...form.querySelectorAll("input[name=into]")];

    function survive(place) {
        const radio = survivors()[place];
        if (radio && !radio.checked) {
            radio.click();
        }
        radio?.focus();
    }

    function beside(step) {
        const along = getComputedStyle(form).direction === "rtl" ? -step : step;
        const place = survivors().findIndex((radio) => radio.checked);
        survive((place + along + survivors().length) % survivors().length);
    }

    function field(step) {
        const names = new Map();
        form.querySelectorAll("input[type=radio][name^=field_]").forEach((radio) => {
            names.set(radio.name, radio.checked ? radio : names.get(radio.name) || radio);
        });
        const radios = [...names.values()];
        const place = radios.findIndex((one) => one.name === document.activeElement?.name);
        const begin = step > 0 ? 0 : radios.length - 1;
        radios[place < 0 ? begin : (place + step + radios.length) % radios.length]?.focus();
    }

    function press(...names) {
        const found = names.map((name) => form.querySelector(`input[name=${name}]`));
        found.find((button) => button && !button.disabled)?.click();
    }

    const ACTS = {
        ArrowLeft: () => beside(-1),
        ArrowRight: () => beside(1),
        j: () => field(1),
        k: () => field(-1),
        m: () => press("merge_next", "merge"),
        n: () => press("dismiss"),
        s: () => press("skip"),
        u: () => document.querySelector(".dedupe-undo button")?.click(),
        "?": () => {
            keys.open = !keys.open;
            keys.querySelector("summary").focus();
        },
    };

    const isOff = () => on && !on.checked;

    document.addEventListener("keydown", (event) => {
        const typed = event.target.closest("input:not([type=radio]), textarea, select, [contenteditable]");
        if (typed || event.ctrlKey || event.metaKey || event.altKey || isOff() || event.repeat) {
            return;
        }
        const act = /^[1-9]$/.test(event.key) ? () => survive(Number(event.key) - 1) : ACTS[event.key];
        const isField = event.key.startsWith("Arrow") && event.target.name?.startsWith("field_");
        if (act && !isField && !form.hasAttribute("aria-busy")) {
            event.preventDefault();
            act();
        }
    });

    if (on) {
        try {
            on.checked = localStorage.getItem(KEPT) === null;
        } catch {
            /* a browser that keeps nothing */
        }
        on.addEventListener("change", () => {
            try {
                on.checked ? localStorage.removeItem(KEPT) : localStorage.setItem(KEPT, "1");
            } catch {
                /* as above */
            }
        });
    }
})();
