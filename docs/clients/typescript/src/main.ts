// What a trust's system does: submit as it happens, send all it has each night, fetch what is new.

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

import { type Change, type Entry, Refused, Register, type Status } from "./register.js";

const USAGE = `node dist/main.js submit FILE    submits the entry in a JSON file
node dist/main.js send FILE      brings the register in step with the entries in a JSON file
node dist/main.js list STATUS    lists what is to be kept (keep), or never again (retire)
node dist/main.js follow FILE    brings a copy of the register in step

REGISTER_URL names the register (http://127.0.0.1:8000), and REGISTER_KEY has your key.`;

// What the register calls the system that the entries come from; never change it.
const SYSTEM = "intranet";

// What is to be taken out of a copy.
const GONE = new Set(["withdrawn", "unpublished", "superseded"]);

interface Copy {
  next: number;
  things: Record<string, Record<string, Change["document"]>>;
}

async function submit(register: Register, file: string): Promise<void> {
  const entry: Entry = JSON.parse(readFileSync(file, "utf8"));
  // Keep the key with the entry in your system if you want to try again after a restart.
  const made = await register.submit(entry, randomUUID());
  console.log(made.reference, made.title);
}

async function send(register: Register, file: string): Promise<void> {
  const entries: Record<string, Entry> = JSON.parse(readFileSync(file, "utf8"));
  for (const [id, entry] of Object.entries(entries)) {
    try {
      await register.put(SYSTEM, id, entry);
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401 || error.status === 403) throw error;
      // Sending it again would not help: somebody has to mend it. The others go on.
      console.error(`${id}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}

async function list(register: Register, status: Status): Promise<void> {
  for await (const innovation of register.list(status)) {
    console.log(innovation.reference, innovation.title, `(${innovation.organisation.name})`);
  }
}

// The copy and the place in the log stand in one file, which is replaced as a whole: after a
// breakdown, both are what they were. A theme's or an organisation's name is looked up in its own
// document, since the innovations are not sent again when it changes.
async function follow(register: Register, file: string): Promise<void> {
  const copy: Copy = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { next: 0, things: {} };
  for await (const { lines, next } of register.changes(copy.next)) {
    for (const { action, kind, id, document } of lines) {
      const things = (copy.things[kind] ??= {});
      // What was merged into another can still be corrected, and stays out.
      if (GONE.has(action) || GONE.has(String(document?.["visibility"]))) {
        delete things[id];
      } else if (document !== null) {
        things[id] = document;
      }
    }
    copy.next = next;
    writeFileSync(`${file}.new`, JSON.stringify(copy));
    renameSync(`${file}.new`, file);
  }
}

const register = new Register(
  process.env["REGISTER_URL"] ?? "http://127.0.0.1:8000",
  process.env["REGISTER_KEY"],
);
const commands: Record<string, (register: Register, word: string) => Promise<void>> = {
  submit,
  send,
  list: (register, word) => list(register, word as Status),
  follow,
};
const [name = "", word] = process.argv.slice(2);
const command = commands[name];
if (command === undefined || word === undefined) {
  console.error(USAGE);
  process.exit(2);
}
try {
  await command(register, word);
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
