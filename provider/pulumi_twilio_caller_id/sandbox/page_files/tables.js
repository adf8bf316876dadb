// The tables: what was asked, called, told and verified. A row stays the same element for as long as it is shown.

import { act, announce, clock, part, show, write } from "./dom.js";

function outcome(call) {
  if (call.caller_id_sid) {
    return call.listed ? call.caller_id_sid : `${call.caller_id_sid}, listed in a moment`;
  }
  return call.ended === null ? "" : "not verified";
}

function answer(request) {
  if (request.status === null) {
    return request.dropped ? "none" : "none yet";
  }
  const code = request.code === null || request.status < 300 ? "" : ` · ${request.code}`;
  return `${request.status}${code}${request.message ? ` · ${request.message}` : ""}`;
}

function delivery(callback) {
  if (callback.error) {
    return callback.error;
  }
  return callback.status === null ? "on its way" : `answered ${callback.status}`;
}

/** What a person may do on a call that has no card: [words, action]. */
function choices(call) {
  if (call.status === "queued") {
    return [["Cancel", "hangup"]];
  }
  return call.status === "ringing" && !call.by_hand ? [["Answer", "answer"], ["Decline", "hangup"]] : [];
}

function buttons(cell, call) {
  const wanted = choices(call);
  if (cell.dataset.shown === JSON.stringify(wanted)) {
    return;
  }
  cell.dataset.shown = JSON.stringify(wanted);
  cell.replaceChildren(
    ...wanted.map(([words, action]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "small";
      button.textContent = words;
      button.setAttribute("aria-label", `${words} the call to ${call.number}`);
      button.addEventListener("click", async () => {
        const trouble = await act(call.key, action);
        if (trouble) {
          announce("alerts", trouble);
        }
      });
      return button;
    }),
  );
}

/** How many there are. since: when the sandbox started, if it does not know those before. */
function howMany(total, here, since) {
  const all = since === null;
  const count = all ? String(total || "") : `${total || "none"} since the sandbox started at ${clock(since)}`;
  return total > here ? `${count}, the latest ${here} here` : count;
}

// In the order of the columns: a function of the item to a text, or [class, function].
const account = ["account mono", (item) => item.account_sid ?? ""];
const COLUMNS = {
  calls: [
    ["number", (it) => it.number],
    ["name", (it) => it.friendly_name ?? ""],
    account,
    ["status", (it) => it.status],
    ["time", (it) => clock(it.placed)],
    ["time", (it) => clock(it.ringing)],
    ["time", (it) => clock(it.answered)],
    ["time", (it) => clock(it.ended)],
    ["mono", outcome],
    ["by-hand", buttons],
  ],
  requests: [
    ["time", (it) => clock(it.at)],
    ["number", (it) => it.number ?? ""],
    ["name", (it) => it.friendly_name ?? ""],
    account,
    ["answer", answer],
    ["mono", (it) => it.call_sid ?? ""],
  ],
  caller_ids: [["number", (it) => it.number], ["name", (it) => it.friendly_name ?? ""], account, ["mono", (it) => it.key]],
  callbacks: [
    ["time", (it) => clock(it.at)],
    ["mono", (it) => `${it.method} ${it.url}`],
    (it) => it.verification_status ?? "",
    delivery,
  ],
};

const FORGOTTEN = ["requests", "callbacks"]; // when a sandbox ends; its calls and caller IDs may be kept in a file

class Table {
  constructor(name) {
    this.name = name;
    this.table = part(document, name);
    this.body = this.table.tBodies[0];
    this.labels = [...this.table.tHead.rows[0].cells].map((cell) => cell.textContent);
    const section = this.table.closest("section");
    this.count = part(section, "count");
    this.empty = part(section, "empty");
    this.rows = new Map();
  }

  update(items, total, accounts, since) {
    const unknown = FORGOTTEN.includes(this.name) ? since : null;
    write(this.count, howMany(total, items.length, unknown));
    show(this.table, items.length > 0);
    show(this.empty, items.length === 0 && unknown === null);
    this._columns(items, accounts);
    const keys = new Set(items.map((item) => item.key));
    for (const [key, row] of this.rows) {
      if (!keys.has(key)) {
        row.remove();
        this.rows.delete(key);
      }
    }
    let at = this.body.firstElementChild;
    for (const item of [...items].reverse()) {
      const row = this.rows.get(item.key) ?? this._row(item.key);
      if (row === at) {
        at = at.nextElementSibling;
      } else {
        this.body.insertBefore(row, at);
      }
      this._fill(row, item);
    }
  }

  /** Columns that would say nothing are left out. */
  _columns(items, accounts) {
    const useful = { Account: accounts > 1, "By hand": items.some((item) => choices(item).length > 0) };
    this.shown = this.labels.map((label) => useful[label] ?? true);
    this.shown.forEach((shown, index) => show(this.table.tHead.rows[0].cells[index], shown));
  }

  _row(key) {
    const row = document.createElement("tr");
    row.setAttribute("role", "row");
    COLUMNS[this.name].forEach((column, index) => {
      const cell = document.createElement("td");
      cell.setAttribute("role", "cell");
      cell.dataset.label = this.labels[index];
      cell.className = Array.isArray(column) ? column[0] : "";
      row.append(cell);
    });
    this.rows.set(key, row);
    return row;
  }

  _fill(row, item) {
    COLUMNS[this.name].forEach((column, index) => {
      const cell = row.cells[index];
      const content = Array.isArray(column) ? column[1] : column;
      if (content === buttons) {
        buttons(cell, item);
      } else {
        write(cell, content(item));
      }
      cell.classList.toggle("void", !cell.hasChildNodes());
      show(cell, this.shown[index]);
    });
    row.dataset.status = item.status ?? "";
  }
}

export class Tables {
  constructor() {
    this.tables = Object.keys(COLUMNS).map((name) => new Table(name));
  }

  update(snapshot) {
    for (const table of this.tables) {
      table.update(snapshot[table.name], snapshot.totals[table.name], snapshot.accounts.length, snapshot.since);
    }
  }
}
