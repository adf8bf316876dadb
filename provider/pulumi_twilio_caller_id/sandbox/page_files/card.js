// One card: a phone that rings, is answered and keyed, and what came of it.

import { act, announce, clock, isAway, minutes, show, write } from "./dom.js";

const LENGTH = 6; // digits of a code
export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const NAMES = { "*": "star", "#": "pound, sends" };
const NUMBERS = ["no", "one", "two", "three"];

const ENDINGS = {
  busy: "Declined: the call ended as busy.",
  "no-answer": "Nobody answered: the call ended as no-answer.",
  failed: "The call could not be put through: it ended as failed.",
  canceled: "The call was canceled before the phone rang.",
};

export class Card {
  constructor(call, snapshot, speak) {
    this.sid = call.key;
    this.speak = speak;
    this.call = {};
    this.trouble = "";
    this.order = "";
    this.silenced = false;
    this.closed = false;
    const made = document.getElementById("card").content.cloneNode(true);
    this.element = made.firstElementChild;
    this.parts = Object.fromEntries([...made.querySelectorAll("[data-is]")].map((it) => [it.dataset.is, it]));
    this.input = this.parts.keys.querySelector("input");
    this._fact("from", snapshot.from);
    this._fact("extension", call.extension);
    this._fact("delay", call.call_delay ? `${call.call_delay} s` : null);
    this._fact("account", snapshot.accounts.length > 1 ? call.account_sid : null);
    this._buttons(call.number);
    this._keypad();
  }

  get over() {
    return !["ringing", "in-progress"].includes(this.call.status);
  }

  get holdsFocus() {
    return this.element.contains(document.activeElement);
  }

  _fact(name, value) {
    show(this.parts[name], value !== null);
    write(this.parts[name].querySelector("dd"), value ?? "");
  }

  _buttons(number) {
    const does = {
      answer: () => this._act("answer"),
      decline: () => this._act("hangup"),
      hangup: () => this._act("hangup"),
      ignore: () => { this.silenced = true; },
      close: () => { this.closed = true; },
    };
    for (const [name, action] of Object.entries(does)) {
      const button = this.parts[name];
      button.setAttribute("aria-label", `${button.textContent} the call to ${number}`);
      button.addEventListener("click", async () => {
        await action();
        this.element.dispatchEvent(new CustomEvent("pressed", { bubbles: true }));
      });
    }
  }

  _keypad() {
    for (const key of KEYS) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = key;
      button.setAttribute("aria-label", NAMES[key] ? `${key} ${NAMES[key]}` : key);
      button.addEventListener("pointerdown", (event) => event.preventDefault()); // typing goes on where it was
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => this.press(key));
      this.parts.pad.append(button);
    }
    this.input.addEventListener("input", () => this._typed(this.input.value));
    this.parts.keys.addEventListener("submit", (event) => {
      event.preventDefault();
      this._send();
    });
  }

  /** A key of the keypad, or of the keyboard while the field does not have the focus. */
  press(key) {
    if (key === "Enter") {
      this._send();
    } else {
      this._typed(key === "Backspace" ? this.input.value.slice(0, -1) : this.input.value + key);
    }
  }

  _typed(text) {
    const keyed = text.replace(/[^0-9*#]/g, "");
    const digits = keyed.split("#")[0].slice(0, LENGTH);
    if (this.input.value !== digits) {
      this.input.value = digits;
    }
    if (keyed.includes("#") || digits.length === LENGTH) {
      this._send();
    }
  }

  _send() {
    if (isAway()) {
      return; // what was keyed in stays, to be sent once the sandbox is back
    }
    const digits = this.input.value;
    this.input.value = "";
    if (digits !== "") {
      this._act("digits", { Digits: digits });
    }
  }

  async _act(action, fields) {
    this.trouble = await act(this.sid, action, fields);
    if (this.trouble !== "") {
      announce("news", this.trouble);
    }
    this._show();
  }

  update(call, tries) {
    const before = this.call;
    this.call = call;
    this.tries = tries;
    if (before.status !== call.status || before.tries_left !== call.tries_left || before.caller_id_sid !== call.caller_id_sid) {
      if (before.status !== undefined) {
        this.trouble = "";
      }
      this._tell(before);
    }
    this._show();
  }

  /** Which of several calls to its number it is: "Older" or "Newest"; "" for the only one. */
  rank(order) {
    this.order = order;
    this._show();
  }

  _tell(before) {
    const { call } = this;
    const whose = `${call.number}${call.friendly_name ? `, ${call.friendly_name}` : ""}`;
    if (call.status === "ringing") {
      announce("alerts", `A phone rings: ${whose}.`);
    } else if (call.status === "in-progress") {
      const wrong = this._wrong();
      const text = wrong === "" ? this.parts.prompt.textContent : wrong;
      announce("news", text);
      this.speak(text);
    } else if (before.status !== call.status || call.caller_id_sid) {
      announce("news", `${whose}: ${this._outcome()} ${call.caller_id_sid ?? ""}`);
    }
  }

  _wrong() {
    const left = this.call.tries_left;
    return left === this.tries ? "" : `That was not the code. ${left === 1 ? "1 try" : `${left} tries`} left.`;
  }

  _outcome() {
    const { call } = this;
    if (call.caller_id_sid) {
      return call.listed ? "Verified. The number is a caller ID now." : "The code was right. The number is listed in a moment.";
    }
    if (call.status !== "completed") {
      return ENDINGS[call.status] ?? `The call is ${call.status}.`;
    }
    return call.tries_left === 0
      ? `Not verified: ${NUMBERS[this.tries] ?? this.tries} wrong codes, and the call is over.`
      : "Not verified: no correct code was entered.";
  }

  _state() {
    switch (this.call.status) {
      case "ringing":
        return this.silenced ? "Rings, silenced" : "Incoming call";
      case "in-progress":
        return "On the call";
      default:
        return this.call.caller_id_sid ? "Verified" : "Not verified";
    }
  }

  _show() {
    const { call, parts } = this;
    const ringing = call.status === "ringing";
    const talking = call.status === "in-progress";
    const focused = this.holdsFocus;
    const look = ringing ? "ringing" : talking ? "talking" : call.caller_id_sid ? "verified" : "ended";
    if (this.element.dataset.look !== look) {
      this.element.dataset.look = look;
    }
    const { order } = this;
    const minor = this.silenced || (order === "Older" && this.over);
    this.element.classList.toggle("folded", minor && !talking && !call.caller_id_sid);
    this.element.setAttribute("aria-label", `${order ? `${order} call` : "Call"} to ${call.number}`);
    write(parts.state, this._state());
    write(parts.left, call.left === null ? "" : `ends in ${minutes(call.left)}`);
    write(parts.order, order ? `${order} call to this number, ${clock(call.placed)}` : "");
    show(parts.order, order !== "");
    write(parts.number, call.number);
    write(parts.name, call.friendly_name ?? "");
    write(parts.outcome, this.over ? this._outcome() : "");
    write(parts.sid, call.caller_id_sid ?? "");
    write(parts.said, this.trouble || (talking ? this._wrong() : ""));
    show(parts.prompt, talking);
    show(parts.keys, talking);
    show(parts.said, parts.said.textContent !== "");
    show(parts.outcome, this.over);
    show(parts.sid, Boolean(call.caller_id_sid));
    show(parts.answer, ringing);
    show(parts.decline, ringing);
    show(parts.ignore, ringing && !this.silenced);
    show(parts.hangup, talking);
    show(parts.close, this.over);
    // What has been hidden loses the focus, in some browsers as soon as somebody asks where it is.
    const gone = document.activeElement.getClientRects().length === 0 || !this.holdsFocus;
    if (focused && gone) {
      (talking ? this.input : this.element).focus();
    } else if (focused && document.activeElement === this.element && talking) {
      this.input.focus();
    }
  }
}
