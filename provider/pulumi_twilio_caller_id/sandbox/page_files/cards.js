// The phones: one card for each call that a person has in hand, from its ringing to the card being closed.

import { Card, KEYS } from "./card.js";

const KEPT = 12; // cards of calls that are over
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select"; // what takes digits itself

export class Cards {
  /** `speak` is given what the caller says; `changed` is called when a person has silenced or closed a card. */
  constructor(place, speak, changed) {
    this.place = place;
    this.speak = speak;
    this.cards = new Map();
    this.closed = new Set();
    place.addEventListener("pressed", changed);
    document.addEventListener("keydown", (event) => this._key(event));
  }

  get ringing() {
    return [...this.cards.values()].filter((card) => card.call.status === "ringing" && !card.silenced);
  }

  update(snapshot) {
    const calls = new Map(snapshot.calls.map((call) => [call.key, call]));
    for (const [sid, call] of calls) {
      const begins = call.by_hand && ["ringing", "in-progress"].includes(call.status) && !this.closed.has(sid);
      if (begins && !this.cards.has(sid)) {
        const card = new Card(call, snapshot, this.speak);
        this.cards.set(sid, card);
        card.update(call, snapshot.tries);
        this.place.append(card.element);
        this._replaceOver(card);
      }
    }
    for (const card of [...this.cards.values()]) {
      if (calls.has(card.sid)) {
        card.update(calls.get(card.sid), snapshot.tries);
      } else if (!card.over) {
        this._remove(card); // the sandbox has forgotten it
      }
    }
    this.tidy();
  }

  /** Closes what is left from earlier calls to the number that rings now. */
  _replaceOver(card) {
    for (const earlier of this._sameNumber(card).filter((it) => it.over)) {
      earlier.closed = true;
      if (earlier.holdsFocus) {
        card.element.focus();
      }
    }
  }

  _sameNumber({ call }) {
    return [...this.cards.values()].filter((it) => it.call.number === call.number && it.call.account_sid === call.account_sid);
  }

  /** Puts the phones that ring or are answered first, then the newest of those that are over. */
  _sort() {
    const cards = [...this.cards.values()];
    const wanted = [...cards.filter((it) => !it.over), ...cards.filter((it) => it.over).reverse()].map((it) => it.element);
    if (wanted.every((element, at) => element === this.place.children[at])) {
      return;
    }
    const still = wanted.findIndex((element) => element.contains(document.activeElement));
    if (still === -1) {
      this.place.append(...wanted);
    } else { // moved, it would lose the focus: the others are moved around it
      wanted[still].before(...wanted.slice(0, still));
      this.place.append(...wanted.slice(still + 1));
    }
  }

  /** Has each card of a number that has several say which it is: the code in the terminal is often the newest one's. */
  _rank() {
    for (const card of this.cards.values()) {
      const same = this._sameNumber(card);
      const newest = same.reduce((a, b) => (b.call.placed >= a.call.placed ? b : a));
      card.rank(same.length === 1 ? "" : card === newest ? "Newest" : "Older");
    }
  }

  /** Takes away what was closed, and the oldest cards of many that are over. */
  tidy() {
    const over = [...this.cards.values()].filter((card) => card.over && !card.holdsFocus);
    for (const card of [...this.cards.values()].filter((it) => it.closed).concat(over.slice(0, -KEPT))) {
      this.closed.add(card.sid);
      this._remove(card);
    }
    this._rank();
    this._sort();
  }

  _remove(card) {
    const focused = card.holdsFocus;
    const next = card.element.nextElementSibling ?? card.element.previousElementSibling;
    card.element.remove();
    this.cards.delete(card.sid);
    if (focused) {
      (next ?? document.getElementById("phones")).focus();
    }
  }

  /** Keys go to the card that has the focus, or else to the only one that was answered. */
  _key(event) {
    const inField = event.target.matches(FIELDS);
    const activates = event.target.matches("button, summary") && event.key === "Enter";
    if (event.ctrlKey || event.metaKey || event.altKey || inField || activates) {
      return;
    }
    if (![...KEYS, "Enter", "Backspace"].includes(event.key)) {
      return;
    }
    const answered = [...this.cards.values()].filter((card) => card.call.status === "in-progress");
    const focused = [...this.cards.values()].find((card) => card.holdsFocus);
    const card = focused ?? (answered.length === 1 ? answered[0] : undefined);
    if (card && answered.includes(card)) {
      event.preventDefault();
      card.press(event.key);
    }
  }
}
