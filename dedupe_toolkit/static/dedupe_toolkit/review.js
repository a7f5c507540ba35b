/* The review page draws itself anew after a choice, and obeys single keys. It works without. */
"use strict";

(() => {
    const form = document.getElementById("dedupe-form");
    if (!form) {
        return;
    }
    const KEPT = "dedupe-keys-off";
    const PRESSED = "[type=radio], [type=checkbox], [type=submit]";
    /* where arrows have a meaning of their own: among the choices of a line, and in what scrolls */
    const MOVED_IN = "[type=radio]:not([name=into]), .dedupe-scroll";
    const TYPED = `input:not(${PRESSED}), textarea, select, [contenteditable]`;
    const on = document.getElementById("dedupe-keys-on");
    const keys = document.getElementById("dedupe-keys");
    let latest = 0;

    /* What a person stands on, in the page that is drawn anew: by its name, or else by its place. */
    function again(element, left, drawn) {
        const kind = element.localName;
        const named = CSS.escape(element.name ?? "");
        const selector = element.id ? `#${CSS.escape(element.id)}` :
            named && `[name="${named}"][value="${CSS.escape(element.value)}"]`;
        const place = [...left.querySelectorAll(kind)].indexOf(element);
        return selector ? drawn.querySelector(selector) : drawn.querySelectorAll(kind)[place];
    }

    /* Wherever they have gone meanwhile: a reason that is typed must not become keys that decide. */
    function stand(changed, left, drawn) {
        const active = document.activeElement;
        const element = active === document.body ? changed : active;
        const found = left.contains(element) && again(element, left, drawn);
        return () => {
            found?.focus?.({ preventScroll: true });
            if (found && element.type === "text") {
                found.setSelectionRange(element.selectionStart, element.selectionEnd);
            }
        };
    }

    async function redraw(changed) {
        const number = (latest += 1);
        const data = new FormData(form);
        data.set("show", "1");
        form.setAttribute("aria-busy", "true");
        let page;
        try {
            const response = await fetch(form.action, { method: "POST", body: data });
            if (response.redirected) { /* to the login, which leads back to what is chosen */
                form.querySelector("[name=show]").click();
                return;
            }
            if (!response.ok) {
                throw new Error(response.status);
            }
            page = new DOMParser().parseFromString(await response.text(), "text/html");
        } catch {
            form.removeAttribute("aria-busy");
            return; /* the button still shows the plan */
        }
        const drawn = page.getElementById("dedupe-redrawn");
        if (number !== latest) {
            return;
        }
        if (!drawn) {
            form.removeAttribute("aria-busy");
            return;
        }
        const open = [...form.querySelectorAll("details")].map((one) => one.open);
        const note = document.getElementById("dedupe-note")?.value;
        const scrolled = form.querySelector(".dedupe-scroll")?.scrollLeft;
        const left = document.getElementById("dedupe-redrawn");
        const standAgain = stand(changed, left, drawn);
        left.replaceWith(drawn);
        form.querySelectorAll("details").forEach((one, place) => {
            one.open = one.open || Boolean(open[place]);
        });
        const reason = document.getElementById("dedupe-note");
        if (reason && note !== undefined) {
            reason.value = note;
        }
        const region = form.querySelector(".dedupe-scroll");
        if (region) {
            region.scrollLeft = scrolled;
        }
        form.removeAttribute("aria-busy");
        standAgain();
    }

    form.addEventListener("change", (event) => {
        if (event.target.type === "radio") {
            redraw(event.target);
        }
    });

    /* a browser that leads back here presses again what was pressed, and the plan is another one's */
    window.addEventListener("pageshow", () => {
        const radios = [...form.querySelectorAll("input[type=radio]")];
        const again = radios.find((radio) => radio.checked && !radio.defaultChecked);
        if (again) {
            redraw(again);
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
        const typed = event.target.closest(TYPED);
        if (typed || event.ctrlKey || event.metaKey || event.altKey || isOff() || event.repeat) {
            return;
        }
        const act = /^[1-9]$/.test(event.key) ? () => survive(Number(event.key) - 1) : ACTS[event.key];
        const isMoved = event.key.startsWith("Arrow") && event.target.matches(MOVED_IN);
        if (act && !isMoved && !form.hasAttribute("aria-busy")) {
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
