// Whole files in memory before anything plays: a file that is still loading would stall.

const AT_ONCE = 3;
// Tries in a row that bring not a single byte.
const ATTEMPTS = 7;
const SILENCE_MS = 20_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Fetches addresses as object URLs, three at a time, each once; what broke off goes on from the byte reached. */
export class Downloads {
  #files = new Map();
  #waiting = [];
  #active = 0;

  /** Begin to fetch an address if that has not begun; resolves to {url, loadMs}. Rejects when every attempt failed. */
  get(address) {
    let file = this.#files.get(address);
    if (!file) {
      file = { address, parts: [], received: 0, size: 0, tag: null, type: "", url: null, stopped: new AbortController() };
      file.ready = new Promise((resolve, reject) => Object.assign(file, { resolve, reject }));
      file.ready.catch(() => this.#forget(file));
      this.#files.set(address, file);
      this.#waiting.push(file);
      this.#next();
    }
    return file.ready;
  }

  /** As `get` for several addresses, before all others that wait. */
  getFirst(addresses) {
    const ready = addresses.map((address) => this.get(address));
    const urgent = this.#waiting.filter((file) => addresses.includes(file.address));
    this.#waiting = [...urgent, ...this.#waiting.filter((file) => !urgent.includes(file))];
    return Promise.all(ready);
  }

  /** Share of the bytes of these addresses that have arrived, 0 to 1. */
  progress(addresses) {
    const shares = addresses.map((address) => {
      const file = this.#files.get(address);
      return file?.url ? 1 : file?.size ? file.received / file.size : 0;
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  /** Free the memory of all files except those of the given addresses, and fetch no more of them. */
  keepOnly(addresses) {
    for (const file of [...this.#files.values()]) {
      if (!addresses.includes(file.address)) this.#forget(file);
    }
  }

  #forget(file) {
    file.stopped.abort();
    if (file.url) URL.revokeObjectURL(file.url);
    if (this.#files.get(file.address) === file) this.#files.delete(file.address);
    this.#waiting = this.#waiting.filter((other) => other !== file);
  }

  async #next() {
    if (this.#active >= AT_ONCE || this.#waiting.length === 0) return;
    const file = this.#waiting.shift();
    this.#active += 1;
    try {
      file.resolve(await this.#fetch(file));
    } catch (error) {
      file.reject(error);
    } finally {
      this.#active -= 1;
      this.#next();
    }
  }

  async #fetch(file) {
    const begun = performance.now();
    for (let failures = 0; ; ) {
      const before = file.received;
      file.stopped.signal.throwIfAborted();
      try {
        await this.#read(file);
        file.url = URL.createObjectURL(new Blob(file.parts, { type: file.type }));
        file.parts = [];
        return { url: file.url, loadMs: Math.round(performance.now() - begun) };
      } catch (error) {
        failures = file.received > before ? 1 : failures + 1;
        if (failures === ATTEMPTS || file.stopped.signal.aborted) throw error;
        await pause(200 * 2 ** failures);
      }
    }
  }

  /** Read the rest of a file; whatever has arrived stays when the connection breaks off. */
  async #read(file) {
    // A connection that stays open and brings nothing is broken, too.
    const connection = new AbortController();
    const abort = () => connection.abort();
    let alarm = setTimeout(abort, SILENCE_MS);
    file.stopped.signal.addEventListener("abort", abort);
    const headers = file.received ? { Range: `bytes=${file.received}-`, "If-Range": file.tag } : {};
    try {
      const response = await fetch(file.address, { credentials: "same-origin", headers, signal: connection.signal });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      if (response.status !== 206) {
        Object.assign(file, { parts: [], received: 0, size: Number(response.headers.get("Content-Length")) });
        file.tag = response.headers.get("ETag");
        file.type = response.headers.get("Content-Type");
      }
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(alarm);
        alarm = setTimeout(abort, SILENCE_MS);
        file.parts.push(value);
        file.received += value.length;
      }
      if (file.size && file.received !== file.size) throw new Error("the connection broke off");
    } finally {
      clearTimeout(alarm);
      file.stopped.signal.removeEventListener("abort", abort);
    }
  }
}
