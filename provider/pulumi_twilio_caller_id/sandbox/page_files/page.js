// The page: what the sandbox's events tell goes to the phones and the tables, and into the title of the tab.

import { Cards } from "./cards.js";
import { isAway, part, show, write } from "./dom.js";
import { Tables } from "./tables.js";

const AGAIN = 1000; // milliseconds until the next try where the browser has given up
const TITLE = document.title;
const HERE = "[data-is=ignore], [data-is=close]"; // buttons that ask nothing of the sandbox
const NOTHING = { accounts: [], from: "", tries: 3, requests: [], calls: [], callbacks: [], caller_ids: [], totals: {}, since: null };

const aloud = part(document, "aloud");
const cards = new Cards(part(document, "cards"), speak, () => {
  cards.tidy();
  cards.cards.forEach((card) => card.update(card.call, card.tries));
  around();
});
const tables = new Tables();

function speak(text) {
  if (aloud.querySelector("input").checked) {
    const said = new SpeechSynthesisUtterance(text);
    said.lang = "en-US"; // as Twilio's own call, whatever the language of the browser
    window.speechSynthesis.cancel();
    window.speechSynthesis.speak(said);
  }
}

/** What depends on how many phones ring. */
function around() {
  const ringing = cards.ringing;
  const [first] = ringing;
  const title = ringing.length > 1 ? `${ringing.length} phones ring` : first ? `${first.call.number} rings` : "";
  document.title = isAway() ? `${TITLE} (away)` : title ? `☎ ${title} - ${TITLE}` : TITLE;
  show(part(document, "quiet"), cards.cards.size === 0);
}

function update(told) {
  const snapshot = { ...NOTHING, ...told };
  const trouble = part(document, "trouble");
  write(trouble, snapshot.trouble ?? "");
  show(trouble, Boolean(snapshot.trouble));
  const [account] = snapshot.accounts;
  const lines = [`export TWILIO_ACCOUNT_SID=${account ?? ""}`, `export TWILIO_API_URL=${location.origin}`];
  write(part(document, "exports"), lines.join("\n"));
  cards.update(snapshot);
  tables.update(snapshot);
  around();
}

function connected(is) {
  const away = part(document, "away");
  write(away, is ? "" : `The sandbox at ${location.origin} does not answer. This page goes on as soon as it is back.`);
  show(away, !is);
  write(part(document, "connection"), is ? "live" : "away");
  document.body.classList.toggle("away", !is);
  for (const button of document.querySelectorAll(`main button:not(${HERE})`)) {
    button.setAttribute("aria-disabled", !is); // and not disabled, by which it would lose the focus
  }
  around();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[aria-disabled=true]")) {
    event.stopPropagation();
  }
}, { capture: true });

function listen() {
  const events = new EventSource("/sandbox/events");
  events.addEventListener("open", () => connected(true));
  events.addEventListener("message", (event) => update(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    connected(false);
    if (events.readyState === EventSource.CLOSED) {
      setTimeout(listen, AGAIN);
    }
  });
}

write(part(document, "address"), location.origin);
show(aloud, "speechSynthesis" in window);
listen();
