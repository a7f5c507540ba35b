// Posts slice after slice of long work, and keeps the bar up to date. Without this a button does.
"use strict";
{
    const form = document.getElementById("dedupe-slices");
    const bar = document.getElementById("dedupe-bar");
    const words = document.getElementById("dedupe-words");
    const failed = document.getElementById("dedupe-failed");
    const proceed = form.elements.namedItem("slice");
    const cancel = form.elements.namedItem("cancel");
    let isStopped = false;

    const show = (told) => {
        bar.max = Math.max(told.total, 1);
        bar.value = told.done;
        words.textContent = told.words;
        document.getElementById("dedupe-tended").hidden = !told.pause;
        document.getElementById("dedupe-left").hidden = Boolean(told.pause);
    };

    const pause = (told) => new Promise((resolve) => { setTimeout(resolve, told.pause); });

    const post = async (what) => {
        const data = new FormData(form);
        data.append(what, "1");
        const answer = await fetch(form.getAttribute("action") || location.href, {
            method: "POST",
            body: data,
            headers: {Accept: "application/json"},
            credentials: "same-origin",
        });
        if (answer.redirected) { // to the login, which leads back here
            location.reload();
        }
        if (!answer.ok || answer.redirected) {
            throw new Error(String(answer.status));
        }
        return answer.json();
    };

    const run = async () => {
        isStopped = false;
        proceed.hidden = true;
        failed.hidden = true;
        try {
            let told = await post("slice");
            show(told);
            while (!told.finished && !isStopped) {
                await pause(told);
                told = await post("slice");
                show(told);
            }
            if (isStopped) {
                told = await post("cancel");
            }
            location.assign(told.url);
        } catch {
            // the work stands where the last slice left it
            failed.hidden = false;
            proceed.hidden = false;
        }
    };

    form.addEventListener("submit", (event) => {
        const isRunning = proceed.hidden;
        if (event.submitter === proceed) {
            event.preventDefault();
            run();
        } else if (event.submitter === cancel && isRunning) {
            event.preventDefault();
            cancel.disabled = true;
            isStopped = true;
        }
    });
    if (location.hash === "#start") {
        history.replaceState(null, "", location.pathname + location.search);
        run();
    } else if ("tended" in form.dataset) {
        run();
    }
}
