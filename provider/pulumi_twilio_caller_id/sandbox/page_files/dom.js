// Small helpers around the document. Whatever comes from outside becomes text, never markup.

/** The element in `root` that is marked as `name`. */
export function part(root, name) {
  return root.querySelector(`[data-is="${name}"]`);
}

/** Writes only what has changed, so that a selection in an unchanged text stays. */
export function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function show(element, visible) {
  if (element.hidden === visible) {
    element.hidden = !visible;
  }
}

/** Local time of day of seconds since the epoch; "" for null. */
export function clock(seconds) {
  return seconds === null ? "" : new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

/** Seconds as m:ss. */
export function minutes(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Whether the sandbox does not answer. Then nothing rings, and no button of its own does anything. */
export function isAway() {
  return document.body.classList.contains("away");
}

/** Has a screen reader say it; the last few stay in the document. */
export function announce(kind, text) {
  const line = document.createElement("p");
  line.textContent = text;
  const place = part(document, kind);
  place.append(line);
  while (place.children.length > 5) {
    place.firstChild.remove();
  }
}

/** Does something by hand on a call. Gives "" or, where it was not possible, why. */
export async function act(sid, action, fields = {}) {
  try {
    const answer = await fetch(`/sandbox/calls/${sid}/${action}`, { method: "POST", body: new URLSearchParams(fields) });
    return answer.ok ? "" : (await answer.json()).message;
  } catch {
    return "The sandbox does not answer. Is it still running?";
  }
}
