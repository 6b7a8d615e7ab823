// One process is one device of one person: a Matrix client that is not ours
// (matrix-js-sdk with its Rust crypto), driven by JSON lines.
//
//   stdin   {"id":1,"do":"login","with":{...}}
//   stdout  {"id":1,"result":...} or {"id":1,"error":"..."}
//           {"event":"timeline","data":{...}} at any time
//
// It ends when stdin ends. What the SDK logs goes to the file named by
// JS_CLIENT_LOG, so that stdout carries nothing but the protocol.
import { Console } from "node:console";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";

const log = createWriteStream(process.env.JS_CLIENT_LOG || "/dev/null", { flags: "a" });
globalThis.console = new Console(log, log);

// Only now: the SDK takes hold of the console when it is loaded.
const { Device } = await import("./device.mjs");

function write(line) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
}

process.on("uncaughtException", (err) => {
    write({ event: "crashed", data: { error: String(err?.stack ?? err) } });
    process.exit(1);
});

const device = new Device((event, data) => write({ event, data }));

// Requests run side by side: one that waits must not hold up the others.
createInterface({ input: process.stdin })
    .on("line", async (line) => {
        const { id, do: verb, with: args } = JSON.parse(line);
        try {
            write({ id, result: (await device[verb](args ?? {})) ?? null });
        } catch (err) {
            console.error(verb, err);
            write({ id, error: String(err?.message ?? err) });
        }
    })
    .on("close", () => process.exit(0));
